"""Figure `per_task`: the leading metric of every task and method, sorted by what is gained.

Beyond `READABLE` tasks the rows would be too small to read, so the figure then shows how the differences to
the baseline are distributed over all tasks, and below it the tasks that differ most, by name.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from relatask.evaluation.metrics import METRICS
from relatask.publishing import figure_data, style
from relatask.publishing.inputs import Inputs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Each task",
    "category": "Comparison",
    "caption": (
        "Test ``{metric}`` of every task and method: marker for the mean over seeds, line for ± one "
        "standard deviation.\n\n"
        "Tasks are sorted by the gain of the best other method over the baseline ``{baseline}``, on "
        "the first split: at the top those that gain most, at the bottom those that lose. With more "
        "than 60 tasks the figure shows the distribution of the differences over all of them and "
        "names the 30 where the two differ most; both ends of that choice are extremes, so the "
        "distribution is what to judge the method by. Tasks whose test molecules have one class "
        "only, in every seed, are counted below the figure."
    ),
    "columns": {
        "task_id": "string",
        "name": "string",
        "split": "string",
        "method": "string",
        "mean": "float64",
        "std": "float64?",
        "n_seeds": "int32",
        "difference": "float64?",
    },
    "each": "dataset",
    "when": ("tasks",),
    "needs": ("plan", "metrics", "dataset"),
}

READABLE, SHOWN = 60, 30
KEYS = ["split", "method", "task_id"]


def table(
    plan: pd.DataFrame, metrics: pd.DataFrame, tasks: pd.DataFrame, dataset: str, baseline: str, metric: str
) -> pd.DataFrame:
    """Return what the figure shows: table `figure_per_task`, a row per task, split and method.

    `mean` and `std` are over seeds; `difference` is the mean of method minus baseline over the seeds where
    both are defined. The task with the largest gain of the `leader` comes first.
    """
    methods = list(dict.fromkeys(plan["label"]))
    values = figure_data.test_values(plan, metrics, metric)
    values = values[values["dataset"] == dataset].drop(columns="dataset")
    drawn = figure_data.spread(values, KEYS)
    base = values.loc[values["method"] == baseline, ["split", "seed", "task_id", "value"]]
    paired = values.merge(base, on=["split", "seed", "task_id"], suffixes=("", "_base"))
    paired["difference"] = paired["value"] - paired["value_base"]
    differences = paired.groupby(KEYS, sort=False)["difference"].mean().reset_index()
    drawn = drawn.merge(differences, on=KEYS, how="left")
    names = dict(zip(tasks["task_id"], tasks["name"], strict=True))
    drawn["name"] = drawn["task_id"].map(names).fillna(drawn["task_id"])
    rows = _by_gain(drawn, leader(drawn, methods, baseline, metric), baseline, metric)
    return figure_data.arrange(drawn, {"task_id": rows, "split": None, "method": methods})


def leader(drawn: pd.DataFrame, methods: list[str], baseline: str, metric: str) -> str:
    """Return the method with the best mean difference to the baseline; the baseline where it is alone."""
    sign = 1 if METRICS[metric].higher_is_better else -1
    means = drawn[drawn["method"] != baseline].groupby("method")["difference"].mean().dropna() * sign
    return max(means.index, key=lambda name: (means[name], -methods.index(name)), default=baseline)


def _by_gain(drawn: pd.DataFrame, lead: str, baseline: str, metric: str) -> list[str]:
    """Return the task ids, those with the largest gain (of the first split) first, undefined ones last."""
    column = "mean" if lead == baseline else "difference"
    sign = 1 if METRICS[metric].higher_is_better else -1
    rows = drawn[(drawn["method"] == lead) & drawn[column].notna()].drop_duplicates("task_id")
    gain = dict(zip(rows["task_id"], rows[column] * sign, strict=True))
    return sorted(drawn["task_id"].unique(), key=lambda task: (-gain.get(task, -np.inf), task))


def _most_different(drawn: pd.DataFrame, lead: str, baseline: str) -> list[str]:
    """Return the `SHOWN` task ids where the leader differs most from the baseline, in the rows' order.

    Without another method: those where the baseline is lowest.
    """
    rows = drawn[drawn["method"] == lead].drop_duplicates("task_id")
    size = rows["difference"].abs() if lead != baseline else -rows["mean"]
    chosen = set(rows.loc[size.sort_values(ascending=False, kind="stable").index[:SHOWN], "task_id"])
    return [task for task in drawn["task_id"].unique() if task in chosen]


def _dots(
    axes: "Axes", rows: pd.DataFrame, tasks: list[str], looks: dict[str, style.Look], metric: str
) -> None:
    """A row per task, a dot per method with its interval, the methods one below the other in the row."""
    place = {task: row for row, task in enumerate(tasks)}
    step = 0.72 / len(looks)
    for band in range(0, len(tasks), 2):
        axes.axhspan(band - 0.5, band + 0.5, color="#F4F4F4", zorder=0, linewidth=0)
    for index, (method, look) in enumerate(looks.items()):
        mine = rows[rows["method"] == method]
        y = mine["task_id"].map(place).to_numpy() + (index - (len(looks) - 1) / 2) * step
        interval = mine["std"].fillna(0).to_numpy()
        axes.hlines(y, mine["mean"] - interval, mine["mean"] + interval, color=look.colour, lw=1, alpha=0.75)
        axes.scatter(mine["mean"], y, s=15, marker=look.marker, color=look.colour, zorder=3, label=method)
    names = dict(zip(rows["task_id"], rows["name"], strict=True))
    axes.set_yticks(range(len(tasks)), [style.shorten(names.get(task, task)) for task in tasks])
    axes.tick_params(axis="y", length=0, labelsize=7.5)
    axes.set_ylim(len(tasks) - 0.5, -0.5)
    ends = [*(rows["mean"] - rows["std"].fillna(0)), *(rows["mean"] + rows["std"].fillna(0))]
    axes.set_xlim(*style.value_limits(ends, metric))
    axes.grid(axis="x", color=style.FAINT, linewidth=0.7)
    style.mark_chance(axes, metric)


def _distribution(
    axes: "Axes", rows: pd.DataFrame, looks: dict[str, style.Look], baseline: str, metric: str
) -> None:
    """A row per method: every task's difference as a dot, the median and the quartiles as a bar."""
    sign = 1 if METRICS[metric].higher_is_better else -1
    column = "difference" if len(looks) > 1 else "mean"
    shown = [method for method in looks if method != baseline or len(looks) == 1]
    labels = []
    for place, method in enumerate(shown):
        values = np.sort(rows.loc[rows["method"] == method, column].dropna().to_numpy())
        # steps of the golden ratio scatter neighbours apart, evenly and the same each time
        jitter = (np.arange(len(values)) * 0.618034) % 1 * 0.56 - 0.28
        axes.scatter(values, place + jitter, s=7, color=looks[method].colour, alpha=0.5, linewidth=0)
        if len(values):
            low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
            axes.hlines(place, low, high, color="black", lw=3.2, zorder=3)
            axes.scatter(middle, place, s=26, color="white", edgecolor="black", zorder=4)
        better = int((values * sign > 0).sum())
        words = f"\nbetter on {better:,} of {len(values):,}" if column == "difference" else ""
        labels.append(method + words)
    axes.set_yticks(range(len(shown)), labels)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.grid(axis="x", color=style.FAINT, linewidth=0.7)
    if column == "difference":
        axes.axvline(0, color=style.BASELINE_COLOUR, linewidth=1, zorder=1.2)
        axes.set_xlabel(f"difference in test {METRICS[metric].label} to {baseline}, one dot per task")
    else:
        axes.set_xlabel(f"test {METRICS[metric].label}, one dot per task")


def plot(
    drawn: pd.DataFrame, methods: list[str], baseline: str, metric: str, dataset: str, n_tasks: int
) -> "Figure":
    """Draw table `figure_per_task` of a data set with `n_tasks` tasks: a column of panels per split."""
    label = METRICS[metric].label
    title = f"{dataset}: test {label} of each task"
    if drawn.empty:
        return style.empty(title, f"No seed has a defined {label} for any of the {n_tasks} tasks.")
    lead = leader(drawn, methods, baseline, metric)
    tasks, splits = list(drawn["task_id"].unique()), list(dict.fromkeys(drawn["split"]))
    looks, many = style.looks(methods, baseline), len(tasks) > READABLE
    shown = _most_different(drawn, lead, baseline) if many else tasks
    row_height = max(0.17, 0.055 * len(methods) + 0.03)
    heights = [len(shown) * row_height + 0.3]
    if many:
        heights.insert(0, 0.5 * max(1, len(methods) - 1) + 0.3)
    figure = style.new_figure(3.0 + 4.4 * len(splits), sum(heights) + 0.75 * len(heights) + 0.9)
    grid = figure.subplots(len(heights), len(splits), squeeze=False, sharey="row", height_ratios=heights)
    for column, split in enumerate(splits):
        rows = drawn[drawn["split"] == split]
        if many:
            _distribution(grid[0, column], rows, looks, baseline, metric)
        axes = grid[-1, column]
        _dots(axes, rows[rows["task_id"].isin(shown)], shown, looks, metric)
        axes.set_xlabel(f"test {label} per task")
        grid[0, column].set_title(
            f"{split} split, {style.counted(rows['task_id'].nunique(), 'task')}", pad=12
        )
        if many:
            axes.set_title(f"{len(shown)} of {len(tasks):,} tasks", pad=12)
    _same_range(grid)
    style.heading(figure, title, _note(drawn, lead, baseline, many, n_tasks), style.legend_of(grid[-1]))
    return figure


def _same_range(grid: np.ndarray) -> None:
    """Give the panels of one row the same range, so that splits can be compared."""
    for line in grid:
        limits = np.array([axes.get_xlim() for axes in line])
        for axes in line:
            axes.set_xlim(limits[:, 0].min(), limits[:, 1].max())


def _note(drawn: pd.DataFrame, lead: str, baseline: str, many: bool, n_tasks: int) -> str:
    """How to read the figure, and what it leaves out."""
    seeds = drawn["n_seeds"].max()
    interval = f"mean of {seeds} seeds, line ± one standard deviation" if seeds > 1 else "one seed"
    gained = f"the gain of {lead} over {baseline}" if lead != baseline else "value"
    words = f"Marker: {interval}. Tasks are sorted by {gained}."
    if many:
        chosen = f"{lead} and {baseline} differ most" if lead != baseline else f"{baseline} is lowest"
        words = (
            f"Top: all tasks; white dot: median, black bar: quartiles. Bottom: the {SHOWN} tasks where "
            f"{chosen}. {words}"
        )
    if missing := n_tasks - drawn["task_id"].nunique():
        words += (
            f" {missing:,} of {n_tasks:,} tasks are not shown: no seed has both classes in its test fold."
        )
    return words


def draw(inputs: Inputs, dataset: str) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a data set and the figure."""
    tasks, metric = inputs.of_dataset(dataset, "tasks"), next(iter(inputs.leading_of(dataset)))
    if len(inputs.leading) > 1:  # tasks of other kinds have other metrics: the table per_task
        tasks = tasks[tasks["kind"] == METRICS[metric].of]
    drawn = table(inputs.plan, inputs.metrics, tasks, dataset, inputs.baseline, metric)
    return drawn, plot(
        drawn,
        figure_data.methods_of(inputs.plan, inputs.baseline),
        inputs.baseline,
        metric,
        dataset,
        len(tasks),
    )
