"""Task sets a minute: in a shard, which trains those with the same molecules side by side, and one a process;
and what a pass of several runs gains with each encoder, which decides where runs are trained so.

Shapes are those of SIDER-27 (1,267 molecules without missing labels, 760 of them in training, 7 steps an
epoch), random labels, and the settings of `mtg_molecules` at scale
quick. Patience is off: every set trains 30 epochs in both. Wall time of one thread.

  python -m benchmarks.bench_task_sets [--sets 64] [--alone 4] [--device cpu]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from relatask.core.files import write_text
from relatask.core.registry import capabilities
from relatask.engine.loops import supervised
from relatask.engine.problem import problems_of
from relatask.plan.manifest import shard_manifest
from relatask.plan.spec import Component, RunSpec
from relatask.plan.task_sets import sample_task_sets
from relatask.shards.shard import ShardData
from tests.helpers.prepared_dataset import write_dataset

N_MOLECULES, N_TASKS = 1267, 27
GIN = {"width": 64, "layers": 3, "dropout": 0.2}
TRAINING = {
    **{"epochs": 30, "batch_size": 128, "learning_rate": 0.002, "weight_decay": 0.0},
    **{"evaluate_every": 2, "patience": None, "precision": "fp32"},
    **{"schedule": "constant", "augmentation": "none"},
}


def specs(n_sets: int) -> list[RunSpec]:
    """Runs of the last `n_sets` of 400 sets of 27 tasks: sizes from 3 to 26."""
    tasks = [f"task{number}" for number in range(N_TASKS)]
    first = RunSpec(
        dataset="sider_like",
        split="scaffold",
        seed=0,
        label="sets",
        training=TRAINING,
        method=Component("shared_bottom"),
        encoder=Component("fingerprint_mlp", {"width": 128, "layers": 1, "dropout": 0.5}),
    )
    chosen = sample_task_sets(tasks, 400, 0)[400 - n_sets :]
    return [replace(first, tasks=task_set) for task_set in chosen]


def train(folder: Path, study: str, runs: list[RunSpec]) -> float:
    """Seconds of a process that trains `runs`."""
    manifest = folder / study / "shards" / f"{runs[0].run_id}.json"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    write_text(manifest, shard_manifest(runs, study))
    command = [sys.executable, "-m", "relatask", "train_shard", "--manifest", manifest, "--device", "cpu"]
    started = time.perf_counter()
    subprocess.run(
        [*map(str, command), "--out", str(manifest.with_suffix(".done.json"))],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - started


def seconds_of_an_epoch(folder: Path, encoder: str, runs: int, device: torch.device) -> tuple[float, float]:
    """Seconds a run of an epoch of `runs` runs, one after the other and side by side."""
    options = {"width": 128, "layers": 1, "dropout": 0.5} if encoder == "fingerprint_mlp" else GIN
    chosen = [replace(spec, encoder=Component(encoder, options)) for spec in specs(runs)]
    inputs = capabilities("encoders", encoder).inputs[0]
    data = ShardData(folder / "sider_like", device).get("scaffold-0", inputs)
    problems = [problems_of(spec, data, per_task=False)[0] for spec in chosen]
    loop = [supervised.Training(problem) for problem in problems]
    together = [supervised.Training(*problems)]
    seconds = []
    for trainings in (loop, together):
        for training in trainings:  # the first epoch warms up
            training.run_epoch(lambda: None)
        started = time.perf_counter()
        for training in trainings:
            training.run_epoch(lambda: None)
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append((time.perf_counter() - started) / runs)
    return seconds[0], seconds[1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", type=int, default=64, help="trained in one shard, at most 300")
    parser.add_argument("--alone", type=int, default=4, help="trained in a process each")
    parser.add_argument("--device", default="cpu", help="of the passes")
    arguments = parser.parse_args()
    runs = specs(arguments.sets)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        labels = (np.random.default_rng(0).random((N_MOLECULES, N_TASKS)) < 0.4).astype(np.float32)
        write_dataset(folder / "sider_like", labels)
        alone = sum(train(folder, "alone", [run]) for run in runs[: arguments.alone]) / arguments.alone
        together = train(folder, "together", runs) / len(runs)
        torch.set_num_threads(1)
        device = torch.device(arguments.device)
        passes = {name: seconds_of_an_epoch(folder, name, 16, device) for name in ("fingerprint_mlp", "gin")}
    print("| task sets of SIDER-27 | seconds a set | sets a minute |\n|---|--:|--:|")
    for what, seconds in (("one process each", alone), (f"{len(runs)} in a shard", together)):
        print(f"| {what} | {seconds:.2f} | {60 / seconds:.0f} |")
    minutes = 3000 * together / 120
    print(f"\n{alone / together:.1f} times as many; 3,000 sets take {minutes:.0f} minutes on two cores")
    print(f"\n| 16 runs, an epoch, {device} | ms a run in a loop | side by side |\n|---|--:|--:|")
    for name, (loop, batched) in passes.items():
        print(f"| {name} | {1000 * loop:.0f} | {1000 * batched:.0f} |")


if __name__ == "__main__":
    main()
