"""Average metrics over tasks and seeds and test methods against the baseline and in further pairs.

Writes the mean and spread of every (data set, split, method, fold, metric) with its delta to the baseline,
and paired tests on the test fold with Holm-corrected p values and bootstrap intervals.

Example:
  relatask compare_methods --plan results/demo/plan.parquet --metrics results/demo/metrics.parquet \\
    --tasks results/demo/data/planted/tasks.parquet --baseline STL \\
    --out-summary results/demo/summary.parquet --out-comparisons results/demo/comparisons.parquet
"""

import argparse
import logging
from pathlib import Path

from relatask.core.errors import RelataskError
from relatask.core.files import json_option, require_recorded
from relatask.core.layout import in_dataset
from relatask.core.records import suggest
from relatask.core.tables import read_table, write_table
from relatask.evaluation.aggregate import join_plan, mixed_units, runs_of, summarise, without_mean
from relatask.evaluation.significance import compare


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--plan", required=True, type=Path, metavar="FILE", help="table plan of the study")
    parser.add_argument("--metrics", required=True, type=Path, metavar="FILE", help="table metrics")
    parser.add_argument(
        "--tasks", required=True, nargs="+", type=Path, metavar="FILE", help="tables tasks of the data sets"
    )
    parser.add_argument("--baseline", required=True, metavar="LABEL", help="method to compare with")
    parser.add_argument(
        "--contrasts",
        default="[]",
        metavar="JSON",
        help='further pairs to test, e.g. \'[["SGNN", "MTL"]]\', or FILE#/PLACE of them',
    )
    parser.add_argument("--out-summary", required=True, type=Path, metavar="FILE")
    parser.add_argument("--out-comparisons", required=True, type=Path, metavar="FILE")


def run(arguments: argparse.Namespace) -> None:
    """Write the summary and the comparisons."""
    plan = runs_of(read_table("plan", arguments.plan), None)
    metrics = read_table("metrics", arguments.metrics)
    pairs = json_option(arguments.contrasts, "--contrasts")
    contrasts = [(str(method), str(other)) for method, other in pairs]
    known = set(plan["label"])
    for option, label in [
        ("baseline", arguments.baseline),
        *(("contrasts", m) for pair in contrasts for m in pair),
    ]:
        if label not in known:
            hint = suggest(label, known)
            raise RelataskError(f"--{option}: the plan has no method labelled {label!r}.{hint}")
    cells = join_plan(plan, metrics)
    mixed = [path.parent.name for path in arguments.tasks if _mixes_units(path)]
    summary = summarise(cells, arguments.baseline, mixed)
    comparisons = compare(cells[~without_mean(cells, mixed)], arguments.baseline, contrasts)
    write_table("summary", summary, arguments.out_summary)
    write_table("comparisons", comparisons, arguments.out_comparisons)
    logging.info(
        "%s: %d means, %d comparisons (baseline %s), %d of them significant at 5 %% after correction",
        arguments.out_summary,
        len(summary),
        len(comparisons),
        arguments.baseline,
        (comparisons["p_holm"] < 0.05).sum(),
    )


def _mixes_units(path: Path) -> bool:
    """Whether the measured values of a data set's tasks are in several units."""
    require_recorded(path.with_name(in_dataset("dataset")), path)
    return mixed_units(read_table("tasks", path, ["kind", "unit"]))
