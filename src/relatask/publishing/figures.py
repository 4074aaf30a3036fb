"""Which figures a study has, what the report says about each, and how all are drawn.

Snakemake asks for the names while it parses the workflow, so matplotlib and pandas are imported only where
something is drawn.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from relatask.config import StrategyConfig, StudyConfig
from relatask.core.columns.data import CELLS
from relatask.core.errors import RelataskError
from relatask.core.registry import capabilities
from relatask.core.tables import read_table, write_table
from relatask.publishing.data_size import smoke_run
from relatask.publishing.ratio_families import ratio_families

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Kind:
    """What the report says about one kind of figure."""

    title: str
    category: str


KINDS = {
    "overview": Kind("All methods", "Comparison"),
    "per_task": Kind("Each task", "Comparison"),
    "learning_curves": Kind("Learning curves", "Training"),
    "label_density": Kind("Label density", "Data"),
    "relation_graph": Kind("Relation graph", "Data"),
    "label_correlation": Kind("Correlation of tasks", "Data"),
    "known_ratio": Kind("Known labels", "Comparison"),
    "grouping_performance": Kind("Gain by budget", "Task groups"),
    "grouping_rounds": Kind("Gain by rounds", "Task groups"),
    "grouping_selection": Kind("Active or random", "Task groups"),
    "estimation_errors": Kind("Errors of estimates", "Task groups"),
    "gain_distribution": Kind("Gains", "Task groups"),
    "encodings": Kind("Encoded task sets", "Task groups"),
}


def figure_names(study: StudyConfig) -> list[str]:
    """Return the names of the study's figures, without endings; a pure function of the config."""
    names = ["overview"] if study.methods else []
    # where cells are split all labels of training are known, whatever the ratio
    if _varies_known_ratio(study) and set(study.splits.schemes) != {CELLS}:
        names.append("known_ratio")
    trains = any(method.encoder is not None for method in study.methods)
    for dataset, config in study.datasets.items():
        kinds = {"per_task": study.labels != "classes", "learning_curves": trains}
        kinds["label_density"] = study.items == "molecules"
        kinds["relation_graph"] = config.relations is not None
        kinds["label_correlation"] = study.reads_known_labels
        names += [f"{kind}-{dataset}" for kind, wanted in kinds.items() if wanted]
    return names


def _varies_known_ratio(study: StudyConfig) -> bool:
    """Whether two rows of the study differ in nothing but the share of labels that is known."""
    methods = []
    for row in study.methods:
        options = {**capabilities("methods", row.method).options, **row.options}
        methods.append((row.label, options, row.model_dump(exclude={"label", "published", "options"})))
    return bool(ratio_families(methods))


def encoded_strategy(study: StudyConfig, collection: str) -> StrategyConfig | None:
    """Return the strategy whose encodings are drawn: the first MTG-Net with active selection, if any.

    None for a collection with sets that were not trained: their gains colour the points.
    """
    if study.grouping is None or collection not in study.grouping.replayed:
        return None
    strategies = study.grouping.strategies_of(collection)
    learned = (one for one in strategies if one.estimator == "mtg_net" and one.selection == "active")
    return next(learned, None)


def grouping_figure_names(study: StudyConfig) -> list[str]:
    """Return the names of the figures of task groups; a pure function of the config."""
    names: list[str] = []
    if study.grouping is None:
        return names
    for collection in study.grouping.replayed:
        strategies = study.grouping.strategies_of(collection)
        learned = [strategy for strategy in strategies if strategy.estimator == "mtg_net"]
        kinds = {
            "grouping_performance": True,
            "grouping_rounds": any(len(strategy.rounds) > 1 for strategy in learned),
            "grouping_selection": {strategy.selection for strategy in learned} == {"active", "random"},
            "estimation_errors": any(strategy.estimator in {"hoa", "mtg_net"} for strategy in strategies),
            "gain_distribution": True,
            "encodings": bool(encoded_strategy(study, collection)),
        }
        names += [f"{kind}-{collection}" for kind, wanted in kinds.items() if wanted]
    return names


def report_entry(name: str) -> dict[str, object]:
    """Return category and labels of a figure in the report, for Snakemake's `report()` flag.

    The overview has no data set label, not even "all": where one of two values stands on half of a category's
    results, the report turns it into a switch and fails for the result that has no counterpart.
    """
    kind, _, dataset = name.partition("-")
    labels = {"Figure": KINDS[kind].title} | ({"Data set": dataset} if dataset else {})
    return {"category": KINDS[kind].category, "labels": labels}


@dataclass(frozen=True)
class Inputs:
    """The tables that figures are drawn from."""

    plan: "pd.DataFrame"
    metrics: "pd.DataFrame"
    history: "pd.DataFrame"
    results: Path  # holds a folder per data set
    baseline: str
    metric: str
    wholes: Mapping[str, int] = field(default_factory=dict)  # data set -> items of the whole, where said

    def of_dataset(self, dataset: str, table: str) -> "pd.DataFrame":
        """Read one of a data set's tables."""
        return read_table(table, self.results / dataset / f"{table}.parquet")


def draw_figures(inputs: Inputs, names: Sequence[str], out_dir: Path) -> None:
    """Draw each figure of `names` into `out_dir`: png, svg, and the table that was drawn as parquet.

    Raises:
        RelataskError: a name is none of a figure, or a table is missing or has no such metric or baseline.
    """
    from relatask.publishing import figure_data, style

    mark = smoke_run(inputs.wholes, inputs.results)
    methods = figure_data.methods_of(inputs.plan, inputs.baseline)
    for name in names:
        kind, _, dataset = name.partition("-")
        if kind not in KINDS:
            raise RelataskError(f"--figures: there is no figure {name!r}, only {', '.join(KINDS)}.")
        with style.styled():
            table, figure = _draw(kind, dataset, inputs, methods)
            write_table(f"figure_{kind}", table, out_dir / f"{name}.parquet")
            style.across(figure, mark)
            style.save(figure, out_dir / name)
        logging.info("drew %s", out_dir / f"{name}.svg")


def _draw(kind: str, dataset: str, inputs: Inputs, methods: list[str]) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of one figure and the figure drawn from it."""
    plan, metric, baseline = inputs.plan, inputs.metric, inputs.baseline
    if kind == "overview":
        from relatask.publishing import figure_overview as overview

        table = overview.table(plan, inputs.metrics, metric)
        return table, overview.draw(table, methods, baseline, metric)
    if kind == "known_ratio":
        from relatask.publishing import figure_known_ratio as known_ratio

        table = known_ratio.table(plan, inputs.metrics, baseline, metric)
        return table, known_ratio.draw(table, methods, baseline, metric)
    if kind == "learning_curves":
        from relatask.publishing import figure_learning_curves as curves

        table = curves.table(plan, inputs.history, dataset)
        return table, curves.draw(table, methods, baseline, dataset, metric)
    tasks = inputs.of_dataset(dataset, "tasks")
    if kind == "per_task":
        from relatask.publishing import figure_per_task as per_task

        table = per_task.table(plan, inputs.metrics, tasks, dataset, baseline, metric)
        return table, per_task.draw(table, methods, baseline, metric, dataset, len(tasks))
    if kind == "label_correlation":
        from relatask.publishing import figure_label_correlation as correlation

        table = correlation.table(tasks, inputs.of_dataset(dataset, "labels"))
        return table, correlation.draw(table, dataset)
    if kind == "label_density":
        from relatask.publishing import figure_label_density as density

        table = density.table(
            tasks, inputs.of_dataset(dataset, "labels"), inputs.of_dataset(dataset, "items")
        )
        return table, density.draw(table, dataset)
    from relatask.publishing import figure_relation_graph as relation_graph

    table = relation_graph.table(tasks, inputs.of_dataset(dataset, "relations"))
    return table, relation_graph.draw(table, dataset)
