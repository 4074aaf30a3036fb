"""A GIN training step: batch 128, 300 wide, 5 layers, 25 heavy atoms a molecule, 382 tasks.

The same network, written as torch-geometric examples are, is timed beside it, and so are the matrix
products it is made of. Run: `python -m benchmarks.bench_gin_step [--threads 2] [--rounds 15]`.
"""

import argparse
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.common import (
    CLOCK,
    interleaved,
    masked_loss,
    molecules,
    peak_megabytes,
    random_labels,
    resident_megabytes,
)
from relatask.encoders.gin import GIN, build
from relatask.inputs.graph_batch import N_CHIRALITIES, GraphBatch, MoleculeGraphs

BATCH, WIDTH, LAYERS, ATOMS, TASKS = 128, 300, 5, 25, 382
# Multiply-adds of the MLPs and the head, forward and backward, counted as everybody counts them: the
# first layer in full, although its products run over 133 embeddings and not over every atom.
GFLOP = 3 * 2 * (LAYERS * BATCH * ATOMS * 2 * WIDTH * 2 * WIDTH + BATCH * WIDTH * TASKS) / 1e9


class PlainGIN(nn.Module):
    """The same network with a bond embedding per edge, scatter-add, `BatchNorm1d` and `F.dropout`."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers, self.chiralities = nn.Embedding(120, WIDTH), nn.Embedding(4, WIDTH)
        self.types = nn.ModuleList(nn.Embedding(6, WIDTH) for _ in range(LAYERS))
        self.directions = nn.ModuleList(nn.Embedding(3, WIDTH) for _ in range(LAYERS))
        self.mlps = nn.ModuleList(
            nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.ReLU(), nn.Linear(2 * WIDTH, WIDTH))
            for _ in range(LAYERS)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(WIDTH) for _ in range(LAYERS))

    def forward(self, x: dict[str, Tensor]) -> Tensor:
        z = self.numbers(x["number"]) + self.chiralities(x["chirality"])
        for k in range(LAYERS):
            message = z[x["source"]] + self.types[k](x["type"]) + self.directions[k](x["direction"])
            z = self.norms[k](self.mlps[k](message.new_zeros(z.shape).index_add(0, x["target"], message)))
            z = F.dropout(F.relu(z) if k < LAYERS - 1 else z, 0.2, self.training)
        sums = z.new_zeros(BATCH, WIDTH).index_add(0, x["molecule"], z)
        return sums / torch.bincount(x["molecule"])[:, None]


def edges(x: GraphBatch) -> dict[str, Tensor]:
    """The batch as edge lists; bond kinds are drawn anew, which costs the same."""
    target = torch.repeat_interleave(x.neighbour_offsets.diff().long())
    return {
        "number": x.atoms // N_CHIRALITIES,
        "chirality": x.atoms % N_CHIRALITIES,
        "source": x.neighbours.long(),
        "target": target,
        "type": torch.randint(0, 4, target.shape),
        "direction": torch.zeros_like(target),
        "molecule": x.molecules,
    }


def step(encoder: nn.Module, batch: Callable[[], tuple], bf16: bool, fused: bool) -> Callable[[], object]:
    """Return one training step: batch, forward, loss, backward, Adam."""
    head = nn.Linear(WIDTH, TASKS)
    adam = torch.optim.Adam([*encoder.parameters(), *head.parameters()], 1e-3, fused=fused)

    def run() -> None:
        x, labels = batch()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = head(encoder(x))
        loss = masked_loss(logits, labels)
        adam.zero_grad()
        loss.backward()
        adam.step()

    return run


def products(dtype: torch.dtype) -> Callable[[], object]:
    """Return one layer's six products at the shapes of the MLP: 1 / 5 of a step's."""
    n, w = BATCH * ATOMS, WIDTH
    narrow, wide = torch.randn(n, w, dtype=dtype), torch.randn(n, 2 * w, dtype=dtype)
    up, down = torch.randn(2 * w, w, dtype=dtype), torch.randn(w, 2 * w, dtype=dtype)

    def run() -> None:
        for a, b in [(narrow, up.t()), (wide, down.t()), (narrow, down), (wide, up)]:
            torch.mm(a, b)
        torch.mm(wide.t(), narrow)
        torch.mm(narrow.t(), wide)

    return run


def memory_growth(encoder: GIN, graphs: MoleculeGraphs, steps: int) -> tuple[float, float]:
    """Resident MB a quarter through and at the end of `steps` steps whose number of atoms varies."""
    run = step(encoder, lambda: (graphs.batch(torch.randperm(len(graphs))[:BATCH]), labels), False, True)
    labels = random_labels(BATCH, TASKS)
    early = 0.0
    for k in range(steps):
        run()
        if k == steps // 4:
            early = resident_megabytes()
    return early, resident_megabytes()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=0, help="also watch memory over so many steps")
    arguments, _ = parser.parse_known_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    graphs = MoleculeGraphs.from_arrays(**molecules(np.full(1024, ATOMS)))
    labels = random_labels(1024, TASKS)

    def flat() -> tuple[GraphBatch, Tensor]:
        rows = torch.randperm(len(graphs))[:BATCH]
        return graphs.batch(rows), labels[rows]

    prepared = (edges(graphs.batch(torch.arange(BATCH))), labels[:BATCH])
    plain = PlainGIN()
    layer = 3 * 2 * BATCH * ATOMS * 2 * WIDTH * 2 * WIDTH / 1e9
    measured = interleaved(
        {
            "products fp32": products(torch.float32),
            "step fp32": step(build(), flat, False, True),
            "products bf16": products(torch.bfloat16),
            "step bf16": step(build(), flat, True, True),
            "plain fp32": step(plain, lambda: prepared, False, False),
            "plain bf16": step(plain, lambda: prepared, True, False),
        },
        arguments.rounds,
    )
    clock = CLOCK[arguments.threads == 1]
    print(
        f"GIN step, {arguments.threads} threads ({clock} time), {GFLOP:.1f} GFLOP, torch {torch.__version__}"
    )
    for kind, taken, square in (
        (f"median of {measured.quiet} quiet of {measured.rounds} rounds", measured.seconds, measured.gauge),
        ("best of all rounds", measured.best, measured.best_gauge),
    ):
        fp32, bf16 = (layer / taken[f"products {precision}"] for precision in ("fp32", "bf16"))
        print(f"{kind}: GFLOP/s of products fp32 {fp32:.0f}, bf16 {bf16:.0f}, of a square fp32 {square:.0f}")
        for name in ("step fp32", "step bf16", "plain fp32", "plain bf16"):
            rate = GFLOP / taken[name]
            print(
                f"  {name:10s} {1e3 * taken[name]:7.1f} ms {rate:5.0f} GFLOP/s; {rate / fp32:.2f} of fp32 "
                f"products, {rate / square:.2f} of square; {taken['plain fp32'] / taken[name]:.2f} x plain"
            )
    print(f"peak resident {peak_megabytes():.0f} MB")
    if arguments.steps:
        varied = MoleculeGraphs.from_arrays(**molecules(np.random.default_rng(0).integers(5, 60, 1024)))
        early, late = memory_growth(build(), varied, arguments.steps)
        print(
            f"resident after {arguments.steps // 4} / {arguments.steps} steps of varying size: "
            f"{early:.0f} / {late:.0f} MB"
        )


if __name__ == "__main__":
    main()
