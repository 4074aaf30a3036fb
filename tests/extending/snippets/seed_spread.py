"""Figure `seed_spread`: how far seeds are apart, for each method of a data set."""

from typing import TYPE_CHECKING

import pandas as pd

from relatask.publishing import figure_data, style
from relatask.publishing.inputs import Inputs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Spread of seeds",
    "category": "Comparison",
    "caption": "Standard deviation of ``{metric}`` over seeds, mean over tasks, of each method.",
    "columns": {"method": "string", "spread": "float64?"},
    "each": "dataset",  # there is one figure for each: study, dataset or collection
    "when": ("tasks",),
    "needs": ("plan", "metrics"),
}


def draw(inputs: Inputs, dataset: str) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a data set and the figure."""
    values = figure_data.test_values(inputs.plan, inputs.metrics, inputs.metric)
    spread = figure_data.spread(values[values["dataset"] == dataset], ["method", "task_id"])
    drawn = spread.groupby("method")["std"].mean().rename("spread").reset_index()
    figure = style.new_figure(5, 3)
    axes = figure.subplots()
    axes.barh(drawn["method"], drawn["spread"], color=style.PALETTE[0])
    style.heading(figure, f"{dataset}: spread over seeds", "Mean over tasks of the deviation over seeds.")
    return drawn, figure
