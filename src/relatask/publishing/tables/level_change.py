"""Table `level_change`: how far rows are from the single-task rows of the levels that they train."""

from typing import Any

import numpy as np
import pandas as pd

from relatask.core.tables import columns_of
from relatask.evaluation.fold_test import Family, interval, verdict_of
from relatask.evaluation.looks import split_records, tested_to_trained
from relatask.evaluation.spread import over_seeds
from relatask.publishing.formatting import NOTHING, Bold, Table, number, signed
from relatask.publishing.inputs import Inputs, records
from relatask.publishing.levels import (
    NAMES,
    Row,
    level_means,
    level_values,
    levels_of,
    printed,
    relative_changes,
    rows_of,
    short_of,
)

TABLE = {
    "caption": (
        "Δm of each method: the mean over the levels that it trains of its relative difference, in percent, "
        "to the network that was trained end to end for that level alone (Maninis et al., 2019). The "
        "intervals know that random splits share their items (Nadeau and Bengio, 2003)."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "levels": "string",  # that it trains: GC, NC and LP are classes of graphs, of nodes, and links
        "mean": "float64?",  # of Δm in percent, over seeds
        "std": "float64?",
        "n_seeds": "int32",
        "test_to_train": "float64?",  # labels for test over labels for training
        "ci_low": "float64?",  # 95 %, simultaneous within (data set, split)
        "ci_high": "float64?",
        "verdict": "string",  # better, worse, undecided, or why there is no interval
        "published": "float64?",  # in percent
        "published_std": "float64?",
    },
    "when": ("levels",),
    "needs": ("plan", "metrics", "dataset", "splits"),
}


def changes(inputs: Inputs) -> pd.DataFrame:
    """Return a row for each (data set, split, method) that trains a level, but for single-task rows."""
    means, found = level_means(level_values(inputs)), []
    for dataset, split in inputs.columns:
        there, ratio = levels_of(inputs, dataset), _test_to_train(inputs, dataset, split)
        trained = [(row, levels) for row in rows_of(inputs) if (levels := row.trained(there))]
        compared = [
            (row, levels)
            for row, levels in trained
            if not (len(levels) == 1 and row.is_single(levels[0], there))
        ]
        changed = [
            _of_seeds(relative_changes(inputs, dataset, means, row, levels), row, split, levels)
            for row, levels in compared
        ]
        whole = [one for one in changed if not isinstance(one, str)]
        n_seeds = max(map(len, whole), default=0)
        beside = [
            np.zeros(n_seeds),
            *(one for one in whole if len(one) == n_seeds),
        ]  # Δm of single tasks is 0
        family = Family.of(np.column_stack(beside))
        for (row, levels), values in zip(compared, changed, strict=True):
            paper = printed(inputs, dataset, row, levels, "delta_m")
            found.append(
                {
                    **{"dataset": dataset, "split": split, "method": row.label},
                    "levels": short_of(levels),
                    **_said(values, family, ratio),
                    "published": paper.value if paper else None,
                    "published_std": paper.spread if paper else None,
                }
            )
    data = pd.DataFrame(found, columns=list(columns_of("table_level_change")))
    numbers = [name for name, kind in columns_of("table_level_change").items() if kind.startswith("float")]
    return data.astype(dict.fromkeys(numbers, float))


def _test_to_train(inputs: Inputs, dataset: str, split: str) -> float:
    """Labels for test over labels for training, mean over seeds."""
    inputs.require("splits")
    seeds = sorted(set(inputs.plan["seed"]))
    return tested_to_trained(split_records(inputs.results, inputs.name, dataset, split, seeds))


def _of_seeds(
    of_row: tuple[pd.DataFrame, list[str]], row: Row, split: str, levels: tuple[str, ...]
) -> np.ndarray | str:
    """Δm of each seed that has all levels of a row, float64 [n], or why there is none."""
    change, missing = of_row
    if missing:
        which = f" ({row.protocol})" if missing[0] == "pair" else ""
        return f"no single-task row of {NAMES[missing[0]]}{which}"
    by_seed = change[change["split"] == split].pivot(index="seed", columns="level", values="change")
    by_seed = by_seed.reindex(columns=list(levels)).dropna()
    return "no seed has all its levels" if by_seed.empty else by_seed.mean(axis=1).to_numpy(float)


def _said(values: np.ndarray | str, family: Family, ratio: float) -> dict[str, Any]:
    """Δm over seeds and its interval."""
    if isinstance(values, str):
        return {"n_seeds": 0, "verdict": values}
    mean, std = over_seeds(values.tolist())
    low, high = interval(values, family, ratio)
    return {
        **{"mean": mean, "std": std, "n_seeds": len(values), "test_to_train": ratio},
        **{"ci_low": low, "ci_high": high},
        "verdict": verdict_of(low, high, None),
    }


def make(inputs: Inputs) -> Table:
    """(Data set, split, method): Δm with its test, beside what the paper prints."""
    data = changes(inputs)
    body = []
    for row in records(data):
        verdict = Bold(row["verdict"]) if row["verdict"] in {"better", "worse"} else row["verdict"]
        words = [row["dataset"], row["split"], row["levels"], row["method"], verdict]
        ends = [signed(row[key], 1) for key in ("ci_low", "ci_high")]
        between = NOTHING if NOTHING in ends else " to ".join(ends)
        body.append([*words, _cell(row["mean"], row["std"]), number(row["n_seeds"], 0), between])
        body[-1].append(_cell(row["published"], row["published_std"]))
    notes = [
        "Δm (%): mean over the levels that a method trains of (its value − alone) / alone, per seed, then "
        "mean ± sample standard deviation over seeds; alone: the row of method joint that trains this "
        "level alone, read by its head (of links, with the same protocol). GC: graphs, NC: nodes, LP: links.",
        "Interval: 95 %, simultaneous for the rows of one data set and split (Tukey); the seeds are random "
        "splits of the same graphs, so the variance is taken times 1 / seeds + test labels / training labels "
        "(Nadeau and Bengio, 2003). better, worse: it has one sign; undecided: it has not, or there are "
        "fewer than 3 seeds.",
    ]
    if data["published"].notna().any():
        notes.append(f"published: as printed in {inputs.study.paper} (config/published.csv).")
    header = ["data set", "split", "trains", "method", "verdict", "Δm (%)", "seeds", "95 % interval"]
    title = f"{inputs.study.title}: change against single tasks"
    return Table("level_change", title, data, [*header, "published"], body, 5, [*notes, inputs.reduced])


def _cell(mean: float, std: float) -> str:
    return NOTHING if pd.isna(mean) else signed(mean, 1) + ("" if pd.isna(std) else f" ± {number(std, 1)}")
