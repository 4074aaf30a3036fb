"""Figure `learning_curves`: the validation metric by epoch, mean and spread over seeds."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from relatask.evaluation.metrics import METRICS
from relatask.evaluation.spread import column_deviations
from relatask.publishing import figure_data, style
from relatask.publishing.inputs import Inputs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Learning curves",
    "category": "Training",
    "caption": (
        "What training validates with after each epoch: ROC-AUC (mean over tasks with both classes), "
        "the error of forecasts, or the accuracy over episodes; with measured values the mean over "
        "tasks of ROC-AUC, accuracy, and 1 - MAE / deviation in training. Line for the mean over "
        "seeds, band for ± one standard deviation.\n\n"
        "A method that trains one network per task is drawn as the mean over its tasks. Where runs "
        "stop early, the line is dashed from the first that stopped, and a stopped run keeps its "
        "last value. The weights that are tested are those of the best validation, not of the last "
        "epoch. Methods without epochs are named below the figure."
    ),
    "columns": {
        "split": "string",
        "method": "string",
        "epoch": "int32",
        "mean": "float64?",
        "std": "float64?",
        "n_seeds": "int32",
        "still_training": "float64",
    },
    "each": "dataset",
    "when": ("networks",),
    "needs": ("plan", "history"),
}


def validated_by(leading: str) -> str:
    """Return the metric that training validates with, whichever of its kind leads the tables."""
    return "roc_auc" if METRICS[leading].of == "binary" else leading


def table(plan: pd.DataFrame, history: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Return what the figure shows: table `figure_learning_curves`, a row per split, method and epoch.

    A method that trains a network per task has a curve per task: their mean is the seed's. A curve that
    stopped early keeps its last value, since a mean over the remaining ones would jump; `still_training` is
    the share of curves that have not stopped. `std` is over seeds, null with one.
    """
    rows = figure_data.with_plan(history, plan)
    rows = rows[(rows["dataset"] == dataset) & rows["valid_metric"].notna()]
    rows = rows.assign(curve=rows["run_id"] + "/" + rows["task_id"].astype("string").fillna(""))
    groups = rows.groupby(["split", "method"])
    parts = [_one_method(group, str(split), str(method)) for (split, method), group in groups]
    columns = ["split", "method", "epoch", "mean", "std", "n_seeds", "still_training"]
    drawn = pd.concat(parts) if parts else pd.DataFrame(columns=columns)
    return figure_data.arrange(
        drawn[columns], {"split": None, "method": list(dict.fromkeys(plan["label"])), "epoch": None}
    )


def _one_method(rows: pd.DataFrame, split: str, method: str) -> pd.DataFrame:
    """The mean curve of one method on one split."""
    curves = (
        rows.pivot(index="curve", columns="epoch", values="valid_metric").sort_index(axis=1).astype(float)
    )
    seed_of = rows.groupby("curve")["seed"].first()
    seeds = curves.ffill(axis=1).groupby(seed_of).mean()
    epochs = curves.columns.to_numpy()
    last = epochs[curves.shape[1] - 1 - curves.notna().to_numpy()[:, ::-1].argmax(axis=1)]
    return pd.DataFrame(
        {
            "split": split,
            "method": method,
            "epoch": epochs,
            "mean": seeds.mean().to_numpy(),
            "std": column_deviations(seeds),
            "n_seeds": len(seeds),
            "still_training": (last[:, None] >= epochs).mean(axis=0),
        }
    )


def plot(
    drawn: pd.DataFrame,
    methods: list[str],
    baseline: str,
    dataset: str,
    leading: str,
    each: str = "task",
    mixed: bool = False,
) -> "Figure":
    """Draw table `figure_learning_curves`: a panel per split, a line per method.

    Args:
        drawn: the table.
        methods: in the order of the study.
        baseline: one of them.
        dataset: its name.
        leading: metric that leads the study's tables.
        each: over which its means are taken, task or episode.
        mixed: whether some tasks have measured values, so that training validates with a mean over kinds.
    """
    metric, splits = validated_by(leading), list(dict.fromkeys(drawn["split"]))
    label = "value" if mixed else METRICS[metric].label
    title = f"{dataset}: validation {label} while training"
    if drawn.empty:
        return style.empty(title, f"No run of this data set has epochs with a defined validation {label}.")
    figure = style.new_figure(1.2 + 4.6 * len(splits), 4.2)
    grid = figure.subplots(1, len(splits), squeeze=False, sharey=True)[0]
    looks = style.looks(methods, baseline)
    for axes, split in zip(grid, splits, strict=True):
        rows = drawn[drawn["split"] == split]
        for method in dict.fromkeys(rows["method"]):
            _line(axes, rows[rows["method"] == method], method, looks[method])
        axes.set_title(f"{split} split")
        axes.set_xlabel("epoch")
        axes.grid(color=style.FAINT, linewidth=0.7)
        axes.margins(x=0.02)
        if not mixed:
            style.mark_chance(axes, metric, horizontal=True)
    ends = [*(drawn["mean"] - drawn["std"].fillna(0)), *(drawn["mean"] + drawn["std"].fillna(0))]
    grid[0].set_ylim(*style.value_limits(ends, metric))
    grid[0].set_ylabel(f"validation {label}, mean over {each}s")
    style.heading(figure, title, _note(drawn, methods), style.legend_of(grid))
    return figure


def _line(axes: "Axes", rows: pd.DataFrame, method: str, look: style.Look) -> None:
    """Solid while every curve still trains, dashed from the first that stopped; a band over seeds."""
    epoch, mean, std = (rows[name].to_numpy(float) for name in ("epoch", "mean", "std"))
    whole = int((rows["still_training"].to_numpy() >= 1).sum())
    marker: dict[str, Any] = {"marker": look.marker, "markersize": 4, "markevery": max(1, len(rows) // 8)}
    axes.plot(epoch[:whole], mean[:whole], color=look.colour, lw=1.6, label=method, **marker)
    axes.plot(
        epoch[max(whole - 1, 0) :], mean[max(whole - 1, 0) :], color=look.colour, lw=1.1, ls=(0, (3, 2))
    )
    if not np.isnan(std).all():
        axes.fill_between(epoch, mean - std, mean + std, color=look.colour, alpha=0.16, linewidth=0)


def _note(drawn: pd.DataFrame, methods: list[str]) -> str:
    """How to read the figure, and what it leaves out."""
    seeds = drawn["n_seeds"].max()
    words = f"Mean of {seeds} seeds; band: ± one standard deviation over seeds." if seeds > 1 else "One seed."
    if (drawn["still_training"] < 1).any():
        words += " Dashed: some runs have stopped early and keep their last value."
    if absent := [method for method in methods if method not in set(drawn["method"])]:
        words += f" Without epochs, so not shown: {', '.join(absent)}."
    return words


def draw(inputs: Inputs, dataset: str) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a data set and the figure."""
    drawn = table(inputs.plan, inputs.history, dataset)
    methods = figure_data.methods_of(inputs.plan, inputs.baseline)
    mixed = "real" in inputs.study.kinds and inputs.study.items != "series"
    return drawn, plot(drawn, methods, inputs.baseline, dataset, inputs.metric, inputs.study.each, mixed)
