"""Fill every missing cell of a data set: a score and its spread over seeds, by one row of the study.

Each seed's network is told all labels that a molecule has, if it can read them. A cell that has a label is
not scored. Reads the prepared data set, results/{study}/data/{dataset}/, and the journal beside the plan.

Example:
  relatask impute_labels --plan results/mine/plan.parquet --dataset assays --label MetaLink \\
    --out results/mine/imputed/assays-MetaLink.parquet
"""

import argparse
import json
import logging
from functools import partial
from pathlib import Path

import torch

from relatask.core.errors import RelataskError
from relatask.core.layout import dataset_folder
from relatask.core.tables import read_table, write_batches
from relatask.engine.device import claimed_device
from relatask.engine.run import inputs_of
from relatask.evaluation.aggregate import runs_of
from relatask.journal.journal import Journal
from relatask.models.loading import load_model
from relatask.plan.spec import RunSpec
from relatask.shards.impute import impute
from relatask.shards.shard import ShardData

log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--plan", required=True, type=Path, metavar="FILE", help="table plan of the study")
    parser.add_argument("--dataset", required=True, metavar="NAME")
    parser.add_argument("--label", required=True, metavar="LABEL", help="row of the tables, trained already")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="table imputed")


def run(arguments: argparse.Namespace) -> None:
    """Load the networks of all seeds and write the cells."""
    torch.set_num_threads(arguments.threads)
    plan = runs_of(read_table("plan", arguments.plan), None)
    chosen = plan[(plan["dataset"] == arguments.dataset) & (plan["label"] == arguments.label)]
    if chosen.empty:
        raise RelataskError(
            f"{arguments.plan} has no run of {arguments.label!r} on {arguments.dataset!r}; name a row of the "
            "study and one of its data sets."
        )
    chosen = chosen[chosen["split"] == chosen["split"].iloc[0]]  # of several schemes the first
    specs = [RunSpec.from_json(json.loads(text)) for text in chosen["spec"]]
    study = arguments.plan.parent
    folder = study / dataset_folder(arguments.dataset)
    journal, models = Journal(study), []
    with claimed_device(arguments.device) as device:
        prepared = ShardData(folder, device)
        for spec in specs:
            model = load_model(journal.model(spec.run_id), device)
            model.require_data_of(folder)
            data_of = partial(prepared.get, f"{spec.split}-{spec.seed}")
            models.append(model.predictor(data_of))
        data = data_of(inputs_of(specs[0]))
        write_batches("imputed", impute(data, models), arguments.out)
    missing = int(data.labels.isnan().sum())
    split = specs[0].split
    log.info("%s: %d cells, filled by %d models of the %s split", arguments.out, missing, len(specs), split)
