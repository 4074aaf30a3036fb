"""Figure `label_density`: which cells of the task x molecule table are measured, and how many are active."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from relatask.data.tasks import task_positions
from relatask.publishing import style
from relatask.publishing.inputs import Inputs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Label density",
    "category": "Data",
    "caption": (
        "Which cells of the table of tasks and molecules are measured.\n\n"
        "*Left*: the share of labelled cells; rows are tasks, columns bins of molecules, both "
        "ordered by their number of labels. *Middle*: labelled molecules of each task, active ones "
        "in colour. *Right*: the active share of those labels. Cells without a label are missing, "
        "not inactive: no method is trained or tested on them."
    ),
    "columns": {
        "task_id": "string",
        "name": "string",
        "bin": "int32",
        "n_molecules": "int32",
        "n_labels": "int32",
        "n_pos": "int32",
    },
    "each": "dataset",
    "when": ("always", "molecules"),
    "needs": ("dataset",),
}

BINS = 120
NAMED = 80  # more task names than this would overlap


def table(tasks: pd.DataFrame, labels: pd.DataFrame, molecules: pd.DataFrame) -> pd.DataFrame:
    """Return what the figure shows: table `figure_label_density`, a row per task and bin of molecules.

    Molecules are ordered by their number of labels, most first, and cut into up to `BINS` bins of (almost)
    equal size; tasks likewise, most labels first. `n_labels` and `n_pos` count the cells of the bin.
    """
    item_ids = molecules["item_id"].to_numpy()
    counts = labels.groupby("item_id").size().reindex(item_ids, fill_value=0)
    ranked = counts.sort_values(ascending=False, kind="stable").index.to_numpy()
    bins = min(BINS, max(len(ranked), 1))
    bin_of = pd.Series(np.arange(len(ranked)) * bins // max(len(ranked), 1), index=ranked)
    task_ids = tasks["task_id"].tolist()
    task = task_positions(labels["task_id"], task_ids).astype(np.int64)
    cell = task * bins + bin_of.loc[labels["item_id"]].to_numpy()
    size = len(task_ids) * bins
    grid = pd.DataFrame(
        {
            "task_id": np.repeat(np.asarray(task_ids, object), bins),
            "name": np.repeat(tasks["name"].to_numpy(), bins),
            "bin": np.tile(np.arange(bins), len(task_ids)),
            "n_molecules": np.tile(np.bincount(bin_of, minlength=bins), len(task_ids)),
            "n_labels": np.bincount(cell, minlength=size),
            "n_pos": np.bincount(cell, labels["value"].to_numpy() == 1, minlength=size).astype(np.int64),
        }
    )
    totals = np.repeat(grid["n_labels"].to_numpy().reshape(-1, bins).sum(axis=1), bins)
    return grid.iloc[
        np.lexsort((grid["bin"], np.repeat(np.arange(len(task_ids)), bins), -totals))
    ].reset_index(drop=True)


def plot(drawn: pd.DataFrame, dataset: str) -> "Figure":
    """Draw table `figure_label_density`: the map, the labels of each task, and their active share."""
    first = drawn.drop_duplicates("task_id")
    n_tasks, bins = len(first), drawn["bin"].nunique()
    labels = drawn["n_labels"].to_numpy().reshape(n_tasks, bins)
    positives = drawn["n_pos"].to_numpy().reshape(n_tasks, bins).sum(axis=1)
    molecules = drawn["n_molecules"].to_numpy()[:bins]
    n_molecules, named = int(molecules.sum()), n_tasks <= NAMED
    height = min(max(0.155 * n_tasks, 1.6), 12.5) if named else 7.0
    figure = style.new_figure(10.5, height + 1.9)
    grid, counts, share = figure.subplots(1, 3, sharey=True, width_ratios=[3.2, 1.25, 0.9])
    _map(figure, grid, 100 * labels / molecules, n_molecules)
    _counts(counts, labels.sum(axis=1), positives)
    _share(share, labels.sum(axis=1), positives)
    for axes in (counts, share):
        axes.tick_params(axis="y", length=0)
    if named:
        grid.set_yticks(range(n_tasks), [style.shorten(name) for name in first["name"]])
        grid.tick_params(axis="y", length=0, labelsize=7.5)
    else:
        grid.set_ylabel(f"{n_tasks:,} tasks, most labels first")
    grid.set_ylim(n_tasks - 0.5, -0.5)
    cells, total, active = int(labels.sum()), n_tasks * n_molecules, int(positives.sum())
    style.heading(
        figure,
        f"{dataset}: labels of {n_tasks:,} tasks and {n_molecules:,} molecules",
        f"{cells:,} of {total:,} cells are labelled ({cells / max(total, 1):.1%}), {active:,} of them active "
        f"({active / max(cells, 1):.1%}). Molecules are ordered by their number of labels, in {bins} bins.",
    )
    return figure


def _map(figure: "Figure", axes: "Axes", percent: np.ndarray, n_molecules: int) -> None:
    """Share of labelled cells, a row per task and a column per bin of molecules."""
    extent = (0, n_molecules, len(percent) - 0.5, -0.5)
    image = axes.imshow(
        percent, aspect="auto", cmap="Blues", vmin=0, vmax=100, extent=extent, interpolation="nearest"
    )
    axes.set_xlabel("molecules, most labels first")
    axes.set_title("labelled cells")
    axes.spines[["top", "right"]].set_visible(True)
    bar = figure.colorbar(image, ax=axes, location="bottom", fraction=0.05, pad=0.02, aspect=40)
    bar.set_label("labelled (%)")


def _counts(axes: "Axes", labels: np.ndarray, positives: np.ndarray) -> None:
    """Labels of each task, the active ones darker."""
    rows = np.arange(len(labels))
    axes.barh(rows, positives, height=1 if len(rows) > NAMED else 0.8, color=style.PALETTE[1], label="active")
    axes.barh(
        rows,
        labels - positives,
        left=positives,
        height=1 if len(rows) > NAMED else 0.8,
        color="#BDBDBD",
        label="inactive",
    )
    axes.set_xlim(0, max(labels.max(initial=0), 1) * 1.04)
    axes.locator_params(axis="x", nbins=4)
    axes.set_xlabel("labelled molecules")
    axes.set_title("labels")
    axes.legend(loc="lower right", handlelength=1)


def _share(axes: "Axes", labels: np.ndarray, positives: np.ndarray) -> None:
    """Active share of each task's labels."""
    with np.errstate(invalid="ignore"):
        percent = 100 * positives / labels
    size = 14 if len(labels) <= NAMED else 4
    axes.scatter(percent, np.arange(len(labels)), s=size, color=style.PALETTE[1], linewidth=0)
    axes.axvline(50, color=style.GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_xlim(-2, 102)
    axes.set_xticks([0, 50, 100])
    axes.set_xlabel("active (% of labels)")
    axes.set_title("class balance")
    axes.grid(axis="x", color=style.FAINT, linewidth=0.7)


def draw(inputs: Inputs, dataset: str) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a data set and the figure."""
    parts = [inputs.of_dataset(dataset, name) for name in ("tasks", "labels", "items")]
    drawn = table(*parts)
    return drawn, plot(drawn, dataset)
