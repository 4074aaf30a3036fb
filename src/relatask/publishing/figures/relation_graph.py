"""Figure `relation_graph`: tasks as nodes, their relations as edges, groups of related tasks by colour."""

from typing import TYPE_CHECKING

import networkx
import numpy as np
import pandas as pd

from relatask.publishing import graph_layout, style
from relatask.publishing.inputs import Inputs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Relation graph",
    "category": "Data",
    "caption": (
        "Tasks (dots) and the relations between them (lines), as the methods that use relations see "
        "them.\n\n"
        "The area of a dot grows with the task's labels, the width of a line with the score of the "
        "relation. Colours are families: tasks related more among themselves than with others "
        "(communities by Louvain, weighted by score; a family never spans two unconnected parts). "
        "Beyond 80 tasks names are left out; the parquet file beside the figure has them with their "
        "positions and families."
    ),
    "columns": {
        "task_i": "string",
        "task_j": "string?",
        "score": "float64?",
        "name": "string?",
        "x": "float64?",
        "y": "float64?",
        "n_labels": "float64?",
        "family": "float64?",
    },
    "each": "dataset",
    "when": ("always", "relations"),
    "needs": ("dataset",),
}

NAMED = 80  # more task names than this would overlap
COLOURED = len(style.PALETTE)
DRAWING = 8.2  # inches


def table(tasks: pd.DataFrame, relations: pd.DataFrame) -> pd.DataFrame:
    """Return what the figure shows: table `figure_relation_graph`, a row per task, then one per relation.

    A task's row has its position, its labels and its `family`: tasks related more among themselves than with
    others (communities by Louvain, Blondel et al. 2008, weighted by score, within the connected
    components), the largest being 0; tasks without relations have family -1.
    """
    task_ids = tasks["task_id"].tolist()
    place = {task: row for row, task in enumerate(task_ids)}
    graph = networkx.Graph()  # of row numbers: sets of strings come in another order in each process
    graph.add_nodes_from(range(len(task_ids)))
    edges = relations.groupby(["task_i", "task_j"])["score"].max().reset_index()
    graph.add_weighted_edges_from(
        zip(edges["task_i"].map(place), edges["task_j"].map(place), edges["score"].astype(float), strict=True)
    )
    position = graph_layout.positions(graph, roomy=len(graph) <= NAMED)
    nodes = pd.DataFrame(
        {
            "task_i": task_ids,
            "task_j": None,
            "score": None,
            "name": tasks["name"],
            "x": position[:, 0],
            "y": position[:, 1],
            "n_labels": tasks["n_labels"].to_numpy(),
            "family": graph_layout.families(graph),
        }
    )
    return pd.concat([nodes, edges], ignore_index=True).astype({"score": float})


def plot(drawn: pd.DataFrame, dataset: str) -> "Figure":
    """Draw table `figure_relation_graph`."""
    nodes = drawn[drawn["task_j"].isna()].set_index("task_i")
    edges = drawn[drawn["task_j"].notna()]
    xy = nodes[["x", "y"]].astype(float)
    span = np.ptp(xy.to_numpy(), axis=0) + 1 if len(xy) else np.ones(2)
    drawing = float(np.clip(DRAWING * span[1] / span[0], 2.4, min(9, 2.4 + 0.17 * len(xy))))
    figure = style.new_figure(DRAWING + 2.3, drawing + 0.8)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_xlim(xy["x"].min() - 0.5, xy["x"].max() + 0.5)
    axes.set_ylim(xy["y"].min() - 0.5, xy["y"].max() + 0.5)
    _edges(axes, xy, edges)
    sizes = _nodes(axes, xy, nodes)
    _legend(figure, nodes, edges)
    style.heading(figure, *_words(nodes, edges, dataset))
    if len(nodes) <= NAMED:
        names = [style.shorten(name, 20) for name in nodes["name"]]
        graph_layout.name_nodes(figure, axes, xy.to_numpy(), np.sqrt(sizes) / 2, names)
    return figure


def _words(nodes: pd.DataFrame, edges: pd.DataFrame, dataset: str) -> tuple[str, str]:
    """The title, and how to read the figure."""
    related = int((nodes["family"] >= 0).sum())
    title = f"{dataset}: {style.counted(len(edges), 'relation')} between {related:,} of {len(nodes):,} tasks"
    if not related:
        return title, "No two tasks of this data set are related."
    families = int(nodes["family"].max()) + 1
    most = f", the {COLOURED} largest coloured" if families > COLOURED else ""
    note = (
        f"Colour: {families} families of tasks, related more among themselves than with others "
        f"(Louvain){most}. Area: labels; width: score. Closeness means relation within a connected part; "
        "parts are set side by side" + (", tasks without relations below." if related < len(nodes) else ".")
    )
    return title, note


def _edges(axes: "Axes", xy: pd.DataFrame, edges: pd.DataFrame) -> None:
    """Lines as wide and as dark as their score is high; as pixels in SVG where there are thousands."""
    from matplotlib.collections import LineCollection

    ends = np.stack([xy.loc[edges["task_i"]].to_numpy(), xy.loc[edges["task_j"]].to_numpy()], axis=1)
    score = edges["score"].to_numpy(float)
    crowd = min(1.0, (300 / max(len(edges), 1)) ** 0.5)
    lines = LineCollection(
        list(ends),
        linewidths=_width(score) * max(crowd, 0.35),
        colors=[(0.35, 0.35, 0.35, alpha) for alpha in (0.25 + 0.55 * score) * max(crowd, 0.3)],
        zorder=1,
        rasterized=len(edges) > 2000,
    )
    axes.add_collection(lines)


def _width(score: np.ndarray) -> np.ndarray:
    return 0.4 + 2.6 * score


def _sizes(n_labels: np.ndarray, largest: float, n_nodes: int) -> np.ndarray:
    """Marker areas (points squared) in proportion to the labels, with a floor that can still be seen."""
    full = float(np.clip(16000 / max(n_nodes, 1), 40, 300))
    return np.maximum(full * n_labels / max(largest, 1), 7)


def _nodes(axes: "Axes", xy: pd.DataFrame, nodes: pd.DataFrame) -> np.ndarray:
    """Dots with an area in proportion to the labels; returns the areas (points squared)."""
    n_labels, family = nodes["n_labels"].to_numpy(float), nodes["family"].to_numpy(int)
    sizes = _sizes(n_labels, n_labels.max(initial=0), len(nodes))
    colours = [style.PALETTE[index] if 0 <= index < COLOURED else "#9A9A9A" for index in family]
    colours = ["#FFFFFF" if index < 0 else colour for index, colour in zip(family, colours, strict=True)]
    axes.scatter(
        xy["x"],
        xy["y"],
        s=sizes,
        c=colours,
        edgecolors="#444444",
        linewidths=0.5,
        zorder=2,
    )
    return sizes


def _legend(figure: "Figure", nodes: pd.DataFrame, edges: pd.DataFrame) -> None:
    """Sizes, widths and colours, explained at the right."""
    from matplotlib.lines import Line2D

    def dot(colour: str, area: float, label: str) -> Line2D:
        return Line2D(
            [], [], ls="", marker="o", color=colour, mec="#444444", mew=0.5, ms=area**0.5, label=label
        )

    handles, largest = [], float(nodes["n_labels"].max())
    for part in (1.0, 0.5, 0.1):
        count = float(f"{largest * part:.1g}") if part < 1 else largest
        area = _sizes(np.array([count]), largest, len(nodes))[0]
        handles.append(dot("#CFCFCF", area, f"{count:,.0f} labels"))
    if len(edges):
        score = edges["score"].to_numpy(float)
        crowd = max(min(1.0, (300 / len(edges)) ** 0.5), 0.35)
        for value in dict.fromkeys((round(float(score.max()), 2), round(float(score.min()), 2))):
            width = float(_width(np.array([value]))[0]) * crowd
            handles.append(Line2D([], [], color="#666666", lw=width, label=f"score {value:.2f}"))
    sizes = nodes["family"].value_counts()
    for index in range(min(COLOURED, int(nodes["family"].max()) + 1)):
        handles.append(dot(style.PALETTE[index], 40, f"family of {sizes[index]} tasks"))
    if (rest := int((nodes["family"] >= COLOURED).sum())) > 0:
        families = int(nodes["family"].max()) + 1 - COLOURED
        handles.append(dot("#9A9A9A", 40, f"{rest} tasks in {families} further"))
    if (alone := int((nodes["family"] < 0).sum())) > 0:
        handles.append(dot("#FFFFFF", 40, f"{style.counted(alone, 'task')} without relations"))
    figure.legend(handles=handles, loc="outside right upper", labelspacing=1.25, borderpad=1.3, markerscale=1)


def draw(inputs: Inputs, dataset: str) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a data set and the figure."""
    drawn = table(inputs.of_dataset(dataset, "tasks"), inputs.of_dataset(dataset, "relations"))
    return drawn, plot(drawn, dataset)
