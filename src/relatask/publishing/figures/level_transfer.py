"""Figure `level_transfer`: what embeddings tell of a level that they were not trained for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from relatask.publishing import figure_data, style
from relatask.publishing.inputs import Inputs
from relatask.publishing.levels import (
    LEVELS,
    NAMES,
    SHORT,
    Row,
    level_means,
    level_values,
    levels_of,
    relative_changes,
    rows_of,
    short_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Transfer between levels",
    "category": "Comparison",
    "caption": (
        "How much worse, or better, a linear classifier on embeddings tells a level that they were not "
        "trained for than the network that was trained end to end for this level alone, in percent of its "
        "value.\n\nNC → GC: embeddings that were trained for nodes, asked about graphs (GC: classes of "
        "graphs, NC: of nodes, LP: links). First come networks trained for one level in the classical manner "
        "(as figure 1 of SAME), then other rows of one level, rows of two (as its figure 3), and what was "
        "not trained at all. Lines are ± one standard deviation over seeds."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "group": "string",
        "trained": "string",  # the levels that the method trains, "" for none
        "level": "string",  # that it is asked about
        "mean": "float64",  # change in percent, over seeds
        "std": "float64?",
        "n_seeds": "int32",
    },
    "each": "dataset",
    "when": ("levels",),
    "needs": ("plan", "metrics", "dataset"),
}
GROUPS = ("one level, classical", "one level", "two levels", "not trained")
BY = ["split", "method", "group", "trained", "level"]


def _group(row: Row, levels: tuple[str, ...], there: list[str]) -> str:
    if len(levels) == 1:
        return GROUPS[0] if row.is_single(levels[0], there) else GROUPS[1]
    return GROUPS[2] if levels else GROUPS[3]


def table(inputs: Inputs, dataset: str) -> tuple[pd.DataFrame, list[str]]:
    """Return what the figure shows: a row per (split, method, level that it did not train).

    And what it leaves out because there is no single-task row to compare with, e.g. "iSAME: links".
    """
    means, there = level_means(level_values(inputs)), levels_of(inputs, dataset)
    parts, lost = [], []
    for row in rows_of(inputs):
        levels = row.trained(there)
        others = [level for level in there if level not in levels]
        change, missing = relative_changes(inputs, dataset, means, row, others)
        names = {"method": row.label, "trained": short_of(levels), "group": _group(row, levels, there)}
        parts.append(change.assign(**names))
        lost += [f"{row.label}: {NAMES[level]}" for level in missing]
    values = pd.concat(parts, ignore_index=True).rename(columns={"change": "value"})
    drawn = figure_data.spread(values.astype({"value": float}), BY).assign(dataset=dataset)
    orders = {
        "split": inputs.study.splits.schemes,
        "group": GROUPS,
        "method": inputs.methods,
        "level": LEVELS,
    }
    return figure_data.arrange(drawn, orders), lost


def plot(drawn: pd.DataFrame, dataset: str, lost: Sequence[str] = ()) -> "Figure":
    """Draw the table of a data set: a panel per split, a bar per method and level."""
    title = f"{dataset}: embeddings at levels that they were not trained for"
    if drawn.empty:
        return style.empty(title, "No method leaves out a level that another was trained for alone.")
    panels = list(drawn.groupby("split", sort=False))
    most = max(len(rows) for _, rows in panels)
    figure = style.new_figure(1.6 + 5.2 * len(panels), 1.5 + 0.24 * most)
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (split, rows) in zip(grid, panels, strict=True):
        _panel(axes, rows.reset_index(drop=True))
        axes.set_title(f"{split} split ({style.counted(rows['n_seeds'].max(), 'seed')})")
    note = (
        "GC: classes of graphs, NC: of nodes, LP: links. x → y: trained for x, a linear classifier tells y. "
        "Line: ± one standard deviation over seeds."
    )
    if lost:
        note += f" Not drawn, as no single-task row is there to compare with: {', '.join(lost)}."
    style.heading(figure, title, note, style.legend_of(grid))
    return figure


def _panel(axes: "Axes", rows: pd.DataFrame) -> None:
    for level, colour in zip(LEVELS, style.PALETTE, strict=False):
        bars = rows[rows["level"] == level]
        if len(bars):
            axes.barh(bars.index, bars["mean"], height=0.72, color=colour, label=NAMES[level])
            line: Any = {"ls": "none", "color": style.BASELINE_COLOUR, "lw": 0.9}
            axes.errorbar(bars["mean"], bars.index, xerr=bars["std"].fillna(0), **line)
    for place in range(1, len(rows)):
        if rows["group"][place] != rows["group"][place - 1]:
            axes.axhline(place - 0.5, color=style.GREY, linewidth=0.7)
    arrows = rows["trained"] + " → " + rows["level"].map(SHORT)
    axes.set_yticks(
        rows.index,
        [
            f"{style.shorten(name)}: {arrow.strip()}"
            for name, arrow in zip(rows["method"], arrows, strict=True)
        ],
    )
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.axvline(0, color=style.BASELINE_COLOUR, linewidth=0.8)
    axes.grid(axis="x", color=style.FAINT, linewidth=0.7)
    axes.set_xlabel("change against training for this level alone (%)")


def draw(inputs: Inputs, dataset: str) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a data set and the figure."""
    drawn, lost = table(inputs, dataset)
    return drawn, plot(drawn, dataset, lost)
