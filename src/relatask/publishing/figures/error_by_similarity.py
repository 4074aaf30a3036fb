"""Figure `error_by_similarity`: how errors grow with distance from the molecules of training."""

from typing import TYPE_CHECKING

import pandas as pd

from relatask.evaluation.calibration import calibration_of
from relatask.publishing import style
from relatask.publishing.inputs import Inputs
from relatask.publishing.out_of_fold import checked_out_of_fold, kinds_of
from relatask.publishing.split_panels import rows_of, split_panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Error against similarity",
    "category": "Uncertainty",
    "caption": (
        "Squared errors of predictions out of fold over those of the mean of each task (Brier score of "
        "calibrated probabilities over that of the share of label 1; of classes: wrong ones over those of "
        "the most frequent class), against the Tanimoto similarity (ECFP4) to the nearest molecule of "
        "training. Bins of as many labels over all tasks. At 1 a prediction is worth no more than the mean; "
        "*dotted*: the similarity from which on a molecule is in the domain of a method."
    ),
    "columns": {
        "split": "string",
        "method": "string",
        "similarity": "float64",  # mean of the bin
        "ratio": "float64",
        "n": "int32",
        "limit": "float64?",  # of the domain; null: nowhere better than the mean
    },
    "each": "dataset",
    "when": ("uncertainty", "tasks", "molecules"),
    "needs": ("plan", "predictions", "dataset", "splits", "similarity"),
}


def table(inputs: Inputs, dataset: str) -> pd.DataFrame:
    """Return a row for each bin of each row of the study."""
    kinds, parts = kinds_of(inputs, dataset), [pd.DataFrame(columns=list(FIGURE["columns"]))]
    for split, method in rows_of(inputs):
        found = calibration_of(checked_out_of_fold(inputs, dataset, split, method), kinds)
        if found.against_mean is None:
            continue
        bins = {name: getattr(found.against_mean, name) for name in ("similarity", "ratio", "n")}
        limit = found.limit if found.limit is not None and found.limit <= 1 else None
        own = pd.DataFrame(bins).assign(split=split, method=method, limit=limit)
        parts.append(own.astype({"limit": float}))
    return pd.concat(parts[1:] or parts, ignore_index=True)[list(FIGURE["columns"])]


def draw(inputs: Inputs, dataset: str) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a data set and the figure."""
    drawn = table(inputs, dataset)
    title = f"{dataset}: error against similarity to training"
    if drawn.empty:
        return drawn, style.empty(title, "No molecule was predicted that its model had not trained on.")
    panels = split_panels(inputs, drawn, 4.2)
    for split, axes in panels.axes.items():
        axes.axhline(1, color=style.GREY, linewidth=0.9, linestyle=(0, (4, 3)))
        for method, own in drawn[drawn["split"] == split].groupby("method"):
            look = panels.looks[str(method)]
            axes.plot(
                *(own["similarity"], own["ratio"]),
                color=look.colour,
                marker=look.marker,
                markersize=4,
                lw=1,
                label=method,
            )
            if pd.notna(limit := own["limit"].iloc[0]):
                axes.axvline(limit, color=look.colour, linewidth=0.9, linestyle=":")
        axes.set_xlim(0, 1.02)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("similarity to the nearest molecule of training")
    next(iter(panels.axes.values())).set_ylabel("squared error / that of the mean")
    note = "Bins of as many labels, over all tasks. Dotted: the limit of the domain."
    panels.finish(title, note)
    return drawn, panels.figure
