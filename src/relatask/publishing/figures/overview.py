"""Figure `overview`: the mean of the leading metric for each method, data set and split."""

from typing import TYPE_CHECKING

import pandas as pd

from relatask.evaluation.aggregate import mixed_units
from relatask.evaluation.metrics import METRICS
from relatask.publishing import figure_data, style
from relatask.publishing.inputs import Inputs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURE = {
    "title": "All methods",
    "category": "Comparison",
    "caption": (
        "Test ``{metric}`` of every method of study ``{study}``, for each data set and split.\n\n"
        "The large marker and the number are the mean over tasks (of few-shot learning: episodes), "
        "then over seeds; the line is ± one standard deviation over seeds; small dots are the seeds "
        "themselves. The dotted line continues the baseline ``{baseline}``. All panels share one "
        "axis, which always includes chance where the metric has such a level, so that a small "
        "difference looks small.\n\n"
        "Whether a difference is more than chance says the table *significance*."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "seed": "int32",
        "value": "float64",
        "n_tasks": "int32",
        "mean": "float64",
        "std": "float64?",
        "n_seeds": "int32",
    },
    "when": ("always",),
    "needs": ("plan", "metrics", "dataset"),
}


def table(plan: pd.DataFrame, metrics: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return what the figure shows: table `figure_overview`, a row per method and seed.

    `value` is the mean over the tasks where the metric is defined; `mean` and `std` are over seeds.
    """
    values = figure_data.test_values(plan, metrics, metric)
    by = [*figure_data.ROW, "seed"]
    seeds = values.groupby(by, sort=False)["value"].agg(value="mean", n_tasks="size").reset_index()
    drawn = seeds.merge(figure_data.spread(seeds, figure_data.ROW), on=figure_data.ROW)
    orders = {"dataset": None, "split": None, "method": list(dict.fromkeys(plan["label"])), "seed": None}
    return figure_data.arrange(drawn, orders)


def _panel(axes: "Axes", rows: pd.DataFrame, methods: list[str], baseline: str, metric: str) -> None:
    """One data set and split: a row per method."""
    looks = style.looks(methods, baseline)
    for place, method in enumerate(methods):
        seeds = rows[rows["method"] == method]
        if seeds.empty:
            axes.text(0.5, place, "not defined", transform=axes.get_yaxis_transform(), va="center")
            continue
        look, mean, std = looks[method], seeds["mean"].iloc[0], seeds["std"].iloc[0]
        lower = [place + 0.24] * len(seeds)
        axes.scatter(seeds["value"], lower, s=9, color=look.colour, alpha=0.55, linewidth=0)
        axes.errorbar(mean, place, xerr=None if pd.isna(std) else std, color=look.colour, capsize=2.5, lw=1.4)
        axes.scatter(mean, place, s=42, marker=look.marker, color=look.colour, zorder=3)
        text = f"{mean:.3f}" + ("" if pd.isna(std) else f" ± {std:.3f}")
        axes.text(1.02, place, text, transform=axes.get_yaxis_transform(), va="center", fontsize=8)
    if baseline in set(rows["method"]):
        level = rows.loc[rows["method"] == baseline, "mean"].iloc[0]
        axes.axvline(level, color=style.BASELINE_COLOUR, linewidth=0.7, linestyle=":", zorder=1.1)
    axes.set_yticks(range(len(methods)), methods)
    axes.set_ylim(len(methods) - 0.45, -0.55)
    axes.grid(axis="x", color=style.FAINT, linewidth=0.7)
    style.mark_chance(axes, metric)


def plot(drawn: pd.DataFrame, methods: list[str], baseline: str, metric: str, each: str = "task") -> "Figure":
    """Draw table `figure_overview`: a panel per data set (row) and split (column)."""
    datasets, splits = list(dict.fromkeys(drawn["dataset"])), list(dict.fromkeys(drawn["split"]))
    width = 2.0 + 4.6 * len(splits)
    figure = style.new_figure(width, 1.3 + len(datasets) * (0.75 + 0.3 * len(methods)))
    grid = figure.subplots(len(datasets), len(splits), squeeze=False, sharey=True)
    for line, dataset in zip(grid, datasets, strict=True):
        for axes, split in zip(line, splits, strict=True):
            rows = drawn[(drawn["dataset"] == dataset) & (drawn["split"] == split)]
            if rows.empty:
                axes.set_visible(False)
                continue
            _panel(axes, rows, methods, baseline, metric)
            axes.set_xlim(*style.value_limits(drawn["value"], metric))
            tasks, seeds = rows["n_tasks"].max(), rows["n_seeds"].max()
            words = f"{style.counted(tasks, each)}, {style.counted(seeds, 'seed')}"
            axes.set_title(f"{dataset}, {split} split ({words})", pad=12)
    for axes in grid[-1]:
        axes.set_xlabel(f"test {METRICS[metric].label}, mean over {each}s")
    style.heading(
        figure,
        f"Test {METRICS[metric].label} of each method",
        "Marker and number: mean over seeds; line: ± one standard deviation over seeds; small dots: the "
        f"single seeds; dotted: the baseline {baseline}.",
    )
    return figure


def draw(inputs: Inputs) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure and the figure."""
    metric = inputs.metric
    drawn = table(inputs.plan, inputs.metrics, metric)
    if METRICS[metric].in_unit:
        mixed = [name for name in inputs.study.datasets if mixed_units(inputs.of_dataset(name, "tasks"))]
        drawn = drawn[~drawn["dataset"].isin(mixed)].reset_index(drop=True)
    if drawn.empty:
        title = f"Test {METRICS[metric].label} of each method"
        return drawn, style.empty(
            title, "It has no mean over tasks in several units; see the table per_task."
        )
    methods = figure_data.methods_of(inputs.plan, inputs.baseline)
    return drawn, plot(drawn, methods, inputs.baseline, inputs.metric, inputs.study.each)
