"""What a training step costs where each task has an encoder: against torch-geometric, and against T.

    python -m benchmarks.bench_mitten [--threads 2] [--tasks 4 8 16 27 64]

One batch of 64 molecules of 33 atoms, fp32. First, forward and backward of 27 encoders in one pass beside a
loop over torch-geometric's GCNConv, LayerNorm and Set2Set. Then steps of whole methods for some numbers of
tasks, with the peak memory of a process that makes one step.
"""

import argparse
import multiprocessing
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.common import CLOCK, interleaved, molecules, random_labels, seconds
from relatask.core.registry import complete_options, load
from relatask.encoders import gcn
from relatask.engine.adam import Adam
from relatask.inputs.graph_batch import (
    N_ATOMIC_NUMBERS,
    N_BOND_KINDS,
    N_CHIRALITIES,
    GraphBatch,
    MoleculeGraphs,
)
from relatask.nn.contract import TaskContext, TaskEncoders

BATCH, ATOMS, TASKS = 64, 33, 27
OPTIONS: dict[str, Any] = {"width": 32, "layers": 3, "steps": 3, "dropout": 0.0}
METHODS = ("cross_stitch", "mitten")


def batch() -> GraphBatch:
    """Return a batch of molecules of one size."""
    return MoleculeGraphs.from_arrays(**molecules(np.full(BATCH, ATOMS))).batch(torch.arange(BATCH))


def encoders(names: Sequence[str]) -> TaskEncoders:
    """Return encoders of some tasks in one pass."""
    return gcn.together([gcn.build(**OPTIONS) for _ in names])


class Loop(nn.Module):
    """As many encoders of torch-geometric, one after the other."""

    def __init__(self, n_tasks: int):
        super().__init__()
        from torch_geometric.nn import GCNConv
        from torch_geometric.nn.aggr import Set2Set

        width, layers = int(OPTIONS["width"]), int(OPTIONS["layers"])
        each: list[nn.Module] = [
            nn.ModuleList(
                [
                    nn.Embedding(N_ATOMIC_NUMBERS, width),
                    nn.Embedding(N_CHIRALITIES, width),
                    nn.Linear(N_BOND_KINDS, width, bias=False),
                    *(GCNConv(width, width) for _ in range(layers)),
                    *(nn.LayerNorm(width) for _ in range(layers)),
                    Set2Set(width, int(OPTIONS["steps"])),
                ]
            )
            for _ in range(n_tasks)
        ]
        self.encoders = nn.ModuleList(each)

    def forward(self, x: GraphBatch, edges: torch.Tensor) -> list[torch.Tensor]:
        """Return the embeddings of each encoder."""
        found = []
        number = x.atoms // N_CHIRALITIES
        for own in self.encoders:
            assert isinstance(own, nn.ModuleList)
            layers = (len(own) - 4) // 2
            states = own[0](number) + own[1](x.atoms % N_CHIRALITIES) + own[2](x.bond_counts)
            for conv, norm in zip(own[3 : 3 + layers], own[3 + layers : -1], strict=True):
                states = norm(conv(states, edges)).relu()
            found.append(own[-1](states, x.molecules))
        return found


def beside_torch_geometric() -> dict[str, Callable[[], None]]:
    """Return forward and backward of the encoders, in one pass and in the loop."""
    x, together, loop = batch(), encoders([str(task) for task in range(TASKS)]), Loop(TASKS)
    receiver = torch.repeat_interleave(x.neighbour_offsets.diff())
    edges = torch.stack([x.neighbours.long(), receiver])
    edges = edges[:, edges[0] != edges[1]]

    def in_one_pass() -> None:
        together.zero_grad()
        together(x).sum().backward()

    def in_a_loop() -> None:
        loop.zero_grad()
        torch.stack(loop(x, edges)).sum().backward()

    return {"one pass": in_one_pass, "torch-geometric": in_a_loop}


def step(method: str, n_tasks: int) -> Callable[[], None]:
    """Return one training step of a method with an encoder per task."""
    torch.manual_seed(0)
    names = [f"task{number}" for number in range(n_tasks)]
    graph = torch.zeros(2, 0, dtype=torch.int64), torch.zeros(0)
    context = TaskContext(
        names, *graph, lambda task, purpose="head": int(task[4:]) + 1000 * len(purpose), encoders=encoders
    )
    model = load("methods", method).build(context, **complete_options("methods", method, {}))
    x, labels = batch(), random_labels(BATCH, n_tasks)
    adam = Adam(model.parameters(), 1e-3, 0.0)

    def run() -> None:
        adam.clear()
        model.losses(model(x), labels).mean().backward()
        adam.step()

    return run


def peak(method: str, n_tasks: int, threads: int, answer: Any) -> None:
    """Put the peak memory of this process, MB, once it has made a step."""
    torch.set_num_threads(threads)
    step(method, n_tasks)()
    status = Path("/proc/self/status").read_text()  # getrusage would count the process that started this one
    answer.put(int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024)


def memory(method: str, n_tasks: int, threads: int) -> float:
    """Return the peak memory of a fresh process that makes a step, MB."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=peak, args=(method, n_tasks, threads, answer))
    process.start()
    found: float = answer.get()
    process.join()
    return found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--tasks", type=int, nargs="+", default=[4, 8, 16, 27, 64])
    arguments, _ = parser.parse_known_args()
    torch.set_num_threads(arguments.threads)
    clock = CLOCK[arguments.threads == 1]
    measured = interleaved(beside_torch_geometric(), arguments.rounds)
    print(f"{TASKS} encoders, {arguments.threads} threads ({clock} time), torch {torch.__version__}")
    print(f"{measured.quiet} of {measured.rounds} rounds were quiet")
    for kind, taken in (("median of quiet", measured.seconds), ("best", measured.best)):
        ratio = taken["torch-geometric"] / taken["one pass"]
        told = ", ".join(f"{name} {1e3 * value:.0f} ms" for name, value in taken.items())
        print(f"  {kind:15s} {told}: {ratio:.1f} x as fast")
    print("tasks  " + "  ".join(f"{method:>26s}" for method in METHODS))
    for n_tasks in arguments.tasks:
        cells = []
        for method in METHODS:
            run = step(method, n_tasks)
            run()
            taken_ms = 1e3 * min(seconds(run) for _ in range(5))
            cells.append(f"{taken_ms:7.0f} ms {memory(method, n_tasks, arguments.threads):6.0f} MB")
        print(f"{n_tasks:5d}  " + "  ".join(f"{cell:>26s}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
