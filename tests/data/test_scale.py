"""What grows with the data grows in proportion: four times the molecules, four times the time and memory.

Counted in CPU time, the least of some tries, and in traced memory, so that a busy machine changes little.
`python -m benchmarks.bench_scale --full` measures the same up to the size of LSC.
"""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relatask.config import DensifyConfig, RelationsConfig
from relatask.data.densify import densify
from relatask.data.interactions import Interactions
from relatask.data.relations import relate_tasks
from relatask.data.replicates import merge_labels
from relatask.data.splits import describe_split, split_items
from relatask.inputs.arrays import CHUNK, write_features
from tests.helpers.data_tables import items_table

TASKS, LABELS_PER_MOLECULE = 200, 10
SMALL, FACTOR = 20_000, 4
SCHEMES = ("random", "scaffold", "stratified", "cells", "masked")


def cells(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Molecule, task and label of about ten labels a molecule, unequal over tasks."""
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, TASKS + 1)
    task = rng.choice(TASKS, n * LABELS_PER_MOLECULE, p=share / share.sum())
    cell = np.unique(rng.integers(0, n, n * LABELS_PER_MOLECULE) * TASKS + task)
    return cell // TASKS, cell % TASKS, rng.random(len(cell)) < 0.3


def merging(n: int) -> Callable[[], object]:
    molecule, task, active = cells(n)
    labels = pd.DataFrame(
        {"row_position": molecule, "task": task.astype(np.int32), "value": active.astype(float)}
    )
    tasks = pd.DataFrame(index=range(TASKS))
    return lambda: merge_labels(labels, np.arange(n), tasks)


def densifying(n: int) -> Callable[[], object]:
    molecule, task, active = cells(n)
    bounds = DensifyConfig(tau=5, min_positives=1, min_negatives=1, drop_isolated=False)
    return lambda: densify(molecule, task, active, (n, TASKS), bounds)


def splitting(scheme: str) -> Callable[[int], Callable[[], object]]:
    def make(n: int) -> Callable[[], object]:
        molecule, task, active = cells(n)
        names = pd.Categorical.from_codes(task, categories=[f"t{k}" for k in range(TASKS)])
        labels = pd.DataFrame({"item_id": molecule, "task_id": names, "value": active.astype(np.float32)})
        scaffold = np.random.default_rng(1).integers(0, n // 3, n).astype(str)
        molecules = pd.DataFrame({"item_id": np.arange(n), "scaffold": scaffold.astype(object)})
        parts = (0.8, 0.1, 0.1)
        return lambda: describe_split(split_items(molecules, labels, scheme, 0, parts), labels)

    return make


def relating(n: int) -> Callable[[], object]:
    """Interactions grow with `n`, tasks do not."""
    rng = np.random.default_rng(2)
    proteins = [f"p{k:06d}" for k in range(2000)]
    first, second = rng.integers(0, 2000, (2, 10 * n))
    interactions = Interactions(proteins, first, second, rng.random(10 * n), "here")
    tasks = pd.DataFrame({"task_id": [f"t{k}" for k in range(TASKS)]})
    tasks["string_ids"] = [[proteins[k]] for k in rng.integers(0, 2000, TASKS)]
    tasks["uniprots"] = [[] for _ in range(TASKS)]
    return lambda: relate_tasks(tasks, interactions, RelationsConfig(source="s"))


def cpu_seconds(action: Callable[[], object]) -> float:
    taken = []
    for _ in range(4):
        start = time.process_time()
        action()
        taken.append(time.process_time() - start)
    return min(taken)


def peak_bytes(action: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "make",
    [merging, densifying, *(splitting(scheme) for scheme in SCHEMES), relating],
    ids=["merge labels", "densify", *(f"{scheme} split" for scheme in SCHEMES), "relate"],
)
def test_time_and_memory_grow_in_proportion(make: Callable[[int], Callable[[], object]]) -> None:
    small, large = make(SMALL), make(FACTOR * SMALL)
    time_ratio = cpu_seconds(large) / cpu_seconds(small)
    memory_ratio = peak_bytes(large) / peak_bytes(small)
    assert time_ratio < 2 * FACTOR, f"{time_ratio:.1f} times the CPU time"  # a square would be 16
    assert memory_ratio < 1.3 * FACTOR, f"{memory_ratio:.1f} times the memory"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_split_takes_at_most_90_bytes_a_label(scheme: str) -> None:
    """Ten million labels then take 900 MB at most; names of tasks as texts would take twice as much."""
    assert peak_bytes(splitting(scheme)(SMALL)) < 90 * len(cells(SMALL)[0])


def test_features_are_written_in_memory_that_does_not_grow(tmp_path: Path) -> None:
    def chunks(n: int) -> Iterator[pd.DataFrame]:
        return (items_table(range(row, row + CHUNK), smiles="CCO") for row in range(0, n, CHUNK))

    def peak(n: int) -> int:
        return peak_bytes(lambda: write_features(chunks(n), ("graph", "ecfp"), tmp_path / str(n)))

    peak(100)  # what is made once
    small, large = peak(4096), peak(3 * 4096)
    assert large < 1.05 * small
