"""Write the plan of a study: its runs as a table, and the manifests of its shards.

Example:
  relatask plan_runs --study results/demo/study.json --out results/demo/plan.parquet
"""

import argparse
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from relatask.config import read_study
from relatask.core.files import canonical_json, write_text
from relatask.core.layout import in_study
from relatask.core.tables import schema, write_batches
from relatask.plan.manifest import shard_manifest
from relatask.plan.plan import PlannedRun, Shard, make_shards, plan_runs

ROWS = 10_000  # in memory at a time


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the step's arguments."""
    parser.add_argument("--study", required=True, type=Path, metavar="FILE", help="the study.json")
    parser.add_argument("--shard-minutes", type=float, default=2.0, help="predicted minutes in one shard")
    parser.add_argument("--max-shards", type=int, default=1000, help="where more are needed, they are longer")
    parser.add_argument(
        "--out", required=True, type=Path, help="plan.parquet; manifests go to shards/ beside it"
    )


def run(arguments: argparse.Namespace) -> None:
    """Plan, and write only manifests whose content changes, so that other shards stay up to date."""
    study = read_study(arguments.study)
    runs = plan_runs(study.study, study.scale)
    shards = make_shards(runs, arguments.shard_minutes, arguments.max_shards)
    folder = arguments.out.parent / in_study("shard_manifest", shard="0")
    write_manifests(shards, study.name, folder.parent)
    write_batches("plan", _batches(shards), arguments.out)
    minutes = sum(shard.minutes for shard in shards)
    logging.info(
        "%d runs in %d shards, predicted to take %.0f minutes on one core", len(runs), len(shards), minutes
    )


def write_manifests(shards: Sequence[Shard], study: str, folder: Path) -> None:
    """Write the manifests whose content changes, and remove those of shards that are no more."""
    for shard in shards:
        path = folder / f"{shard.name}.json"
        text = shard_manifest([run.spec for run in shard.runs], study)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_text(path, text)
    names = {shard.name for shard in shards}
    for path in folder.glob("*.json"):
        name = path.name.split(".")[0]
        if name.isdigit() and name not in names:
            path.unlink()


def _batches(shards: Sequence[Shard]) -> Iterator[pa.RecordBatch]:
    """Rows of the plan, some at a time."""
    runs = [(run, shard.index) for shard in shards for run in shard.runs]
    for start in range(0, len(runs), ROWS):
        rows = [_row(run, shard) for run, shard in runs[start : start + ROWS]]
        yield pa.RecordBatch.from_pylist(rows, schema=schema("plan"))


def _row(run: PlannedRun, shard: int) -> dict[str, Any]:
    spec = run.spec
    method, encoder, balancing, _ = spec.names
    chosen = {
        "method": spec.method.options,
        "encoder": spec.encoder.options if spec.encoder else {},
        "balancing": spec.balancing.options,
        "training": spec.training,
    }
    return {
        "run_id": spec.run_id,
        "label": spec.label,
        "dataset": spec.dataset,
        "method": method,
        "encoder": encoder,
        "balancing": balancing,
        "split": spec.split,
        "seed": spec.seed,
        "restart": spec.restart,
        "tasks": canonical_json(spec.tasks),
        "collection": run.collection,
        "hyperparameters": canonical_json(chosen),
        "predicted_minutes": run.minutes,
        "cost_factor": run.factor,
        "shard": shard,
        "spec": spec.canonical(),
    }
