"""Table `groups`: which tasks each strategy learns together."""

import pandas as pd

from relatask.publishing.collection import name_of
from relatask.publishing.formatting import (
    NOTHING,
    Table,
    signed,
)
from relatask.publishing.inputs import Inputs

TABLE = {
    "caption": ("Which tasks each strategy learns together, and which group serves each task."),
    "columns": {
        "collection": "string",
        "strategy": "string",
        "rounds": "int32?",
        "seed": "int32",
        "budget": "int32",
        "group": "int32",
        "task_set_id": "string",
        "task_id": "string",
        "serves": "bool",
        "estimate": "float64",
        "valid_gain": "float64?",
        "test_gain": "float64?",
    },
    "when": ("grouping",),
    "needs": ("groups",),
    "category": "Task groups",
}
SHOWN_BUDGET = 4  # of table `groups`; its data hold every budget


def make(inputs: Inputs) -> Table:
    """(Collection, strategy, group): who is learned with whom, for a budget of 4 and the first seed."""
    data = pd.concat(
        [collection.groups.assign(collection=collection.name) for collection in inputs.collections],
        ignore_index=True,
    )
    first = data.groupby(["collection", "strategy"])["seed"].transform("min")
    data = data[data["seed"] == first].reset_index(drop=True)
    shown = data[data["budget"] == SHOWN_BUDGET]
    body = []
    for _, rows in shown.groupby(["collection", "strategy", "rounds", "group"], sort=False, dropna=False):
        row = rows.iloc[0]
        serves = rows[rows["serves"]]
        rounds = None if pd.isna(row["rounds"]) else int(row["rounds"])
        body.append(
            [
                *(row["collection"], name_of((row["strategy"], rounds)), str(row["group"] + 1)),
                ", ".join(rows["task_id"]),
                ", ".join(serves["task_id"]),
                signed(100 * serves["estimate"].mean()),
                signed(100 * serves["test_gain"].mean()),
            ]
        )
    notes = [
        f"A budget of {SHOWN_BUDGET} groups and the first seed; the other budgets are in the CSV. Gains in "
        f"per cent, means over the tasks that a group serves; {NOTHING}: never trained as a task set.",
        inputs.reduced,
    ]
    header = ["gains", "strategy", "group", "learned together", "served", "estimated gain", "test gain"]
    return Table("groups", f"{inputs.study.title}: the groups", data, header, body, 5, notes)
