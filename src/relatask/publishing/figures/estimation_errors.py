"""Figure `estimation_errors`: how errors of estimated gains are distributed (MTG-Net, figure 2, middle)."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from relatask.publishing import histograms
from relatask.publishing.collection import Collection, name_of
from relatask.publishing.gain_lines import every_strategy
from relatask.publishing.inputs import Inputs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Errors of estimates",
    "category": "Task groups",
    "caption": (
        "How the errors of estimated gains are distributed over the task sets that are judged "
        "(MTG-Net, figure 2, middle)."
    ),
    "columns": {
        "row": "string",
        "error": "float64",
        "share": "float64",
    },
    "each": "collection",
    "when": ("grouping_replayed", "predicted_gains"),
    "needs": ("gains", "estimates"),
}


def table(collection: Collection) -> pd.DataFrame:
    """Return table `figure_estimation_errors`: shares of estimate - gain on the sets that are judged.

    The oracle has no error, and TAG's affinities have a scale of their own; both are left out.
    """
    strategies = {strategy.label: strategy for strategy in collection.strategies}
    values = {}
    for row in collection.estimates:
        strategy, rounds = (
            strategies[row[0]],
            sorted(k or 0 for label, k in collection.estimates if label == row[0]),
        )
        if not strategy.record.predicts or not every_strategy(strategy, row, rounds):
            continue
        errors = [
            (estimate.table - collection.gains.valid)[cells] for estimate, cells in collection.judged(row)
        ]
        values[name_of(row)] = np.concatenate(errors)
    return histograms.shares(values).rename(columns={"name": "row", "value": "error"})


def draw(inputs: Inputs, collection: Collection) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a collection of gains and the figure."""
    drawn = table(collection)
    return drawn, histograms.plot(
        drawn, "row", "error", "estimated − true gain (%)", f"Errors of estimated gains on {collection.name}"
    )
