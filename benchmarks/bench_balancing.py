"""A training step under each balancing, relative to equal weights: 382 tasks, batch 128, GIN 300 wide.

The strategies that weigh losses are timed in turn, round by round. Aggregators of gradients are timed once
or a few times: on the gradients by the encoder's output at 382 tasks, and on those by its parameters at 20,
as at 382 they would need as many backward passes. Run:
`python -m benchmarks.bench_balancing [--threads 1] [--rounds 15]`.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.common import CLOCK, interleaved, molecules, random_labels, seconds
from relatask.balancing._balancing import Setting, Step
from relatask.core.registry import complete_options, load
from relatask.encoders.gin import build as build_encoder
from relatask.engine.adam import Adam
from relatask.inputs.graph_batch import MoleculeGraphs
from relatask.methods.shared_bottom import build
from relatask.nn.contract import TaskContext

BATCH, ATOMS, TASKS = 128, 25, 382
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "equal": ("equal", {}),
    "uncertainty": ("uncertainty", {}),
    "gradnorm": ("gradnorm", {}),
    "gradnorm released": ("gradnorm", {"form": "released"}),
    "dwa": ("dwa", {}),
    "lbtw": ("lbtw", {}),
}
AGGREGATORS = ("mean", "mgda", "imtl_g", "aligned_mtl", "pcgrad", "graddrop", "upgrad", "cagrad")


def step(name: str, n_tasks: int, options: dict[str, Any]) -> Callable[[], None]:
    """Return one training step: batch, forward, losses, balancing with its backward, Adam."""
    torch.manual_seed(0)
    names = [f"task{number}" for number in range(n_tasks)]
    edges = torch.zeros(2, 0, dtype=torch.int64), torch.zeros(0)
    context = TaskContext(names, *edges, lambda task: int(task[4:]), lambda name="": build_encoder())
    model = build(context)
    setting = Setting(model, n_tasks, BATCH, 1e-3)
    strategy = load("balancing", name).build(setting, **complete_options("balancing", name, options))
    graphs = MoleculeGraphs.from_arrays(**molecules(np.full(1024, ATOMS)))
    labels, adam = random_labels(1024, n_tasks), Adam(model.parameters(), 1e-3, 0.0)
    kept: list[Tensor] = []
    if strategy.uses_representation:
        model.encoder.register_forward_hook(lambda module, inputs, z: kept.append(z))

    def run() -> None:
        kept.clear()
        rows = torch.randperm(len(graphs))[:BATCH]
        logits, mine = model(graphs.batch(rows)), labels[rows]
        losses, present = model.losses(logits, mine), (~mine.isnan()).any(0)
        adam.clear()
        mean = losses.sum() / present.sum()
        strategy.backward(Step(losses, present, logits, mean, kept[0] if kept else None, model))
        adam.step()

    return run


def time_aggregators(of: str, n_tasks: int, budget: float) -> None:
    """Print the best time of a step of each aggregator, repeated while `budget` seconds last."""
    plain = step("equal", n_tasks, {})
    plain()
    reference = min(seconds(plain) for _ in range(5))
    print(f"jacobian, of: {of}, {n_tasks} tasks; equal weights {1e3 * reference:.0f} ms")
    for name in AGGREGATORS:
        run = step("jacobian", n_tasks, {"aggregator": name, "of": of})
        taken: list[float] = []
        start = time.perf_counter()
        while not taken or (time.perf_counter() - start < budget and len(taken) < 5):
            taken.append(seconds(run))
        print(f"  {name:12s} {min(taken):7.2f} s, {min(taken) / reference:6.1f} x equal")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--budget", type=float, default=5.0, help="seconds for each aggregator")
    arguments, _ = parser.parse_known_args()
    torch.set_num_threads(arguments.threads)
    actions = {label: step(name, TASKS, options) for label, (name, options) in FORMS.items()}
    measured = interleaved(actions, arguments.rounds)
    clock = CLOCK[arguments.threads == 1]
    print(f"step at {TASKS} tasks, {arguments.threads} threads ({clock} time), torch {torch.__version__}")
    print(f"{measured.quiet} of {measured.rounds} rounds were quiet")
    for kind, taken in (("median of quiet", measured.seconds), ("best", measured.best)):
        told = ", ".join(
            f"{label} {1e3 * value:.1f} ms ({value / taken['equal']:.3f} x)" for label, value in taken.items()
        )
        print(f"  {kind:15s} {told}")
    time_aggregators("representation", TASKS, arguments.budget)
    time_aggregators("parameters", 20, arguments.budget)


if __name__ == "__main__":
    main()
