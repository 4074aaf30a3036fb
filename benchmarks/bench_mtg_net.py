"""MTG-Net's active loop: seconds and memory to choose task sets and to estimate the gains of all.

Shapes are those of the authors' tables: 127 sets of 7 tasks (ETTm1) and 3,185 sets of 27 (MIMIC-III), with
gains drawn at random unless --data names the folder with their files; then errors of estimates are told too.

  python -m benchmarks.bench_mtg_net --data FOLDER
"""

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import torch

from relatask.grouping.active import select_sets
from relatask.grouping.gains import GainTable
from relatask.grouping.published_gains import read_published
from relatask.plan.task_sets import all_task_sets, sample_task_sets

# name -> (tasks, sets, rounds, seconds and GB of the authors' code for about as many chosen sets)
CASES = {"ettm1": (7, 127, 3, "19 s"), "mimic": (27, 3185, 6, "1,571 s, 9.5 GB")}


def synthetic(n_tasks: int, n_sets: int) -> GainTable:
    """Gains drawn at random, in sets as the authors have them."""
    tasks = [str(number) for number in range(n_tasks)]
    chosen = all_task_sets(tasks) if n_sets == 2**n_tasks - 1 else sample_task_sets(tasks, n_sets, 0)
    sets = np.array([[task in members for task in tasks] for members in map(set, chosen)])
    gains = np.random.default_rng(0).normal(0, 0.1, sets.shape)
    gains[sets.sum(1) == 1] = 0.0
    gains = np.where(sets, gains, np.nan)
    return GainTable(tasks, sets, gains, gains)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, help="folder with the authors' files")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for name, (n_tasks, n_sets, rounds, theirs) in CASES.items():
        gains = read_published(arguments.data, name)[0] if arguments.data else synthetic(n_tasks, n_sets)
        started = time.process_time()
        (snapshot,) = select_sets(gains.sets, gains.valid.__getitem__, [rounds], 0)
        seconds = time.process_time() - started
        judged = gains.sets & (gains.sizes > 1)[:, None]
        judged[snapshot.chosen] = False
        error = np.abs(snapshot.estimate - gains.valid)[judged].mean()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        told = f", mean absolute error {error:.4f}" if arguments.data else ""
        print(
            f"{name}: {len(snapshot.chosen)} of {len(gains.sets)} sets chosen in {seconds:.1f} CPU-s, "
            f"peak {peak:.0f} MB (authors' code: {theirs}){told}"
        )


if __name__ == "__main__":
    main()
