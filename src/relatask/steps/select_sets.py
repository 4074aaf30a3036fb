"""Train the task sets that a strategy asks for, one after the other, and estimate the gains of all others.

MTG-Net's active selection (algorithm 1) on data: N + 1 sets, each task alone and all together, are planned; K
rounds ask for N more each. It reads the prepared data set, results/{study}/data/{dataset}/. Kill it and
start it again: same numbers.

Example:
  relatask select_sets --study results/mine/study.json --collection kinases \\
    --plan results/mine/plan.parquet --out-plan results/mine/selected/kinases.parquet \\
    --out-estimates results/mine/estimates/kinases/MTG.parquet
"""

import argparse
from pathlib import Path

import torch

from relatask.config import read_study
from relatask.core.errors import RelataskError
from relatask.core.layout import dataset_folder
from relatask.core.tables import read_table, write_table
from relatask.engine.device import claimed_device
from relatask.evaluation.aggregate import runs_of
from relatask.evaluation.metrics import METRICS
from relatask.grouping.estimate import load_estimator, request_of
from relatask.grouping.gains import GainTable, members
from relatask.grouping.online import OnlineGains
from relatask.grouping.tables import estimates_frame, read_pairs
from relatask.plan.gain_runs import candidate_sets
from relatask.shards.shard import Shard, ShardData


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", required=True, type=Path, metavar="FILE", help="the study.json")
    parser.add_argument("--plan", required=True, type=Path, metavar="FILE", help="table plan of the study")
    parser.add_argument("--collection", required=True, metavar="NAME", help="a key of grouping.gains")
    parser.add_argument("--relations", type=Path, metavar="FILE", help="table relations of the data set")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--out-plan", required=True, type=Path, metavar="FILE", help="table plan of the runs")
    parser.add_argument("--out-estimates", required=True, type=Path, metavar="FILE", help="table estimates")


def run(arguments: argparse.Namespace) -> None:
    """Train what is asked for, and write which runs these are and what is estimated of the others."""
    torch.set_num_threads(arguments.threads)
    config = read_study(arguments.study).study
    grouping = config.required_grouping()
    collection = grouping.collection(arguments.collection)
    if collection.task_sets is None or collection.asked_by is None:
        raise RelataskError(f"--collection: no strategy asks for the sets of {arguments.collection!r}.")
    strategy, tasks = grouping.strategy(collection.asked_by), collection.task_ids
    sets = members(candidate_sets(tasks, collection.task_sets), tasks)
    unknown = GainTable.unknown(tasks, sets)
    relations = arguments.relations and read_pairs("relations", arguments.relations, tasks)
    planned = runs_of(read_table("plan", arguments.plan), arguments.collection)
    metric = config.metrics[0]
    study, seed = arguments.plan.parent, int(planned["seed"].iloc[0])
    with claimed_device(arguments.device) as device:
        data = ShardData(study / dataset_folder(planned["dataset"].iloc[0]), device)
        shard = Shard(arguments.collection, study, data, "joint")
        online = OnlineGains(shard, planned, tasks, metric, not METRICS[metric].higher_is_better)
        request = request_of(
            strategy, unknown, seed, relations=relations, answer=lambda row: online.answer(sets[row])
        )
        found = estimates_frame(strategy.label, unknown, load_estimator(strategy).estimate(request))
    write_table("estimates", found, arguments.out_estimates)
    write_table("plan", online.plan(), arguments.out_plan)
