"""Choose groups of tasks for every budget by each strategy's estimates, and say what they are worth.

Example:
  relatask select_groups --gains results/mine/gains/ettm1.parquet --tasks HUFL HULL MUFL \\
    --estimates results/mine/estimates/ettm1/*.parquet --random Random --budgets 7 \\
    --out-groups results/mine/groups/ettm1.parquet \\
    --out-groupings results/mine/groupings/ettm1.parquet
"""

import argparse
import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from relatask.core.tables import read_table, write_table
from relatask.grouping.collect import gain_table
from relatask.grouping.estimate import Estimate
from relatask.grouping.group_search import Limits
from relatask.grouping.tables import choose_all, random_choices, read_estimates, sets_of

SEARCH = {"auto": None, "exact": True, "beam": False}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--gains", required=True, type=Path, metavar="FILE", help="table gains")
    parser.add_argument("--tasks", required=True, nargs="+", metavar="TASK", help="in the order of the study")
    parser.add_argument(
        "--estimates", required=True, type=Path, nargs="+", metavar="FILE", help="one a strategy"
    )
    parser.add_argument(
        "--random", nargs="*", default=[], metavar="LABEL", help="strategies of random groups"
    )
    parser.add_argument("--budgets", required=True, type=int, help="groups are chosen for 1 to so many")
    parser.add_argument("--max-size", type=int, help="most tasks in a group")
    parser.add_argument("--max-cost", type=float, help="most that the groups of a choice cost together")
    parser.add_argument(
        "--task-costs",
        type=json.loads,
        default={},
        metavar="JSON",
        help="task -> its cost in a group, else 1",
    )
    parser.add_argument(
        "--more-sets", action="store_true", help="the estimates are of more task sets than were trained"
    )
    parser.add_argument("--search", default="auto", choices=list(SEARCH))
    parser.add_argument("--out-groups", required=True, type=Path, metavar="FILE", help="table groups")
    parser.add_argument("--out-groupings", required=True, type=Path, metavar="FILE", help="table groupings")


def run(arguments: argparse.Namespace) -> None:
    """Choose and write."""
    gains = gain_table(read_table("gains", arguments.gains), arguments.tasks)
    estimates: dict[tuple[str, int | None], dict[int, Estimate]] = {}
    for path in arguments.estimates:
        frame = read_table("estimates", path)
        if arguments.more_sets:
            gains = gains.among(sets_of(frame, arguments.tasks))
        estimates |= read_estimates(frame, gains)
    budgets = range(1, min(arguments.budgets, len(gains.tasks)) + 1)
    costs = gains.sets @ np.array([arguments.task_costs.get(task, 1.0) for task in gains.tasks])
    limits = Limits(arguments.budgets, arguments.max_size, costs, arguments.max_cost)
    groups, groupings = choose_all(gains, estimates, budgets, limits, SEARCH[arguments.search])
    drawn = [random_choices(gains, label, budgets, arguments.max_size) for label in arguments.random]
    write_table("groups", groups, arguments.out_groups)
    write_table("groupings", pd.concat([groupings, *drawn], ignore_index=True), arguments.out_groupings)
    logging.info("%s: %d choices of groups", arguments.out_groupings, len(groupings))
