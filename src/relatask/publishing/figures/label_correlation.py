"""Figure `label_correlation`: the correlation of each two tasks' labels, as figure 3 of MetaLink."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from relatask.evaluation.label_correlation import correlated_labels, label_correlation, mean_correlation
from relatask.publishing import style
from relatask.publishing.inputs import Inputs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Correlation of tasks",
    "category": "Data",
    "caption": (
        "Pearson's correlation of the labels of each two tasks, over the molecules that both have "
        "measured.\n\n"
        "Tasks are ordered by their mean correlation with the others, least first. Methods that are "
        "given labels of other tasks can gain where this is far from 0."
    ),
    "columns": {
        "task_i": "string",
        "task_j": "string",
        "name": "string",  # of task_i
        "correlation": "float64?",
    },
    "each": "dataset",
    "when": ("reads_known_labels",),
    "needs": ("dataset",),
}

NAMED = 60  # more task names than this would overlap


def table(tasks: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Return what the figure shows: table `figure_label_correlation`, a row per ordered pair of tasks.

    Tasks are in the order of their mean correlation with the others, least first; those without one last.
    """
    correlation = label_correlation(correlated_labels(labels, tasks), tasks["task_id"].tolist())
    order = np.argsort(mean_correlation(correlation), kind="stable")  # NaN last
    names, n = tasks["name"].to_numpy(object)[order], len(tasks)
    ids = tasks["task_id"].to_numpy(object)[order]
    return pd.DataFrame(
        {
            "task_i": np.repeat(ids, n),
            "task_j": np.tile(ids, n),
            "name": np.repeat(names, n),
            "correlation": correlation[np.ix_(order, order)].ravel(),
        }
    )


def plot(drawn: pd.DataFrame, dataset: str) -> "Figure":
    """Draw table `figure_label_correlation` as a map."""
    n = drawn["task_i"].nunique()
    grid = drawn["correlation"].to_numpy(float).reshape(n, n)
    off = grid[~np.eye(n, dtype=bool)]
    side = min(max(0.17 * n, 3.0), 9.0)
    figure = style.new_figure(side + 4.2, side + 1.4)
    axes = figure.subplots()
    axes.set_facecolor("#C8C8C8")
    image = axes.imshow(grid, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
    if n <= NAMED:
        axes.set_yticks(range(n), [style.shorten(name) for name in drawn["name"].iloc[::n]])
        axes.tick_params(axis="y", length=0, labelsize=7)
        axes.set_xticks([])
    else:
        axes.set_ylabel(f"{n:,} tasks, least correlated first")
    figure.colorbar(image, ax=axes, fraction=0.046, pad=0.02).set_label("Pearson's correlation")
    known = off[~np.isnan(off)]
    words = f"mean {known.mean():.2f}, from {known.min():.2f} to {known.max():.2f}" if len(known) else "none"
    style.heading(
        figure,
        f"{dataset}: how the labels of tasks correlate",
        f"Over the items that have a label of both tasks; of two tasks: {words}. Grey: fewer than "
        "three such items, or labels of one class. Tasks are ordered by their mean with the others.",
    )
    return figure


def draw(inputs: Inputs, dataset: str) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a data set and the figure."""
    drawn = table(inputs.of_dataset(dataset, "tasks"), inputs.of_dataset(dataset, "labels"))
    return drawn, plot(drawn, dataset)
