"""Figure `task_dependency`: how much each task takes from each other, with a tree (L2T-MITTEN, figure 4a)."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import dendrogram, linkage

from relatask.publishing import style
from relatask.publishing.dependency import Learned, learned, symmetric
from relatask.publishing.inputs import Inputs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Dependency of tasks",
    "category": "Task relations",
    "caption": (
        "The dependency between tasks that a method learned, D of L2T-MITTEN after its softmax: the weight "
        "of the source task (row) for the target task (column), mean over seeds (figure 4a of the paper).\n\n"
        "The tree joins tasks by average linkage, those with the greatest mean weight of both directions "
        "first. The parquet file beside the figure has all methods and splits, with the spread over seeds."
    ),
    "columns": {
        "method": "string",
        "split": "string",
        "source": "string",
        "target": "string",
        "source_name": "string",
        "target_name": "string",
        "weight": "float64?",  # mean over seeds; null where a method has no weight, as of a task for itself
        "std": "float64?",  # sample standard deviation over seeds
        "n_seeds": "int32",
    },
    "each": "dataset",
    "when": ("tasks",),
    "needs": ("plan", "dataset"),
    "saved": {"dependency": ("source", "target", "weight")},
}
NAMED = 60  # more task names than this would overlap


def tree(weights: np.ndarray) -> np.ndarray:
    """Return the average linkage [T - 1, 4] of T tasks; those that take most from each other are nearest.

    Args:
        weights: [T, T], of source for target; the diagonal is not read.
    """
    both = symmetric(weights)[np.triu_indices(len(weights), 1)]
    both = np.nan_to_num(both, nan=np.nanmin(both, initial=0))
    return linkage(1.1 * both.max() - 0.1 * both.min() - both, "average")  # the nearest two have a branch too


def table(found: list[Learned], names: dict[str, str]) -> pd.DataFrame:
    """Return what the figure shows: table `figure_task_dependency`, tasks in the order of the tree."""
    parts = []
    for one in found:
        n, mean = len(one.tasks), one.mean
        order = dendrogram(tree(mean), no_plot=True)["leaves"] if n > 1 else [0]
        ids = np.array(one.tasks, object)[order]
        named = np.array([names[task] for task in ids], object)
        part = {
            "method": one.method,
            "split": one.split,
            "source": np.repeat(ids, n),
            "target": np.tile(ids, n),
            "source_name": np.repeat(named, n),
            "target_name": np.tile(named, n),
            "weight": mean[np.ix_(order, order)].ravel(),
            "std": one.weights.std(0, ddof=1)[np.ix_(order, order)].ravel() if len(one.seeds) > 1 else np.nan,
            "n_seeds": len(one.seeds),
        }
        parts.append(pd.DataFrame(part))
    empty = pd.DataFrame(columns=list(FIGURE["columns"]))
    return pd.concat(parts, ignore_index=True) if parts else empty


def plot(drawn: pd.DataFrame, dataset: str) -> "Figure":
    """Draw the first method and split of table `figure_task_dependency`."""
    if drawn.empty:
        return style.empty(f"{dataset}: dependency of tasks", "No run of this data set saved one.")
    which = ["method", "split"]
    method, split = drawn[which].iloc[0]
    own = drawn[(drawn["method"] == method) & (drawn["split"] == split)]
    n = own["source"].nunique()
    grid = own["weight"].to_numpy(float).reshape(n, n)
    side = min(max(0.19 * n, 2.6), 9.0)
    figure = style.new_figure(side + 5.0, side + 2.9)
    branches, axes = figure.subplots(1, 2, width_ratios=(1, 4), sharey=n > 1)
    _draw_tree(branches, grid)
    axes.set_facecolor("#C8C8C8")
    others = grid[~np.eye(n, dtype=bool)] if n > 1 else grid
    low, high = np.nanmin(others), np.nanmax(others)
    image = axes.imshow(grid, cmap="viridis", vmin=low, vmax=high, interpolation="nearest", aspect="auto")
    axes.tick_params(length=0, labelsize=7)
    if n <= NAMED:
        names = [style.shorten(name, 24) for name in own["target_name"].iloc[:n]]
        axes.yaxis.tick_right()
        axes.set_yticks(range(n), names)
        axes.set_xticks(range(n), names, rotation=90)
        axes.tick_params(labelright=True, labelleft=False)
    else:
        axes.set_xticks([])
        axes.set_yticks([])
    axes.set_xlabel(f"target, of {n:,} tasks")
    branches.set_ylabel("source")
    figure.colorbar(image, ax=axes, fraction=0.046, pad=0.02, location="top").set_label(
        "weight of the source"
    )
    n_seeds, further = int(own["n_seeds"].iloc[0]), len(drawn[which].drop_duplicates()) - 1
    more = f" The parquet file beside it has {further} more, of other methods or splits." if further else ""
    style.heading(
        figure,
        f"{dataset}: what {method} takes from which task, {split} split",
        f"Mean over {style.counted(n_seeds, 'seed')}; colours span the weights of other tasks, grey: none is "
        "learned. The tree joins first the tasks with the greatest mean weight of both directions "
        f"(average linkage).{more}",
    )
    return figure


def _draw_tree(axes: "Axes", grid: np.ndarray) -> None:
    """Draw the tree of tasks that stand in its order, its leaves at the rows of the map."""
    axes.set_xticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(length=0, labelleft=False)
    nodes = [(0.0, float(row)) for row in range(len(grid))]  # depth and height of each branch
    for first, second, depth, _ in tree(grid) if len(grid) > 1 else ():
        (start, low), (end, high) = nodes[int(first)], nodes[int(second)]
        axes.plot([start, depth, depth, end], [low, low, high, high], color=style.GREY, linewidth=0.9)
        nodes.append((depth, (low + high) / 2))
    axes.invert_xaxis()


def draw(inputs: Inputs, dataset: str) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a data set and the figure."""
    tasks = inputs.of_dataset(dataset, "tasks")
    drawn = table(learned(inputs, dataset), dict(zip(tasks["task_id"], tasks["name"], strict=True)))
    return drawn, plot(drawn, dataset)
