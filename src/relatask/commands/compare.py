"""Compare rows of two studies, or of their published copies: does a rerun agree, and which row is ahead?

Rows of one label are taken for reruns of each other, with the same splits: *same* where all numbers agree to
six digits, *agrees* where the difference is within what random numbers or another processor change (its 95 %
interval over splits holds 0, or it is within the margin), else *differs*; *other splits* where these do. With
--rows two rows are compared as in table `significance`: better, worse, equal or undecided.

Examples:
  relatask compare results/published/kiba_string/quick results/kiba_string
  relatask compare kiba_string kiba_string --rows SGNN MTL
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from tabulate import tabulate

from relatask.core.errors import RelataskError
from relatask.core.kinds import DEFAULT_METRICS
from relatask.core.layout import in_study
from relatask.core.records import suggest
from relatask.core.tables import read_table
from relatask.evaluation.fold_test import Family, interval, verdict_of
from relatask.evaluation.metrics import METRICS

SIX_DIGITS = 1e-6
COLUMN = ["dataset", "split"]
CELL = [*COLUMN, "task_id", "seed"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    for place, which in (("one", "a"), ("other", "another")):
        parser.add_argument(
            place, help=f"{which} study's name, its folder of results, or of a published copy"
        )
    parser.add_argument(
        "--rows",
        nargs=2,
        metavar=("ROW", "OTHER"),
        help="labels of a row of each; default: all that both have",
    )
    parser.add_argument("--metric", help="default: the first of roc_auc, r2, mae, accuracy that both have")


def run(arguments: argparse.Namespace) -> None:
    """Print a line for each data set, split and pair of rows."""
    folders = [_folder(name) for name in (arguments.one, arguments.other)]
    print("\n".join(describe(folders[0], folders[1], arguments.rows, arguments.metric)))


def describe(one: Path, other: Path, rows: list[str] | None, metric: str | None) -> list[str]:
    """Return the lines for people.

    Raises:
        RelataskError: a folder holds no cells, a row or a metric is unknown, or nothing is common.
    """
    tables = [read_table("cells", folder / in_study("cells")) for folder in (one, other)]
    metric = metric or _leading(tables)
    tables = [_of_metric(table, metric, folder) for table, folder in zip(tables, (one, other), strict=True)]
    labels = [sorted(set(table["method"])) for table in tables]
    for label, known, folder in zip(rows or [], labels, (one, other), strict=False):
        if label not in known:
            raise RelataskError(f"{folder} has no row {label!r}.{suggest(label, known)}")
    pairs = [(rows[0], rows[1])] if rows else [(label, label) for label in labels[0] if label in labels[1]]
    found = [line for pair in pairs for line in _lines(tables, pair, metric, (one, other), bool(rows))]
    if not found:
        raise RelataskError(f"{one} and {other} have no data set, split, seed and task in common.")
    header = [
        "data set",
        "split",
        "row",
        "other",
        "splits",
        "one",
        "other",
        "difference",
        "95 % interval",
        "",
    ]
    return [f"{METRICS[metric].label} on the test folds", "", tabulate(found, header, disable_numparse=True)]


def _lines(
    tables: list[pd.DataFrame], pair: tuple[str, str], metric: str, folders: tuple[Path, Path], rows: bool
) -> list[list[str]]:
    """Return a line for each data set and split that both rows have."""
    one, other = (
        table[table["method"] == label].groupby(CELL)["value"].mean()
        for table, label in zip(tables, pair, strict=True)
    )
    both = pd.concat([one, other], axis=1, keys=["one", "other"], join="inner").dropna()
    lines = []
    for (dataset, split), own in both.groupby(level=COLUMN):
        difference = (own["one"] - own["other"]).groupby(level="seed").mean().to_numpy(np.float64)
        of_each = [_splits(folder, str(dataset), str(split)) for folder in folders]
        ratio = float((of_each[0]["test"] / of_each[0]["train"]).mean()) if rows else 0.0
        low, high = interval(difference, Family(2, 0.0, 0), ratio)
        seeds = sorted(set(own.index.get_level_values("seed")))
        far = float((own["one"] - own["other"]).abs().max())
        if rows:
            said: str = verdict_of(low, high, METRICS[metric].margin, METRICS[metric].higher_is_better)
        elif not of_each[0].loc[seeds, "digest"].equals(of_each[1].loc[seeds, "digest"]):
            said = "other splits"
        else:
            said = _rerun(far, float(difference.mean()), low, high, metric)
        means = own.groupby(level="seed").mean().mean()
        numbers = [f"{means['one']:.4f}", f"{means['other']:.4f}", f"{difference.mean():+.4f}"]
        ends = "" if np.isnan(low) else f"{low:+.4f} to {high:+.4f}"
        lines.append([str(dataset), str(split), *pair, str(len(difference)), *numbers, ends, said])
    return lines


def _rerun(far: float, mean: float, low: float, high: float, metric: str) -> str:
    """Say whether a rerun agrees, by its farthest cell, its mean difference and the interval of that."""
    margin = METRICS[metric].margin
    if far <= SIX_DIGITS:
        return "same"
    return "agrees" if low <= 0 <= high or (margin is not None and abs(mean) <= margin) else "differs"


def _folder(name: str) -> Path:
    """Return the folder of a study by its path or name.

    Raises:
        RelataskError: neither holds cells.
    """
    for folder in (Path(name), Path("results") / name):
        if (folder / in_study("cells")).is_file():
            return folder
    raise RelataskError(
        f"neither {name} nor results/{name} holds {in_study('cells')}; run the study with this version, or "
        "name the folder of a published copy that has it."
    )


def _leading(tables: list[pd.DataFrame]) -> str:
    known = [set(table["metric"]) for table in tables]
    for metric in [name for names in DEFAULT_METRICS.values() for name in names] + list(METRICS):
        if all(metric in own for own in known):
            return metric
    raise RelataskError("the two have no metric in common.")


def _of_metric(table: pd.DataFrame, metric: str, folder: Path) -> pd.DataFrame:
    known = sorted(set(table["metric"]))
    if metric not in known:
        raise RelataskError(f"{folder} has no metric {metric!r}.{suggest(metric, known)}")
    own = table[table["metric"] == metric]
    return own.astype(dict.fromkeys([*COLUMN, "task_id", "method"], object))


def _splits(folder: Path, dataset: str, split: str) -> pd.DataFrame:
    """Return table `splits` of a study or a published copy, of one data set and split, by seed."""
    for path in (folder / "splits.csv", folder / in_study("table", name="splits", suffix="csv")):
        if path.is_file():
            table = pd.read_csv(path)
            return table[(table["dataset"] == dataset) & (table["split"] == split)].set_index("seed")
    raise RelataskError(f"{folder} has no table splits (csv), which says how large the folds are.")
