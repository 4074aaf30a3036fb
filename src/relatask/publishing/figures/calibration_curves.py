"""Figure `calibration_curves`: how often labels are 1 where a probability is said, before and after."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from relatask.publishing import style
from relatask.publishing.inputs import Inputs
from relatask.publishing.out_of_fold import checked_out_of_fold
from relatask.publishing.split_panels import rows_of, split_panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Calibration curves",
    "category": "Uncertainty",
    "caption": (
        "The share of labels that are 1 against the probability that was said of them, over all tasks, in "
        "bins of as many labels. *Hollow*: as the method says. *Full*: calibrated, each molecule by the "
        "predictions out of fold of other folds. On the diagonal a probability is right."
    ),
    "columns": {
        "split": "string",
        "method": "string",
        "calibrated": "bool",
        "said": "float64",  # mean probability of the bin
        "observed": "float64",  # share of labels that are 1
        "n": "int32",
    },
    "each": "dataset",
    "when": ("uncertain_labels", "tasks"),
    "needs": ("plan", "predictions", "dataset", "splits", "similarity"),
}
BINS = 10


def table(inputs: Inputs, dataset: str) -> pd.DataFrame:
    """Return a row for each bin of each row of the study, before and after calibration."""
    parts = []
    for split, method in rows_of(inputs):
        rows = checked_out_of_fold(inputs, dataset, split, method)
        rows = rows[rows["calibrated"].notna()]
        for calibrated, column in ((False, "score"), (True, "calibrated")):
            own = _bins(rows[column].to_numpy(), rows["label"].to_numpy(np.float64))
            parts.append(own.assign(split=split, method=method, calibrated=calibrated))
    return pd.concat(parts, ignore_index=True)[list(FIGURE["columns"])]


def _bins(said: np.ndarray, label: np.ndarray) -> pd.DataFrame:
    place = np.argsort(np.argsort(said, kind="stable"), kind="stable") * BINS // max(len(said), 1)
    rows = pd.DataFrame({"said": said, "observed": label, "n": 1})
    return rows.groupby(place).agg({"said": "mean", "observed": "mean", "n": "sum"})


def draw(inputs: Inputs, dataset: str) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a data set and the figure."""
    drawn = table(inputs, dataset)
    title = f"{dataset}: calibration of probabilities"
    if drawn.empty:
        return drawn, style.empty(title, "No task has enough labels of both classes to calibrate.")
    panels = split_panels(inputs, drawn, 4.6, share_y=False)
    for split, axes in panels.axes.items():
        axes.plot([0, 1], [0, 1], color=style.GREY, linewidth=0.9, linestyle=(0, (4, 3)))
        for (method, calibrated), own in drawn[drawn["split"] == split].groupby(["method", "calibrated"]):
            look, x, y = panels.looks[str(method)], own["said"], own["observed"]
            fill = {"color": look.colour, "label": method} if calibrated else {"facecolor": "none"}
            axes.scatter(x, y, s=18, marker=look.marker, edgecolor=look.colour, **fill)
            axes.plot(x, y, color=look.colour, lw=0.9, alpha=0.9 if calibrated else 0.3)
        axes.set_xlabel("probability that is said")
        axes.set_ylabel("share of labels that are 1")
    note = f"Hollow: as the method says; full: calibrated. {BINS} bins of as many labels, over all tasks."
    panels.finish(title, note)
    return drawn, panels.figure
