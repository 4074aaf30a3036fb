"""Write the plan of a study: its runs as a table, and the manifests of its shards.

Example:
  relatask plan_runs --study demo --study-config '{"title": ...}' --scale quick \\
    --out results/demo/plan.parquet
"""

import argparse
import json
import logging
from pathlib import Path

import pandas as pd

from relatask.artifacts import write_table
from relatask.config import StudyConfig, parse
from relatask.files import canonical_json, write_text
from relatask.training.manifest import shard_manifest
from relatask.training.plan import make_shards, plan_runs


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the step's arguments."""
    parser.add_argument("--study", required=True, help="name of the study")
    parser.add_argument("--study-config", required=True, metavar="JSON", help="the study as JSON")
    parser.add_argument("--scale", required=True, choices=["quick", "paper"])
    parser.add_argument("--shard-minutes", type=float, default=2.0, help="predicted minutes in one shard")
    parser.add_argument(
        "--out", required=True, type=Path, help="plan.parquet; manifests go to shards/ beside it"
    )


def run(arguments: argparse.Namespace) -> None:
    """Plan, and write only manifests whose content changes, so that other shards stay up to date."""
    study = parse(StudyConfig, json.loads(arguments.study_config), "--study-config")
    runs = plan_runs(study, arguments.scale)
    shards = make_shards(runs, arguments.shard_minutes)
    rows = []
    for shard in shards:
        path = arguments.out.parent / "shards" / f"{shard.name}.json"
        text = shard_manifest([run.spec for run in shard.runs], arguments.study)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_text(path, text)
        rows += [
            {
                "run_id": run.spec.run_id,
                "label": run.spec.label,
                "dataset": run.spec.dataset,
                "method": run.spec.method,
                "encoder": run.spec.encoder,
                "balancing": run.spec.balancing,
                "split": run.spec.split,
                "seed": run.spec.seed,
                "tasks": canonical_json(run.spec.tasks),
                "hyperparameters": canonical_json(
                    {
                        "method": run.spec.options,
                        "encoder": run.spec.encoder_options,
                        "training": run.spec.training,
                    }
                ),
                "predicted_minutes": run.minutes,
                "shard": shard.index,
                "spec": run.spec.canonical(),
            }
            for run in shard.runs
        ]
    write_table("plan", pd.DataFrame(rows), arguments.out)
    minutes = sum(shard.minutes for shard in shards)
    logging.info(
        "%d runs in %d shards, predicted to take %.0f minutes on one core", len(runs), len(shards), minutes
    )
