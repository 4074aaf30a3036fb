"""One training run on a table in memory, without the workflow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from relatask.config import StudyConfig, parse
from relatask.core.errors import RelataskError
from relatask.core.files import digests_of, write_json
from relatask.core.layout import in_study
from relatask.core.plugins import form_of, load_file
from relatask.core.tables import read_chunks, read_table, write_table
from relatask.data.dataset import write_dataset
from relatask.data.source_tables import SourceContext, SourceTables
from relatask.data.splits import describe_split
from relatask.engine.run import inputs_of
from relatask.inputs.arrays import CHUNK, JOINED, write_features
from relatask.journal.journal import MODEL
from relatask.plan.inputs import inputs_made
from relatask.plan.plan import plan_runs
from relatask.shards.shard import Shard, ShardData

NAME = "table"


def fit_table(
    table: pd.DataFrame, kind: str, row: Mapping[str, Any], validation: float, seed: int, folder: Path
) -> Path:
    """Train one method on all rows of a table but those for validation, and return the folder of the model.

    Args:
        table: `smiles`, and a column for each task, NaN where there is no label.
        kind: of all tasks: binary or real.
        row: of a study's `methods`, without label.
        validation: share of molecules that choose the epoch.
        seed: of the draws.
        folder: an empty one, which gets all files.

    Raises:
        RelataskError: the table or the row cannot be used.
    """
    file, data = folder / "table.parquet", folder / "data"
    table.to_parquet(file, index=False)
    study = parse(StudyConfig, _study(file, kind, row, seed), "relatask")
    (run,) = plan_runs(study, "quick")
    block = study.sources[NAME]
    tables: SourceTables = load_file(block.record).prepare(block, SourceContext(NAME))
    tables.write(folder / "source")
    write_json(folder / "source" / "counts.json", tables.counts)
    write_dataset(folder / "source", None, None, None, data, False, None)
    items, labels = read_table("items", data / "items.parquet"), read_table("labels", data / "labels.parquet")
    split = _split(items, validation, seed)
    path = data / "splits" / f"random-{seed}.parquet"
    write_table("split", split, path)
    write_json(path.with_suffix(".json"), {**describe_split(split, labels), "files": digests_of(path)})
    forms = inputs_of(run.spec).split(JOINED)
    names = [name for name in inputs_made(study, NAME) if form_of(name) in forms]
    write_features(read_chunks("items", data / "items.parquet", CHUNK), names, data / "features")
    Shard("00000", folder / "study", ShardData(data, torch.device("cpu")), "all").train([run.spec])
    return folder / "study" / in_study("runs") / run.spec.run_id / MODEL


def _split(items: pd.DataFrame, validation: float, seed: int) -> pd.DataFrame:
    """Return table "split" of random folds, of which none is for a test.

    Raises:
        RelataskError: a fold would be empty.
    """
    n_valid = round(validation * len(items))
    if not 0 < n_valid < len(items):
        raise RelataskError(
            f"validation={validation:g} of {len(items)} molecules leaves a fold empty; give more molecules "
            "or another share."
        )
    fold = np.full(len(items), "train", object)
    fold[np.random.default_rng(seed).permutation(len(items))[:n_valid]] = "valid"
    return pd.DataFrame({"item_id": items["item_id"], "task_id": None, "fold": fold})


def _study(file: Path, kind: str, row: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return the study of one run on a table."""
    source = {"reader": "table", "path": str(file), "values": kind}
    return {
        "title": "a table",
        "sources": {NAME: {**source, "min_heavy_atoms": 1, "min_weight": 0, "max_weight": 100_000}},
        "datasets": {NAME: {"source": NAME}},
        "splits": {"schemes": ["random"]},
        "methods": [{"label": "fitted", **row}],
        "baseline": "fitted",
        "scales": {"quick": {"seeds": [seed]}},
    }
