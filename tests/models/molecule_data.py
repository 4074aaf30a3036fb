"""A prepared data set of real molecules, made without the workflow, and models that are trained on it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.parity_data import smiles
from relatask.core.files import read_json, write_json
from relatask.core.tables import read_table, write_table
from relatask.inputs.arrays import write_features
from relatask.plan.spec import RunSpec
from relatask.shards.shard import Shard, ShardData
from tests.helpers.data_tables import write_records
from tests.helpers.prepared_dataset import combinations, make_spec, random_labels, write_dataset

MTL = make_spec("shared_bottom", "gin")
SPECS: dict[str, RunSpec] = {
    **{f"{method}-{encoder}": make_spec(method, encoder) for method, encoder in combinations()},
    "sgnn_ebm with a prior": make_spec("sgnn_ebm", "fingerprint_mlp", prior=MTL.run_id),
    "descriptors beside fingerprints": make_spec("shared_bottom", "mlp", inputs=("ecfp", "descriptors")),
    "an ensemble on descriptors": make_spec("shared_bottom", "mlp", inputs=("descriptors",), ensemble=2),
    "a forest on counts": make_spec("random_forest", None, inputs=("ecfp_counts",)),
    "boosting on descriptors": make_spec("gradient_boosting", None, inputs=("ecfp_counts", "descriptors")),
    "an ensemble": make_spec("shared_bottom", "gin", ensemble=2),
    "shuffled relations": make_spec("sgnn", "fingerprint_mlp", graph="shuffled"),
    "two networks": make_spec("shared_bottom", "fingerprint_mlp", prior=MTL.run_id, averaged=True),
    "no relations": make_spec("sgnn_ebm", "fingerprint_mlp", graph="none"),
    **{
        f"metalink {setting}": replace(
            base := make_spec("metalink", "fingerprint_mlp"),
            method=base.method.with_options(setting=setting, support=8, shots=12, unseen=0.4),
        )
        for setting in ("standard", "relational", "meta", "relational_meta")
    },
    "baseline_pp meta": replace(
        base := make_spec("baseline_pp", "fingerprint_mlp"),
        method=base.method.with_options(setting="meta", shots=40, unseen=0.4),
    ),
}

ASK = """
import json, sys
from pathlib import Path
import pandas as pd
import relatask

for folder in map(Path, sys.argv[1:]):
    model = relatask.load(folder / "model")
    items = pd.read_parquet(folder / "items.parquet")
    for known in sorted(folder.glob("known-*.parquet")):
        answer = model.predict(items, pd.read_parquet(known))
        answer.to_parquet(folder / known.name.replace("known", "answer"))
    if not list(folder.glob("known-*.parquet")):
        model.predict(items).to_parquet(folder / "answer.parquet")
"""


def write_molecules(folder: Path, n_tasks: int = 3, values: np.ndarray | None = None) -> Path:
    """Write a data set of molecules with SMILES, and return its folder."""
    texts = smiles()
    labels = random_labels(len(texts), n_tasks) if values is None else values
    write_dataset(folder, labels)
    items = read_table("items", folder / "items.parquet").assign(smiles=texts)
    write_table("items", items, folder / "items.parquet")
    write_records(folder)
    inputs = ["graph", "ecfp", "bond_graph", "ecfp_counts", "descriptors"]
    record = write_features([items], inputs, folder / "features")
    assert record["items"] == len(texts)
    return folder


def train(results: Path, specs: list[RunSpec], keep: str = "all") -> Path:
    """Train runs on the data set `small` of a folder of results, and return the study's folder."""
    study = results / "study"
    data = ShardData(results / "small", torch.device("cpu"))
    Shard("00000", study, data, keep).train(specs)
    return study


def ask_elsewhere(folders: list[Path]) -> None:
    """Let a process that knows nothing of the results ask models about items: see `ASK`."""
    command = [sys.executable, "-c", ASK, *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folders[0].parent)
    assert done.returncode == 0, done.stderr


def predictions_of(study: Path, spec: RunSpec) -> pd.DataFrame:
    """The saved predictions of the test fold."""
    table = read_table("predictions", study / "runs" / spec.run_id / "predictions.parquet")
    return table[table["fold"] == "test"].astype({"task_id": str})


def pretend(study: Path, spec: RunSpec, **changes: object) -> Path:
    """Change keys of a saved model's record, as in a model of another time, and return its folder."""
    folder = study / "runs" / spec.run_id / "model"
    write_json(folder / "model.json", {**read_json(folder / "model.json"), **changes})
    return folder


def as_json(value: object) -> object:
    """A value as JSON has it."""
    return json.loads(json.dumps(value))
