"""Search for the settings of a row on the validation fold of one split and seed.

Trains one trial after the other, as the sampler proposes them, and writes what was tried and which trial is
best. It needs the manifest of a shard with a run of the row under that split and seed, and the prepared data
set, results/{study}/data/{dataset}/. Kill it and start it again: same settings, same numbers.

Example:
  relatask search_settings --manifest results/mine/shards/00000.json --label RF --split scaffold --seed 0 \\
    --out results/mine/search/assays/RF/scaffold-0.parquet
"""

import argparse
from pathlib import Path

import pandas as pd
import torch

from relatask.core.errors import RelataskError
from relatask.core.layout import dataset_folder, in_dataset
from relatask.core.tables import read_table, write_table
from relatask.engine.device import claimed_device
from relatask.journal.journal_entry import read_record
from relatask.plan.manifest import read_manifest
from relatask.plan.spec import RunSpec
from relatask.shards.search import search
from relatask.shards.shard import Shard, ShardData


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the step's arguments."""
    parser.add_argument(
        "--manifest", required=True, type=Path, metavar="FILE", help="of a shard with the run"
    )
    parser.add_argument("--label", required=True, metavar="NAME", help="of the row")
    parser.add_argument("--split", required=True, metavar="NAME", help="whose validation fold judges")
    parser.add_argument("--seed", required=True, type=int, help="of that split")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="table trials")


def run(arguments: argparse.Namespace) -> None:
    """Search, and write what was tried."""
    torch.set_num_threads(arguments.threads)
    dataset, specs = read_manifest(arguments.manifest)
    wanted = (arguments.label, arguments.split, arguments.seed)
    found = [spec for spec in specs if spec.search and (spec.label, spec.split, spec.seed) == wanted]
    if not found:
        raise RelataskError(f"{arguments.manifest} has no searched run of {wanted}; plan again.")
    study = arguments.manifest.parents[1]
    folder = study / dataset_folder(dataset)
    tasks = read_table("tasks", folder / in_dataset("tasks"), ["task_id", "kind"])
    with claimed_device(arguments.device if found[0].encoder else "cpu") as device:
        shard = Shard(f"search {' '.join(map(str, wanted))}", study, ShardData(folder, device), "none")

        def train(trial: RunSpec) -> tuple[pd.DataFrame, float]:
            shard.train([trial])
            entry = shard.journal.predictions_path(trial).parent
            predictions = read_table("predictions", entry / "predictions.parquet")
            return predictions, float(read_record(entry)["measured"]["seconds"])

        trials = search(found[0], train, dict(zip(tasks["task_id"], tasks["kind"], strict=True)))
    write_table("trials", trials, arguments.out)
