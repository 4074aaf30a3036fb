"""A training step of MetaLink beside the plain multi-task step over the same molecules.

Shapes of Tox21 (12 tasks) and ToxCast (617): a batch of 128 and a support of 128, 18 heavy atoms a molecule,
GraphSAGE of 3 layers, 256 wide, 2 layers over the graph of molecules and tasks, a fifth of labels known.
Run: `python -m benchmarks.bench_metalink [--threads 1] [--rounds 15]`.
"""

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from benchmarks.common import CLOCK, interleaved, molecules, peak_megabytes, random_labels
from relatask.core.registry import capabilities
from relatask.data.prepared import PreparedDataset
from relatask.data.tasks import plain_tasks
from relatask.engine.loops import supervised
from relatask.engine.problem import problems_of
from relatask.inputs.graph_batch import MoleculeGraphs
from relatask.methods.metalink import episodic
from relatask.plan.spec import Component, RunSpec

BATCH, WIDTH, LAYERS, ATOMS, MOLECULES = 128, 256, 3, 18, 1024
TASKS = {"Tox21": 12, "ToxCast": 617}
TRAINING = {
    **{"epochs": 1, "learning_rate": 0.001, "weight_decay": 0.0, "evaluate_every": 1},
    **{"patience": None, "precision": "fp32", "schedule": "constant", "augmentation": "none"},
}


def spec(method: str, batch_size: int, **options: Any) -> RunSpec:
    """A run of `method` on the molecules of `data`."""
    chosen = {**capabilities("methods", method).options, **options}
    encoder = {**capabilities("encoders", "graphsage").options, "width": WIDTH, "layers": LAYERS}
    training = {**TRAINING, "batch_size": batch_size}
    return RunSpec(
        method=Component(method, chosen),
        encoder=Component("graphsage", encoder),
        seed=0,
        training=training,
        dataset="bench",
        split="none",
        label=method,
    )


def data(n_tasks: int) -> PreparedDataset:
    """Random molecules, labels and one fold."""
    rows = torch.arange(MOLECULES)
    return PreparedDataset(
        tasks=plain_tasks([f"task{number}" for number in range(n_tasks)]),
        labels=random_labels(MOLECULES, n_tasks),
        item_ids=rows,
        folds={"train": rows, "valid": rows[:0], "test": rows[:0]},
        inputs=MoleculeGraphs.from_arrays(**molecules([ATOMS] * MOLECULES)),
        edge_index=torch.zeros(2, 0, dtype=torch.int64),
        edge_score=torch.zeros(0),
    )


def steps(n_tasks: int) -> dict[str, Callable[[], object]]:
    """Training steps over 256 molecules: the plain network's, and MetaLink's with either predictor."""
    prepared, rows = data(n_tasks), torch.arange(MOLECULES)
    plain = supervised.Training(problems_of(spec("shared_bottom", 2 * BATCH), prepared, False)[0])
    found: dict[str, Callable[[], object]] = {"plain": lambda: plain.take_step(rows[: 2 * BATCH])}
    for predictor in ("dot", "mlp"):
        options = {"layers": 2, "support": BATCH, "predictor": predictor}
        linked = episodic.Training(problems_of(spec("metalink", BATCH, **options), prepared, False)[0])
        found[f"MetaLink, {predictor}"] = partial(linked.take_step, rows[:BATCH])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    clock = CLOCK[arguments.threads == 1]
    print(f"| step over 2 x 128 molecules, {clock} time | ms | of the plain step |\n|---|--:|--:|")
    for name, n_tasks in TASKS.items():
        measured = interleaved(steps(n_tasks), arguments.rounds)
        plain = measured.seconds["plain"]
        for step, taken in measured.seconds.items():
            print(f"| {name}, {step} | {1000 * taken:.0f} | {taken / plain:.2f} |")
    print(f"\npeak memory {peak_megabytes():.0f} MB")


if __name__ == "__main__":
    main()
