"""Collect TAG's affinities between the tasks of a collection, from one training of all of them for each seed.

It reads the prepared data set, results/{study}/data/{dataset}/. Kill it and start it again: same numbers.

Example:
  relatask collect_affinities --plan results/mine/plan.parquet --collection sider27 \\
    --out results/mine/affinities/sider27.parquet
"""

import argparse
import json
import logging
from pathlib import Path

import torch

from relatask.core.layout import dataset_folder, in_study
from relatask.core.progress import ProgressLine
from relatask.core.source_code import code_of
from relatask.core.tables import read_table, write_table
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.device import claimed_device
from relatask.engine.problem import problems_of
from relatask.engine.run import inputs_of
from relatask.evaluation.aggregate import runs_of
from relatask.grouping.affinities import affinity_training
from relatask.grouping.tables import affinities_frame
from relatask.inputs.arrays import JOINED
from relatask.journal.digests import code_of_run, files_of_run
from relatask.plan.spec import RunSpec
from relatask.shards.shard import ShardData

log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--plan", required=True, type=Path, metavar="FILE", help="table plan of the study")
    parser.add_argument("--collection", required=True, metavar="NAME", help="a key of grouping.gains")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="table affinities")


def run(arguments: argparse.Namespace) -> None:
    """Train, look ahead and write the mean over seeds."""
    torch.set_num_threads(arguments.threads)
    plan = runs_of(read_table("plan", arguments.plan), arguments.collection)
    specs = [RunSpec.from_json(json.loads(text)) for text in plan["spec"]]
    most = max(len(spec.tasks) for spec in specs)
    specs = [spec for spec in specs if len(spec.tasks) == most]  # all tasks, one run for each seed
    study, progress = arguments.plan.parent, ProgressLine("affinities", len(specs))
    with claimed_device(arguments.device) as device:
        data = ShardData(study / dataset_folder(specs[0].dataset), device)
        found = []
        for number, spec in enumerate(specs):
            progress.begin(number, f"{arguments.collection} seed {spec.seed}")
            tasks, values = affinities_of(spec, data, study, progress)
            found.append(values)
    progress.end(0)
    write_table("affinities", affinities_frame(torch.stack(found).nanmean(0).numpy(), tasks), arguments.out)


def affinities_of(
    spec: RunSpec, data: ShardData, study: Path, progress: ProgressLine
) -> tuple[list[str], torch.Tensor]:
    """Return the tasks of a run and their affinities [T, T].

    Raises:
        RelataskError: the tasks have no losses of their own, or share no encoder.
    """
    split = f"{spec.split}-{spec.seed}"
    (problem,) = problems_of(spec, data.get(split, inputs_of(spec)), per_task=False)
    training = affinity_training(problem)
    code = f"{code_of('grouping/affinities.py')}-{code_of_run(*spec.names)}"
    path = study / in_study("checkpoints") / f"affinities-{spec.run_id}.pt"
    forms = tuple(inputs_of(spec).split(JOINED))
    made_by = f"{code}-{data.digest(split, forms)}-{data.device.type}"
    checkpoint = Checkpoint(path, made_by, files_of_run(*spec.names))
    training.fit(checkpoint, progress.update)
    checkpoint.delete()
    return problem.task_ids, training.affinities().cpu()
