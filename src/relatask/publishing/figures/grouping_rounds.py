"""Figure `grouping_rounds`: the same by rounds K of active selection (MTG-Net, figure 3a)."""

from typing import TYPE_CHECKING

import pandas as pd

from relatask.config import StrategyConfig
from relatask.publishing import gain_lines
from relatask.publishing.collection import Collection, Row
from relatask.publishing.inputs import Inputs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Gain by rounds",
    "category": "Task groups",
    "caption": (
        "Test gain of the chosen groups for several numbers of rounds K of active selection: K N + 1 "
        "task sets are trained for N tasks (MTG-Net, figure 3a)."
    ),
    "columns": {
        "row": "string",
        "budget": "int32",
        "mean": "float64",
        "std": "float64?",
        "n_seeds": "int32",
    },
    "each": "collection",
    "when": ("grouping_replayed", "several_rounds"),
    "needs": ("groupings",),
}


def every_round(strategy: StrategyConfig, row: Row, rounds: list[int]) -> bool:
    """Rows of figure 3a: the oracle, and MTG-Net with active selection for every K."""
    return strategy.record.oracle or ("selection" in strategy.record.keys and strategy.selection == "active")


def draw(inputs: Inputs, collection: Collection) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a collection of gains and the figure."""
    drawn = gain_lines.table(collection, every_round)
    return drawn, gain_lines.plot(
        drawn, f"Gain of the chosen groups on {collection.name}, by rounds K of active selection"
    )
