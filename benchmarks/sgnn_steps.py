"""Training steps of one network at the shapes of ChEMBL-STRING, in a process of its own.

`python -m benchmarks.sgnn_steps CASE OUT [--precision bf16] ...` writes seconds as JSON for `bench_sgnn`.
Data are random: molecules of 25 atoms, labels as dense as the paper's, related pairs drawn at random.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.common import molecules
from benchmarks.plain_sgnn import PlainSGNN
from relatask.core.registry import capabilities, complete_options
from relatask.data.prepared import PreparedDataset
from relatask.data.tasks import plain_tasks
from relatask.engine.epochs import EpochTraining
from relatask.engine.loops import supervised
from relatask.engine.problem import Problem, problems_of
from relatask.inputs.graph_batch import MoleculeGraphs
from relatask.methods.sgnn import contrastive, sgnn
from relatask.plan.spec import Component, RunSpec

ATOMS, LOOPS = 25, {"supervised": supervised, "contrastive": contrastive}
WIDE = {"node_width": 512, "edge_width": 512, "state_width": 100}  # with batch norm, as the authors' code
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "wide_t10": ("sgnn", {**WIDE, "layers": 2, "task_width": 100, "readout_width": 200}),
    "wide_t100": ("sgnn", {**WIDE, "layers": 4, "task_width": 50, "readout_width": 400}),
    "narrow": ("sgnn", {}),
    "ebm": ("sgnn_ebm", {}),
    "mtl": ("shared_bottom", {}),
    "single_task": ("single_task", {}),
}


def dataset(n: int, n_tasks: int, n_pairs: int, labelled: float, seed: int = 0) -> PreparedDataset:
    """Random molecules, labels and relations."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, n_tasks)) < 0.3).astype(np.float32)
    labels[rng.random(labels.shape) > labelled] = np.nan
    labels[np.isnan(labels).all(1), 0] = 1
    chosen = np.sort(rng.choice(n_tasks * (n_tasks - 1) // 2, n_pairs, replace=False))
    pairs = np.stack(np.triu_indices(n_tasks, 1))[:, chosen]
    rows, few = torch.arange(n), torch.arange(n // 5)
    return PreparedDataset(
        plain_tasks([f"task{i}" for i in range(n_tasks)]),
        torch.from_numpy(labels),
        rows,
        {"train": rows, "valid": few, "test": few},
        MoleculeGraphs.from_arrays(**molecules(np.full(n, ATOMS), seed)),
        torch.from_numpy(pairs),
        torch.ones(n_pairs),
    )


def problems_in(arguments: argparse.Namespace, data: PreparedDataset) -> list[Problem]:
    """The run of a case on the data: GIN of 5 layers, 300 wide."""
    method, options = CASES[arguments.case]
    training = {"epochs": 1000, "batch_size": arguments.batch, "learning_rate": 1e-3, "weight_decay": 0.0}
    training |= {"evaluate_every": 1000, "patience": None, "precision": arguments.precision}
    training |= {"schedule": "constant", "augmentation": "none"}
    spec = RunSpec(
        dataset="random",
        method=Component(method, complete_options("methods", method, options)),
        encoder=Component("gin", complete_options("encoders", "gin", {})),
        split="none",
        seed=0,
        training=training,
    )
    return problems_of(spec, data, capabilities("methods", method).per_task)


def training_of(arguments: argparse.Namespace, data: PreparedDataset) -> EpochTraining:
    """The training that takes steps, with the network written out where that is asked for."""
    if arguments.plain:
        sgnn.StateNetwork = PlainSGNN  # type: ignore[misc, assignment]
    problem = problems_in(arguments, data)[0]
    training: EpochTraining = LOOPS[capabilities("methods", problem.spec.method.name).loop].Training(problem)
    return training


def steps(arguments: argparse.Namespace) -> dict[str, float]:
    """Wall and CPU seconds of each step, the least of them; the first one warms up."""
    data = dataset(2 * arguments.batch, arguments.tasks, arguments.pairs, arguments.labelled)
    training = training_of(arguments, data)
    training.model.train()
    wall, cpu = [], []
    for number in range(arguments.steps + 1):
        rows = torch.randperm(len(data.labels), generator=torch.Generator().manual_seed(number))
        start = time.perf_counter(), time.process_time()
        training.take_step(rows[: arguments.batch])
        wall.append(time.perf_counter() - start[0])
        cpu.append(time.process_time() - start[1])
    few = slice(1, None) if arguments.steps else slice(None)
    return {"wall": min(wall[few]), "cpu": min(cpu[few])}


def single_tasks(arguments: argparse.Namespace) -> dict[str, float]:
    """Seconds of an epoch of all tasks, from `steps` of them."""
    data = dataset(arguments.molecules, arguments.tasks, arguments.pairs, arguments.labelled)
    problems = problems_in(arguments, data)
    wall = cpu = 0.0
    for problem in problems[1 : 1 + arguments.steps]:  # the first task labels what no other does
        training = supervised.Training(problem)
        start = time.perf_counter(), time.process_time()
        training.run_epoch(lambda: None)
        wall += time.perf_counter() - start[0]
        cpu += time.process_time() - start[1]
    share = len(problems) / arguments.steps
    return {"wall": wall * share, "cpu": cpu * share}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tasks", type=int, default=382)
    parser.add_argument("--pairs", type=int, default=3571)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--labelled", type=float, default=0.0576)
    parser.add_argument("--molecules", type=int, default=13004)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    measure = single_tasks if arguments.case == "single_task" else steps
    arguments.out.write_text(json.dumps(measure(arguments)), encoding="utf-8")


if __name__ == "__main__":
    main()
