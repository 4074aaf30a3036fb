"""Draw molecules and tasks anew, and write how differences of methods vary: a bootstrap of both at once.

Of metrics that are means over molecules or pairs of them (ROC-AUC, Brier score, mean absolute error,
accuracy), for each method against the baseline and the further pairs of the study.

Example:
  relatask resample_items --study results/demo --out results/demo/item_intervals.parquet
"""

import argparse
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
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
    rows: list[dict[str, object]] = []
    for dataset in study.datasets:
        own = plan[plan["dataset"] == dataset].set_index("run_id")
        tasks = folder.parent / dataset_file("tasks", folder.name, dataset)
        kinds = read_table("tasks", tasks, ["task_id", "kind"]).set_index("task_id")["kind"]
        cells = _test_cells(folder, own)
        for metric in study.metrics:
            if metric in SHARES:
                named = {"dataset": dataset, "metric": metric}
                rows += [named | row for row in _rows_of(study, own, cells, kinds, metric)]
    table = pd.DataFrame(rows, columns=list(columns_of("item_intervals")))
    write_table("item_intervals", table, arguments.out)
    logging.info("%s: %d intervals over drawn molecules and tasks", arguments.out, len(table))


def _test_cells(folder: Path, plan: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return run_id -> item, task, label and score of its test fold, of the runs of a data set."""
    found = {}
    for batch in read_batches("predictions", folder / in_study("predictions"), by="run_id", rows=ROWS):
        own = batch[(batch["fold"].astype(str) == "test") & batch["run_id"].isin(plan.index)]
        for run_id, cells in own.groupby("run_id", observed=True):
            found[str(run_id)] = cells[["item_id", "task_id", "label", "score"]]
    return found


def _rows_of(
    study: StudyConfig, plan: pd.DataFrame, cells: Mapping[str, pd.DataFrame], kinds: pd.Series, metric: str
) -> Iterator[dict[str, object]]:
    """Yield the intervals of a metric on each split of a data set."""
    kind = next(kind for kind, names in METRICS_OF.items() if metric in names)
    names = pd.Index(kinds.index[kinds == kind])
    items = pd.Index(sorted({item for own in cells.values() for item in own["item_id"].unique()}))
    for split, of_split in plan.groupby("split", sort=False):
        found: dict[str, dict[int, list[Contributions]]] = defaultdict(lambda: defaultdict(list))
        for key, runs in of_split.groupby(["label", "seed", "restart"], sort=False):
            label, seed = str(key[0]), int(str(key[1]))
            parts = [cells[run] for run in runs.index if run in cells]  # of independent tasks
            own = pd.concat(parts) if parts else None
            own = None if own is None else own[own["task_id"].isin(names)]
            if own is not None and len(own):
                found[label][seed].append(_contributions(own, items, names, metric))
        seeds = sorted({seed for own in found.values() for seed in own})
        methods = {
            label: [averaged(own[seed]) if seed in own else None for seed in seeds]
            for label, own in found.items()
        }
        against = [(label, str(study.baseline)) for label in sorted(methods) if label != study.baseline]
        pairs = [pair for pair in [*against, *study.pairs] if set(pair) <= set(methods)]
        for (method, other), (low, high) in intervals(methods, pairs, len(items)).items():
            yield {"split": split, "method": method, "baseline": other, "low": low, "high": high}


def _contributions(cells: pd.DataFrame, items: pd.Index, tasks: pd.Index, metric: str) -> Contributions:
    """Return the contributions of one training's test fold."""
    return contributions(
        items.get_indexer(pd.Index(cells["item_id"])),
        tasks.get_indexer(pd.Index(cells["task_id"].astype(object))),
        cells["label"].to_numpy(np.float64),
        cells["score"].to_numpy(np.float64),
        metric,
        len(tasks),
    )
