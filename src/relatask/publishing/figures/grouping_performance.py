"""Figure `grouping_performance`: gain of the chosen groups by budget (MTG-Net, figure 2, left)."""

from typing import TYPE_CHECKING

import pandas as pd

from relatask.publishing import gain_lines
from relatask.publishing.collection import Collection
from relatask.publishing.gain_lines import every_strategy
from relatask.publishing.inputs import Inputs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Gain by budget",
    "category": "Task groups",
    "caption": (
        "Test gain of the chosen groups against the budget, the most groups (MTG-Net, figure 2, "
        "left).\n\n"
        "Lines are means over seeds and bands one standard deviation. Groups are chosen on "
        "validation gains, so even the oracle, which knows them all, can lose on the test fold as "
        "the budget grows."
    ),
    "columns": {
        "row": "string",
        "budget": "int32",
        "mean": "float64",
        "std": "float64?",
        "n_seeds": "int32",
    },
    "each": "collection",
    "when": ("grouping_replayed",),
    "needs": ("groupings",),
}


def draw(inputs: Inputs, collection: Collection) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a collection of gains and the figure."""
    drawn = gain_lines.table(collection, every_strategy)
    return drawn, gain_lines.plot(drawn, f"Gain of the chosen groups on {collection.name}")
