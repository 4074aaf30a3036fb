"""Train the runs of one shard that are not in the journal yet.

Needs the manifest and the prepared data set, which lie where the workflow put them:
results/{study}/shards/{shard}.json and results/{study}/data/{dataset}/. Kill it and start it again: same
numbers.

Example:
  relatask train_shard --manifest results/demo/shards/00000.json --out results/demo/shards/00000.done.json
"""

import argparse
from pathlib import Path

import torch

from relatask.core.files import write_json
from relatask.core.layout import dataset_folder
from relatask.engine.device import claimed_device
from relatask.plan.manifest import read_manifest
from relatask.shards.shard import Shard, ShardData


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the step's arguments."""
    parser.add_argument("--manifest", required=True, type=Path)
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument(
        "--threads", type=int, default=1, help="CPU threads; small networks are cheapest with one"
    )
    parser.add_argument(
        "--keep-models",
        default="all",
        choices=["all", "joint", "none"],
        help="see keep_models in config.yaml",
    )
    parser.add_argument(
        "--out", required=True, type=Path, help="written at the end: the digest of each run's predictions"
    )


def run(arguments: argparse.Namespace) -> None:
    """Train, and say what came of it."""
    torch.set_num_threads(arguments.threads)
    dataset, specs = read_manifest(arguments.manifest)
    study = arguments.manifest.parents[1]
    networks = any(spec.encoder for spec in specs)
    with claimed_device(arguments.device if networks else "cpu") as device:
        data = ShardData(study / dataset_folder(dataset), device)
        digests = Shard(arguments.manifest.stem, study, data, arguments.keep_models).train(specs)
    write_json(arguments.out, digests)
