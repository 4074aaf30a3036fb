"""Choose groups of tasks for every budget by each strategy's estimates, and say what they are worth.

Example:
  relatask select_groups --study results/mine/study.json --collection ettm1 \\
    --gains results/mine/gains/ettm1.parquet --estimates results/mine/estimates/ettm1/*.parquet \\
    --out-groups results/mine/groups/ettm1.parquet \\
    --out-groupings results/mine/groupings/ettm1.parquet
"""

import argparse
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from relatask.config import read_study
from relatask.core.tables import read_table, write_table
from relatask.grouping.collect import gain_table
from relatask.grouping.contract import Estimate
from relatask.grouping.estimate import load_estimator
from relatask.grouping.group_search import Limits
from relatask.grouping.tables import choose_all, read_estimates, sets_of

SEARCH = {"auto": None, "exact": True, "beam": False}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", required=True, type=Path, metavar="FILE", help="the study.json")
    parser.add_argument("--collection", required=True, metavar="NAME", help="a key of grouping.gains")
    parser.add_argument("--gains", required=True, type=Path, metavar="FILE", help="table gains")
    parser.add_argument(
        "--estimates", required=True, type=Path, nargs="+", metavar="FILE", help="one a strategy"
    )
    parser.add_argument("--out-groups", required=True, type=Path, metavar="FILE", help="table groups")
    parser.add_argument("--out-groupings", required=True, type=Path, metavar="FILE", help="table groupings")


def run(arguments: argparse.Namespace) -> None:
    """Choose and write."""
    grouping = read_study(arguments.study).study.required_grouping()
    collection = grouping.collection(arguments.collection)
    tasks, most = collection.task_ids, grouping.max_group_size
    gains = gain_table(read_table("gains", arguments.gains), tasks)
    estimates: dict[tuple[str, int | None], dict[int, Estimate]] = {}
    for path in arguments.estimates:
        frame = read_table("estimates", path)
        if collection.asked_by is not None:  # of more sets than were trained
            gains = gains.among(sets_of(frame, tasks))
        estimates |= read_estimates(frame, gains)
    budgets = range(1, min(grouping.budgets, len(tasks)) + 1)
    costs = gains.sets @ np.array([grouping.task_costs.get(task, 1.0) for task in tasks])
    limits = Limits(grouping.budgets, most, costs, grouping.max_cost)
    groups, groupings = choose_all(gains, estimates, budgets, limits, SEARCH[collection.search])
    drawn = [
        load_estimator(strategy).choose(gains, strategy.label, budgets, most)
        for strategy in grouping.strategies_of(arguments.collection)
        if not strategy.record.estimates
    ]
    write_table("groups", groups, arguments.out_groups)
    write_table("groupings", pd.concat([groupings, *drawn], ignore_index=True), arguments.out_groupings)
    logging.info("%s: %d choices of groups", arguments.out_groupings, len(groupings))
