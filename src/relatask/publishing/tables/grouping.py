"""Table `grouping`: what the groups that each strategy chooses gain, by budget."""

from typing import Any

import pandas as pd

from relatask.evaluation.spread import over_seeds
from relatask.publishing.collection import Collection, name_of
from relatask.publishing.formatting import (
    NOTHING,
    Bold,
    Table,
    number,
    signed,
)
from relatask.publishing.inputs import Inputs, records

TABLE = {
    "caption": (
        "The mean over tasks of the test gain, in per cent, for each collection of gains, strategy "
        "and budget; mean ± standard deviation over seeds. Groups are chosen by the strategy's "
        "estimates of validation gains, and each task is served by the group that is estimated best "
        "for it.\n\n"
        "A gain is the relative improvement of a task's metric over the same task learned alone. "
        "Rows marked *published* are what the authors of MTG-Net print or plot, single seeds."
    ),
    "columns": {
        "collection": "string",
        "strategy": "string",
        "rounds": "int32?",
        "row": "string",  # how the table calls strategy and rounds
        "source": "string",  # ours, oracle, or published
        "budget": "int32",
        "mean": "float64",  # test gain in per cent
        "std": "float64?",
        "valid_mean": "float64?",
        "n_seeds": "int32",
        "n_trained": "float64?",
    },
    "when": ("grouping_replayed",),
    "needs": ("groupings",),
    "category": "Task groups",
}


def make(inputs: Inputs) -> Table:
    """(Collection, strategy) x budget: mean test gain over tasks in per cent, mean ± std over seeds."""
    data = pd.DataFrame([row for collection in inputs.replayed for row in _worth(collection, inputs)])
    most = int(data["budget"].max())
    body: list[list[str]] = []
    for _, rows in data.groupby(["collection", "row"], sort=False):
        first = rows.iloc[0]
        cells = {row["budget"]: row for row in records(rows)}
        body.append([first["collection"], first["row"], number(first["n_trained"], 0)])
        for budget in range(1, most + 1):
            body[-1].append(_cell(cells.get(budget), data))
    notes = [
        "Mean over tasks of the test gain in per cent, each task served by the group that is estimated best "
        "for it; mean ± sample standard deviation over seeds; the best estimate of each column is bold, "
        "the oracle and published numbers aside.",
        "Columns: the budget, the most groups. Groups are chosen on validation gains, so the oracle, which "
        "knows them all, can lose on the test fold. trained: task sets that a strategy pays for.",
        *_published_notes(inputs, data),
        inputs.reduced,
    ]
    header = ["gains", "strategy", "trained", *map(str, range(1, most + 1))]
    title = f"{inputs.study.title}: mean test gain of the chosen groups"
    return Table("grouping", title, data, header, body, 2, notes)


def _worth(collection: Collection, inputs: Inputs) -> list[dict[str, Any]]:
    """Rows of table `grouping` of one collection: ours, each followed by what the paper reports."""
    printed = {
        (value.row, value.column): value.value
        for value in inputs.published
        if value.paper == inputs.study.paper and value.metric == "test_gain_percent"
    }
    names = {strategy.label: strategy.published for strategy in collection.strategies}
    oracles = {strategy.label for strategy in collection.strategies if strategy.record.oracle}
    found = []
    for row, rows in collection.rows():
        paper = str(names[row[0]]) + ("" if row[1] is None else f" K={row[1]}")
        published = []
        for budget, own in rows.groupby("budget"):
            mean, std = over_seeds(100 * own["test_gain"])
            shared = {"collection": collection.name, "strategy": row[0], "rounds": row[1], "budget": budget}
            cell = {
                "row": name_of(row),
                "source": "oracle" if row[0] in oracles else "ours",
                "mean": mean,
                "std": std,
            }
            valid, _ = over_seeds(100 * own["valid_gain"])
            counts = {"n_seeds": len(own), "n_trained": float(own["n_trained"].mean())}
            found.append({**shared, **cell, "valid_mean": valid, **counts})
            if (value := printed.get((paper, f"{collection.name} {budget}"))) is not None:
                cell = {
                    "row": f"{name_of(row)}, published",
                    "source": "published",
                    "mean": value,
                    "std": None,
                }
                published.append({**shared, **cell, "valid_mean": None, "n_seeds": 1, "n_trained": None})
        found += published
    return found


def _cell(row: dict[str, Any] | None, data: pd.DataFrame) -> str:
    if row is None:
        return NOTHING
    text = signed(row["mean"]) + (f" ± {number(row['std'])}" if pd.notna(row["std"]) else "")
    rivals = data[(data["collection"] == row["collection"]) & (data["budget"] == row["budget"])]
    best = rivals.loc[rivals["source"] == "ours", "mean"].max()
    return Bold(text) if row["source"] == "ours" and row["mean"] > best - 0.005 else text  # equal as printed


def _published_notes(inputs: Inputs, data: pd.DataFrame) -> list[str]:
    if (data["source"] != "published").all():
        return []
    return [
        "published: what the authors' notebooks print or plot (config/published.csv), single seeds. Their "
        "curves of MTG-Net on Taskonomy are clipped to the oracle; their random groups on Taskonomy may keep "
        "a gain of 0 outside a set, which ours may not; their network learns by absolute error and picks the "
        "largest prediction, ours as the paper says: squared error, sets drawn with exp(α|G|).",
    ]
