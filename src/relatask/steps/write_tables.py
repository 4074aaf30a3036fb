"""Write the tables of a study: main, those it names, all metrics, every task, comparisons, data, settings.

Each becomes NAME.parquet and NAME.csv (unrounded), NAME.md, NAME.tex and NAME.html (as they are read).
With --costs there is also a table `costs`, which is measured and so differs from run to run.

Example:
  relatask write_tables --plan results/demo/plan.parquet --metrics results/demo/metrics.parquet \\
    --summary results/demo/summary.parquet --comparisons results/demo/comparisons.parquet --results results \\
    --study-config '{"title": ...}' --study demo --scale quick --published config/published.csv \\
    --out-dir results/demo/tables
"""

import argparse
import json
import logging
from pathlib import Path

from relatask.config import StudyConfig, parse
from relatask.core.errors import RelataskError
from relatask.core.tables import read_table
from relatask.evaluation.aggregate import runs_of
from relatask.publishing.correlated_tasks import correlated_tasks_table
from relatask.publishing.data_size import titled
from relatask.publishing.data_tables import costs_table, splits_table, statistics_table
from relatask.publishing.detail_tables import per_task_table, significance_table
from relatask.publishing.episodes_table import episodes_table
from relatask.publishing.gain_table import gain_table
from relatask.publishing.inputs import Inputs
from relatask.publishing.published_values import read_published
from relatask.publishing.settings_table import settings_table
from relatask.publishing.tables import all_metrics_table, main_table, methods_table, save

MAKERS = {
    "main": main_table,
    "all_metrics": all_metrics_table,
    "per_task": per_task_table,
    "significance": significance_table,
    "gain_by_task": gain_table,
    "statistics": statistics_table,
    "settings": settings_table,
    "splits": splits_table,
    "costs": costs_table,
    "episodes": episodes_table,
    "correlated_tasks": correlated_tasks_table,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    for name in ("plan", "metrics", "summary", "comparisons"):
        parser.add_argument(f"--{name}", required=True, type=Path, metavar="FILE", help=f"table {name}")
    parser.add_argument("--results", required=True, type=Path, metavar="DIR", help="holds the data sets")
    parser.add_argument("--study-config", required=True, metavar="JSON", help="the study, as its YAML file")
    parser.add_argument("--study", required=True, metavar="NAME")
    parser.add_argument("--scale", required=True, choices=["quick", "paper"])
    parser.add_argument("--published", type=Path, metavar="FILE", help="numbers that papers report")
    parser.add_argument("--costs", type=Path, metavar="FILE", help="table costs, for the measured costs")
    parser.add_argument("--out-dir", required=True, type=Path, metavar="DIR")


def run(arguments: argparse.Namespace) -> None:
    """Make and write every table."""
    study = parse(StudyConfig, json.loads(arguments.study_config), "--study-config")
    if arguments.scale not in study.scales:
        raise RelataskError(f"--scale: study {arguments.study!r} has no scale {arguments.scale!r}.")
    plan = runs_of(read_table("plan", arguments.plan), None)
    metrics = read_table("metrics", arguments.metrics)
    inputs = Inputs(
        study=study,
        scale=arguments.scale,
        plan=plan,
        metrics=metrics,
        summary=read_table("summary", arguments.summary),
        comparisons=read_table("comparisons", arguments.comparisons),
        results=arguments.results,
        published=read_published(arguments.published) if arguments.published else [],
        costs=read_table("costs", arguments.costs) if arguments.costs else None,
    )
    for name in study.table_names:
        if name == "costs" and inputs.costs is None:
            continue
        made = MAKERS[name](inputs) if name in MAKERS else methods_table(inputs, name, study.tables[name])
        save(titled(made, study, arguments.results), arguments.out_dir)
        logging.info("%s: %d rows", arguments.out_dir / f"{made.name}.md", len(made.rows))
