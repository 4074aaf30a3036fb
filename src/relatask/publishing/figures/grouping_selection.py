"""Figure `grouping_selection`: active against random selection (MTG-Net, figure 3b)."""

from typing import TYPE_CHECKING

import pandas as pd

from relatask.config import StrategyConfig
from relatask.publishing import gain_lines
from relatask.publishing.collection import Collection, Row
from relatask.publishing.inputs import Inputs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Active or random",
    "category": "Task groups",
    "caption": (
        "MTG-Net that asks for task sets it expects to matter, against one that learns from task "
        "sets drawn at random (MTG-Net, figure 3b)."
    ),
    "columns": {
        "row": "string",
        "budget": "int32",
        "mean": "float64",
        "std": "float64?",
        "n_seeds": "int32",
    },
    "each": "collection",
    "when": ("grouping_replayed", "both_selections"),
    "needs": ("groupings",),
}


def every_selection(strategy: StrategyConfig, row: Row, rounds: list[int]) -> bool:
    """Rows of figure 3b: MTG-Net with active and with random selection for the least and the greatest K."""
    return "selection" in strategy.record.keys and row[1] in {rounds[0], rounds[-1]}


def draw(inputs: Inputs, collection: Collection) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a collection of gains and the figure."""
    drawn = gain_lines.table(collection, every_selection)
    return drawn, gain_lines.plot(drawn, f"Active against random selection on {collection.name}")
