"""An epoch of SIDER's training part with the GIN, 300 wide, 5 layers, batch 128, 27 tasks.

Real molecules where ../shared/data has them, else random graphs of SIDER's mean size. Run:
`python -m benchmarks.bench_epoch [--threads 2] [--rounds 5]`.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from benchmarks.common import (
    CLOCK,
    SIDER,
    interleaved,
    masked_loss,
    molecules,
    peak_megabytes,
    random_labels,
)
from relatask.encoders.gin import build
from relatask.inputs.graph_batch import MoleculeGraphs

WIDTH, LAYERS, TASKS, BATCH, TRAIN_SHARE = 300, 5, 27, 128, 0.8


def sider() -> MoleculeGraphs:
    """The training share of SIDER's molecules that RDKit can read, in an order drawn once."""
    if not SIDER.is_file():
        sizes = np.random.default_rng(0).gamma(2.0, 16.8, round(TRAIN_SHARE * 1427)).astype(int) + 3
        return MoleculeGraphs.from_arrays(**molecules(sizes))
    from rdkit import Chem, RDLogger

    from relatask.inputs.arrays import CHUNK, write_features

    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    smiles = pd.read_csv(SIDER)["smiles"]
    readable = [text for text in smiles if (mol := Chem.MolFromSmiles(text)) and mol.GetNumAtoms()]
    train = np.random.default_rng(0).permutation(len(readable))[: round(TRAIN_SHARE * len(readable))]
    with tempfile.TemporaryDirectory() as folder:
        items = pd.DataFrame({"item_id": train, "smiles": [readable[row] for row in train]})
        chunks = (items.iloc[start : start + CHUNK] for start in range(0, len(items), CHUNK))
        write_features(chunks, ["graph"], Path(folder))
        return MoleculeGraphs.load(Path(folder))


def epoch(graphs: MoleculeGraphs, bf16: bool) -> Callable[[], object]:
    """Return one pass over all molecules, with the loss of every step added up as a training loop does."""
    encoder, head = build(WIDTH, LAYERS), nn.Linear(WIDTH, TASKS)
    adam = torch.optim.Adam([*encoder.parameters(), *head.parameters()], 1e-3, fused=True)
    labels = random_labels(len(graphs), TASKS)

    def run() -> float:
        total = torch.zeros(())
        for rows in torch.randperm(len(graphs)).split(BATCH):
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                logits = head(encoder(graphs.batch(rows)))
            loss = masked_loss(logits, labels[rows])
            adam.zero_grad()
            loss.backward()
            adam.step()
            total += loss.detach()
        return total.item()

    return run


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    arguments, _ = parser.parse_known_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    graphs = sider()
    gflop = 3 * 2 * LAYERS * len(graphs.atoms) * 2 * WIDTH * 2 * WIDTH / 1e9
    runs = {"fp32": epoch(graphs, False), "bf16": epoch(graphs, True)}
    measured = interleaved(runs, arguments.rounds)
    clock = CLOCK[arguments.threads == 1]
    print(
        f"SIDER epoch, {arguments.threads} threads ({clock} time), {len(graphs)} molecules, {gflop:.0f} GFLOP"
    )
    print(
        f"{measured.quiet} of {measured.rounds} rounds were quiet; square fp32 {measured.gauge:.0f} GFLOP/s"
    )
    for name, taken in measured.seconds.items():
        rate = gflop / taken
        print(
            f"  {name} {taken:5.2f} s (best {measured.best[name]:.2f} s) {rate:5.0f} GFLOP/s, "
            f"{rate / measured.gauge:.2f} of square fp32"
        )
    print(f"peak resident {peak_megabytes():.0f} MB")


if __name__ == "__main__":
    main()
