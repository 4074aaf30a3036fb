"""Figure `coverage`: how often intervals and sets of 80 and 90 % hold the truth, for each task."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from relatask.evaluation.coverage import LEVELS, per_task
from relatask.publishing import style
from relatask.publishing.inputs import Inputs
from relatask.publishing.out_of_fold import checked_out_of_fold
from relatask.publishing.split_panels import rows_of, split_panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Coverage",
    "category": "Uncertainty",
    "caption": (
        "The share of predictions out of fold whose conformal interval (of classes: set) of 80 % and 90 % "
        "holds the truth, a dot for each task, against its number of such predictions. What is said of a "
        "molecule was learned from other folds. *Bands*: 3 points around each level."
    ),
    "columns": {
        "split": "string",
        "method": "string",
        "task_id": "string",
        "n": "int32",
        "coverage_80": "float64?",
        "coverage_90": "float64?",
    },
    "each": "dataset",
    "when": ("uncertain_values", "tasks"),
    "needs": ("plan", "predictions", "dataset", "splits", "similarity"),
}


def table(inputs: Inputs, dataset: str) -> pd.DataFrame:
    """Return a row for each task of each row of the study."""
    parts = []
    for split, method in rows_of(inputs):
        found = per_task(checked_out_of_fold(inputs, dataset, split, method))
        parts.append(found[found["coverage_80"].notna()].assign(split=split, method=method))
    return pd.concat(parts, ignore_index=True)[list(FIGURE["columns"])]


def draw(inputs: Inputs, dataset: str) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a data set and the figure."""
    drawn = table(inputs, dataset)
    title = f"{dataset}: coverage of intervals"
    if drawn.empty:
        return drawn, style.empty(title, "No task has enough labels for an interval.")
    panels = split_panels(inputs, drawn, 4.2)
    for split, axes in panels.axes.items():
        for level in LEVELS:
            axes.axhspan(level - 0.03, level + 0.03, color=style.FAINT, zorder=0, linewidth=0)
            axes.axhline(level, color=style.GREY, linewidth=0.9, linestyle=(0, (4, 3)))
        for method, own in drawn[drawn["split"] == split].groupby("method"):
            look, n = panels.looks[str(method)], np.tile(own["n"], len(LEVELS))
            held = np.concatenate([own[f"coverage_{round(100 * level)}"] for level in LEVELS])
            axes.scatter(n, held, s=14, marker=look.marker, color=look.colour, alpha=0.7, label=method)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:,.0f}")  # powers of ten would be formulas
        axes.xaxis.set_minor_formatter("")
        axes.set_xlabel("predictions out of fold of the task")
    next(iter(panels.axes.values())).set_ylabel("share that is held")
    note = "A dot for each task and level (80 and 90 %); bands: 3 points around the level."
    panels.finish(title, note)
    return drawn, panels.figure
