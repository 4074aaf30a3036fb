"""Table `level_change`: how far rows are from the single-task rows of the levels that they train."""

from typing import Any

import numpy as np
import pandas as pd

from relatask.core.files import read_fields
from relatask.core.layout import dataset_file
from relatask.core.tables import columns_of
from relatask.evaluation.resampled import corrected_t_test, tested_to_trained
from relatask.evaluation.significance import holm
from relatask.evaluation.spread import over_seeds
from relatask.publishing.formatting import NOTHING, Bold, Table, number, p_value, signed
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
        "to the network that was trained end to end for that level alone (Maninis et al., 2019). The p "
        "values know that random splits share their items (Nadeau and Bengio, 2003)."
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
        "statistic": "float64?",  # corrected resampled t
        "p_value": "float64?",
        "p_holm": "float64?",  # corrected within (data set, split)
        "verdict": "string",  # better, worse, not told apart, or why there is no test
        "published": "float64?",  # in percent
        "published_std": "float64?",
    },
    "when": ("levels",),
    "needs": ("plan", "metrics", "dataset", "splits"),
}
LEVEL = 0.05


def changes(inputs: Inputs) -> pd.DataFrame:
    """Return a row for each (data set, split, method) that trains a level, but for single-task rows."""
    means, found = level_means(level_values(inputs)), []
    for dataset, split in inputs.columns:
        there, ratio = levels_of(inputs, dataset), _test_to_train(inputs, dataset, split)
        for row in rows_of(inputs):
            levels = row.trained(there)
            if levels and not (len(levels) == 1 and row.is_single(levels[0], there)):
                of_row = relative_changes(inputs, dataset, means, row, levels)
                paper = printed(inputs, dataset, row, levels, "delta_m")
                found.append(
                    {
                        **{"dataset": dataset, "split": split, "method": row.label},
                        "levels": short_of(levels),
                        **_tested(of_row, row, split, levels, ratio),
                        "published": paper.value if paper else None,
                        "published_std": paper.spread if paper else None,
                    }
                )
    data = pd.DataFrame(found, columns=list(columns_of("table_level_change")))
    numbers = [name for name, kind in columns_of("table_level_change").items() if kind.startswith("float")]
    data = data.astype(dict.fromkeys(numbers, float))
    if len(data):
        data["p_holm"] = data.groupby(["dataset", "split"], sort=False)["p_value"].transform(holm)
    tested = data["p_holm"].notna()
    told = np.where(data["mean"] > 0, "better", "worse")
    data.loc[tested, "verdict"] = np.where(data["p_holm"] < LEVEL, told, "not told apart")[tested]
    return data


def _test_to_train(inputs: Inputs, dataset: str, split: str) -> float:
    """Labels for test over labels for training, mean over seeds."""
    inputs.require("splits")
    folds = []
    for seed in sorted(set(inputs.plan["seed"])):
        record = dataset_file("split_record", inputs.name, dataset, scheme=split, seed=str(seed))
        folds.append(read_fields(inputs.results / record, folds=dict)["folds"])
    return tested_to_trained(folds)


def _tested(
    of_row: tuple[pd.DataFrame, list[str]], row: Row, split: str, levels: tuple[str, ...], ratio: float
) -> dict[str, Any]:
    """Δm over seeds and its test."""
    change, missing = of_row
    empty: dict[str, Any] = {"n_seeds": 0, "verdict": ""}
    if missing:
        which = f" ({row.protocol})" if missing[0] == "pair" else ""
        return {**empty, "verdict": f"no single-task row of {NAMES[missing[0]]}{which}"}
    by_seed = change[change["split"] == split].pivot(index="seed", columns="level", values="change")
    by_seed = by_seed.reindex(columns=list(levels)).dropna()  # seeds with all of its levels
    if by_seed.empty:
        return {**empty, "verdict": "no seed has all its levels"}
    values = by_seed.mean(axis=1).to_numpy(float)
    mean, std = over_seeds(values.tolist())
    statistic, p = corrected_t_test(values, ratio)
    return {
        **{"mean": mean, "std": std, "n_seeds": len(values), "test_to_train": ratio},
        **{"statistic": statistic, "p_value": p},
        "verdict": "one split, no test" if len(values) < 2 else "equal in every split, no test",
    }


def make(inputs: Inputs) -> Table:
    """(Data set, split, method): Δm with its test, beside what the paper prints."""
    data = changes(inputs)
    body = []
    for row in records(data):
        verdict = Bold(row["verdict"]) if row["verdict"] in {"better", "worse"} else row["verdict"]
        words = [row["dataset"], row["split"], row["levels"], row["method"], verdict]
        numbers = [number(row["n_seeds"], 0), p_value(row["p_value"]), p_value(row["p_holm"])]
        body.append([*words, _cell(row["mean"], row["std"]), *numbers])
        body[-1].append(_cell(row["published"], row["published_std"]))
    notes = [
        "Δm (%): mean over the levels that a method trains of (its value − alone) / alone, per seed, then "
        "mean ± population standard deviation over seeds; alone: the row of method joint that trains this "
        "level alone, read by its head (of links, with the same protocol). GC: graphs, NC: nodes, LP: links.",
        "p: corrected resampled t-test (Nadeau and Bengio, 2003), two-sided: the seeds are random splits of "
        "the same graphs, so the variance is taken times 1 / seeds + test labels / training labels. Holm's "
        f"correction over the rows of one data set and split; better, worse: p (Holm) < {LEVEL}.",
    ]
    if data["published"].notna().any():
        notes.append(f"published: as printed in {inputs.study.paper} (config/published.csv).")
    header = ["data set", "split", "trains", "method", "verdict", "Δm (%)", "seeds", "p", "p (Holm)"]
    title = f"{inputs.study.title}: change against single tasks"
    return Table("level_change", title, data, [*header, "published"], body, 5, [*notes, inputs.reduced])


def _cell(mean: float, std: float) -> str:
    return NOTHING if pd.isna(mean) else signed(mean, 1) + ("" if pd.isna(std) else f" ± {number(std, 1)}")
