"""Figure `known_ratio`: the metric by the ratio of known labels, as figure 4 of MetaLink."""

import json
from typing import TYPE_CHECKING

import pandas as pd

from relatask.config.conditions import ratio_families
from relatask.core.columns.data import CELLS
from relatask.evaluation.metrics import METRICS
from relatask.publishing import figure_data, style
from relatask.publishing.inputs import Inputs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Known labels",
    "category": "Comparison",
    "caption": (
        "The metric by the share of a molecule's other labels that a method reads.\n\n"
        "Each line is a method, trained and tested at each ratio; bars are ± one standard deviation "
        "over seeds. A cell's own label is never read, and all methods read the same labels. "
        "Dotted: the baseline, which reads none."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "ratio": "float64",
        "mean": "float64",
        "std": "float64?",
        "n_seeds": "int32",
    },
    "when": ("varies_known_ratio",),
    "needs": ("plan", "metrics"),
}

PANEL = ["dataset", "split"]


def _families(plan: pd.DataFrame) -> pd.DataFrame:
    """Method, its ratio of known labels, and the first method that differs from it in nothing else."""
    methods = []
    for row in plan.drop_duplicates("label").to_dict("records"):
        settings = json.loads(str(row["hyperparameters"]))
        options = settings.pop("method", {})
        methods.append((row["label"], options, [row["method"], str(row["encoder"]), settings]))
    found = [(label, family, ratio) for label, (family, ratio) in ratio_families(methods).items()]
    return pd.DataFrame(found, columns=["method", "family", "ratio"])


def table(plan: pd.DataFrame, metrics: pd.DataFrame, baseline: str, metric: str) -> pd.DataFrame:
    """Return what the figure shows: table `figure_known_ratio`.

    A row per method and ratio; methods that differ in the ratio alone share the name of the first. The
    baseline, which knows no label, has ratio 0; it is not drawn as a line but as a level.
    """
    values = figure_data.test_values(plan, metrics, metric)
    values = values[values["split"] != CELLS]  # there all training labels are known, whatever the ratio
    by = [*figure_data.ROW, "seed"]
    seeds = values.groupby(by, sort=False)["value"].mean().reset_index()
    drawn = figure_data.spread(seeds, figure_data.ROW)
    level = pd.DataFrame({"method": [baseline], "family": baseline, "ratio": 0.0})
    drawn = (
        drawn.merge(pd.concat([_families(plan), level]), on="method")
        .drop(columns="method")
        .rename(columns={"family": "method"})
    )
    orders = {"dataset": None, "split": None, "method": list(dict.fromkeys(plan["label"])), "ratio": None}
    return figure_data.arrange(drawn, orders)


def plot(drawn: pd.DataFrame, methods: list[str], baseline: str, metric: str) -> "Figure":
    """Draw table `figure_known_ratio`: a panel per data set and split, a line per method."""
    title = f"Test {METRICS[metric].label} by the share of labels that are known"
    if set(drawn["method"]) <= {baseline}:
        return style.empty(title, "No two methods of the study differ in the option known_ratio alone.")
    panels = list(drawn.groupby(PANEL, sort=False))
    figure = style.new_figure(1.2 + 3.4 * len(panels), 4.3)
    looks = style.looks(methods, baseline)
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, ((dataset, split), rows) in zip(grid, panels, strict=True):
        for method, line in rows.groupby("method", sort=False):
            look = looks[str(method)]
            if method == baseline:
                axes.axhline(line["mean"].iloc[0], color=look.colour, lw=0.9, ls=":", label=str(method))
                continue
            style_of = {
                "color": look.colour,
                "marker": look.marker,
                "markersize": 4.5,
                "lw": 1.3,
                "capsize": 2.5,
            }
            axes.errorbar(
                line["ratio"], line["mean"], yerr=line["std"].fillna(0), label=str(method), **style_of
            )
        axes.set_xlim(0, 1)
        axes.set_xlabel("share of an item's other labels that are known")
        axes.set_title(f"{dataset}, {split} split")
        axes.grid(axis="y", color=style.FAINT, linewidth=0.7)
    grid[0].set_ylabel(f"test {METRICS[metric].label}, mean over tasks")
    note = f"Bars: ± one standard deviation over seeds. Dotted: {baseline}, which is told no label."
    style.heading(figure, title, note, style.legend_of(grid))
    return figure


def draw(inputs: Inputs) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure and the figure."""
    drawn = table(inputs.plan, inputs.metrics, inputs.baseline, inputs.metric)
    return drawn, plot(
        drawn, figure_data.methods_of(inputs.plan, inputs.baseline), inputs.baseline, inputs.metric
    )
