"""Figure `gain_distribution`: how collected gains are distributed (MTG-Net, figure 2, right)."""

from typing import TYPE_CHECKING

import pandas as pd

from relatask.publishing import histograms
from relatask.publishing.collection import Collection
from relatask.publishing.inputs import Inputs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Gains",
    "category": "Task groups",
    "caption": (
        "How gains are distributed over all tasks of all collected task sets of two or more "
        "(MTG-Net, figure 2, right)."
    ),
    "columns": {
        "fold": "string",
        "gain": "float64",
        "share": "float64",
    },
    "each": "collection",
    "when": ("grouping_replayed",),
    "needs": ("gains",),
}


def table(collection: Collection) -> pd.DataFrame:
    """Return table `figure_gain_distribution`: shares of gains of tasks in sets of two or more."""
    gains = collection.gains
    cells = gains.sets & (gains.sizes > 1)[:, None]
    values = {"validation": gains.valid[cells], "test": gains.test[cells]}
    return histograms.shares(values).rename(columns={"name": "fold", "value": "gain"})


def draw(inputs: Inputs, collection: Collection) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a collection of gains and the figure."""
    drawn = table(collection)
    return drawn, histograms.plot(drawn, "fold", "gain", "gain (%)", f"Gains of tasks on {collection.name}")
