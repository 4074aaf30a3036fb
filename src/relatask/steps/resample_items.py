"""Draw molecules and tasks anew, and write how differences of methods vary: a bootstrap of both at once.

Of metrics that are means over molecules or pairs of them (ROC-AUC, Brier score, mean absolute error, accuracy),
for each method against the baseline and the further pairs of the study.

Example:
  relatask resample_items --study results/demo --out results/demo/item_intervals.parquet
"""

import argparse
import logging
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from relatask.config import StudyConfig, read_study
from relatask.core.kinds import METRICS_OF
from relatask.core.layout import dataset_file, in_study
from relatask.core.tables import columns_of, read_batches, read_table, write_table
from relatask.evaluation.aggregate import runs_of
from relatask.evaluation.two_way import SHARES, Contributions, averaged, contributions, intervals

ROWS = 4_000_000  # of predictions at a time


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", required=True, type=Path, metavar="FOLDER", help="its folder of results")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE")


def run(arguments: argparse.Namespace) -> None:
    """Write the intervals of each data set, split and metric."""
    folder = arguments.study
    study = read_study(folder / in_study("study")).study
    plan = runs_of(read_table("plan", folder / in_study("plan")), None)
    rows = [
        row
        for dataset in study.datasets
        for metric in study.metrics
        if metric in SHARES
        for row in _of_dataset(folder, study, plan[plan["dataset"] == dataset], dataset, metric)
    ]
    table = pd.DataFrame(rows, columns=list(columns_of("item_intervals")))
    write_table("item_intervals", table, arguments.out)
    logging.info("%s: %d intervals over drawn molecules and tasks", arguments.out, len(table))


def _of_dataset(
    folder: Path, study: StudyConfig, plan: pd.DataFrame, dataset: str, metric: str
) -> Iterator[dict[str, object]]:
    """Yield the rows of a data set and a metric."""
    tasks = read_table(
        "tasks", folder.parent / dataset_file("tasks", folder.name, dataset), ["task_id", "kind"]
    )
    kind = next(kind for kind, names in METRICS_OF.items() if metric in names)
    names = tasks.loc[tasks["kind"] == kind, "task_id"]
    place = pd.Series(np.arange(len(names)), index=pd.Index(names))
    parts: dict[tuple[str, str, int, int], list[pd.DataFrame]] = defaultdict(list)
    of_run = plan.set_index("run_id")[["split", "label", "seed", "restart"]]
    items: set[int] = set()
    for batch in read_batches("predictions", folder / in_study("predictions"), by="run_id", rows=ROWS):
        own = batch[(batch["fold"].astype(str) == "test") & batch["run_id"].isin(of_run.index)]
        own = own[own["task_id"].isin(place.index)]
        items.update(own["item_id"].unique().tolist())
        for run_id, cells in own.groupby("run_id", observed=True):
            split, label, seed, restart = of_run.loc[str(run_id)]
            parts[split, label, seed, restart].append(cells[["item_id", "task_id", "label", "score"]])
    positions = pd.Index(sorted(items))
    for split in study.splits.schemes:
        found: dict[str, dict[int, list[Contributions]]] = defaultdict(lambda: defaultdict(list))
        for (own_split, label, seed, _), frames in parts.items():
            if own_split == split:
                found[label][seed].append(_contributions(pd.concat(frames), positions, place, metric))
        seeds = sorted({seed for own in found.values() for seed in own})
        methods = {
            label: [averaged(own[seed]) if seed in own else None for seed in seeds]
            for label, own in found.items()
        }
        baseline = str(study.baseline)
        pairs = [(label, baseline) for label in sorted(methods) if label != baseline]
        pairs = [pair for pair in [*pairs, *study.pairs] if set(pair) <= set(methods)]
        for (method, other), (low, high) in intervals(methods, pairs, len(positions)).items():
            named = {
                "dataset": dataset,
                "split": split,
                "metric": metric,
                "method": method,
                "baseline": other,
            }
            yield {**named, "low": low, "high": high}


def _contributions(cells: pd.DataFrame, positions: pd.Index, place: pd.Series, metric: str) -> Contributions:
    """Return the contributions of one training's test fold."""
    return contributions(
        positions.get_indexer(cells["item_id"]),
        place.reindex(cells["task_id"].astype(object)).to_numpy(np.int64),
        cells["label"].to_numpy(np.float64),
        cells["score"].to_numpy(np.float64),
        metric,
        len(place),
    )
