"""Figure `encodings`: task sets as MTG-Net encodes them (MTG-Net, figure 4)."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from relatask.publishing import style
from relatask.publishing.collection import Collection
from relatask.publishing.inputs import Inputs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Encoded task sets",
    "category": "Task groups",
    "caption": (
        "What MTG-Net makes of task sets (MTG-Net, figure 4): each point is a set that holds the "
        "task, laid out by t-SNE of the task's encoding. Upper rows: the sets trained after the "
        "least and the greatest number of rounds; lowest row: all sets. The colour is the task's "
        "true gain in the set."
    ),
    "columns": {
        "task_id": "string",
        "stage": "string",
        "x": "float32",
        "y": "float32",
        "gain": "float64",
    },
    "each": "collection",
    "when": ("grouping_replayed", "encoded_sets"),
    "needs": ("encodings",),
}

EXTREME = 0.98  # share of the gains within the range of colours


def plot(drawn: pd.DataFrame, collection: str) -> "Figure":
    """Draw a panel for each stage (row) and task (column) of table `figure_encodings`."""
    tasks, stages = list(dict.fromkeys(drawn["task_id"])), list(dict.fromkeys(drawn["stage"]))
    figure = style.new_figure(0.9 + 1.75 * len(tasks), 1.2 + 1.65 * len(stages))
    grid = figure.subplots(len(stages), len(tasks), squeeze=False)
    most = 100 * float(np.quantile(drawn["gain"].abs(), EXTREME)) or 1.0
    for line, stage in zip(grid, stages, strict=True):
        for axes, task in zip(line, tasks, strict=True):
            rows = drawn[(drawn["stage"] == stage) & (drawn["task_id"] == task)]
            size = 14 if len(rows) < 200 else 4
            points = axes.scatter(
                rows["x"], rows["y"], c=100 * rows["gain"], s=size, cmap="RdBu_r", vmin=-most, vmax=most, lw=0
            )
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_facecolor("#F4F4F4")
    for axes, task in zip(grid[0], tasks, strict=True):
        axes.set_title(style.shorten(task, 20))
    for line, stage in zip(grid, stages, strict=True):
        line[0].set_ylabel(stage, fontsize=8)
    figure.colorbar(points, ax=grid, label="gain (%)", shrink=0.6)
    title = f"Task sets as MTG-Net encodes them on {collection}"
    note = "Each point: a task set that holds the task; t-SNE of each panel by itself, so axes have no unit."
    style.heading(figure, title, note)
    return figure


def draw(inputs: Inputs, collection: Collection) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a collection of gains and the figure."""
    return collection.encodings, plot(collection.encodings, collection.name)
