"""Table `gain_distribution`: how the collected gains are distributed."""

import numpy as np
import pandas as pd

from relatask.publishing.collection import Collection
from relatask.publishing.formatting import (
    Table,
    number,
)
from relatask.publishing.inputs import Inputs, records

TABLE = {
    "caption": (
        "How the collected gains lie, and how well gains on the validation fold tell those on the test fold."
    ),
    "columns": {
        "collection": "string",
        "tasks": "int32",
        "task_sets": "int32",
        "gains": "int32",
        "mean": "float64",
        "positive_percent": "float64",
        "least": "float64",
        "lower": "float64",
        "median": "float64",
        "upper": "float64",
        "greatest": "float64",
        "correlation": "float64",
        "test_error": "float64",
        "single_task_runs": "int32?",  # of each task and seed; null for gains of others
        "single_task_std": "float64?",  # sample deviation among them over their mean; null of one
    },
    "when": ("grouping_replayed",),
    "needs": ("gains",),
    "category": "Task groups",
}


def _zero(collection: Collection) -> dict[str, float | None]:
    """How often each task was learned alone, and how far these runs are apart on validation."""
    zeros = collection.zeros
    zeros = zeros[zeros["fold"] == "valid"].dropna(subset="alone_runs")
    if zeros.empty:
        return {"single_task_runs": None, "single_task_std": None}
    relative = zeros["alone_std"].astype(float) / zeros["alone"].astype(float).abs()
    spread = None if relative.isna().all() else float(relative.mean())
    return {"single_task_runs": int(zeros["alone_runs"].min()), "single_task_std": spread}


def make(inputs: Inputs) -> Table:
    """Collection: how validation gains are distributed, and what they say of test gains."""
    rows = []
    for collection in inputs.replayed:
        gains = collection.gains
        cells = gains.sets & (gains.sizes > 1)[:, None]
        valid, test = gains.valid[cells], gains.test[cells]
        quantiles = dict(
            zip(
                ("least", "lower", "median", "upper", "greatest"),
                np.quantile(valid, np.linspace(0, 1, 5)),
                strict=True,
            )
        )
        rows.append(
            {
                "collection": collection.name,
                "tasks": len(gains.tasks),
                "task_sets": len(gains.sets),
                "gains": int(cells.sum()),
                "mean": valid.mean(),
                "positive_percent": 100 * (valid > 0).mean(),
                **quantiles,
                "correlation": float(np.corrcoef(valid, test)[0, 1]),
                "test_error": float(np.abs(valid - test).mean()),
                **_zero(collection),
            }
        )
    data = pd.DataFrame(rows)
    body = [
        [
            row["collection"],
            *(number(row[name], 0) for name in ("tasks", "task_sets", "gains")),
            *(number(row[name], 4) for name in ("mean",)),
            number(row["positive_percent"], 1),
            *(number(row[name], 3) for name in ("least", "lower", "median", "upper", "greatest")),
            number(row["correlation"], 3),
            number(row["test_error"], 4),
            number(row["single_task_runs"], 0),
            number(row["single_task_std"], 4),
        ]
        for row in records(data)
    ]
    notes = [
        "Validation gains of tasks in sets of two or more; correlation and difference: of the same gains on "
        "the test fold. A gain is a relative improvement over the task alone, over the mean where it was "
        "learned alone several times. runs alone: how often; their deviation: the sample standard deviation "
        "among them on validation, relative to their mean as gains are, mean over tasks and seeds. The zero "
        "of gains is uncertain by that over the square root of the number of runs, for all sets alike.",
        inputs.reduced,
    ]
    header = ["gains", "tasks", "task sets", "gains of tasks", "mean", "positive (%)"]
    header += ["least", "lower quartile", "median", "upper quartile", "greatest", "correlation", "difference"]
    header += ["runs alone", "their deviation"]
    return Table("gain_distribution", f"{inputs.study.title}: the gains", data, header, body, 1, notes)
