"""A prepared data set that tests make in milliseconds, without RDKit and without molecules."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.files import sha256_of, write_json
from relatask.core.plugins import form_of, input_records, load_file
from relatask.core.registry import capabilities, catalogue, load_loop
from relatask.core.tables import write_table
from relatask.engine.epochs import EpochTraining
from relatask.engine.problem import Problem
from relatask.plan.spec import Component, RunSpec
from tests.helpers.data_tables import items_table, labels_table, tasks_table, write_records
from tests.oracles.gin_oracle import as_arrays, random_molecules

SMALL = {
    "penalty": 0.1,
    "width": 16,
    "layers": 2,
    "n_estimators": 15,
    "max_iter": 15,
    "min_samples_leaf": 2,
    "task_kernel": "correlation",  # so that validation has nothing to choose
}
TRAINING = {
    "epochs": 3,
    "batch_size": 16,
    "learning_rate": 0.01,
    "weight_decay": 0.0,
    "evaluate_every": 1,
    "patience": None,
    "precision": "fp32",
    "schedule": "constant",
    "augmentation": "none",
}


def is_installed(extra: str) -> bool:
    """Whether the package of an extra of pyproject.toml is there, or none is asked for."""
    return not extra or find_spec(extra) is not None


def combinations() -> list[tuple[str, str | None]]:
    """Every registered method for molecules with every encoder it can have.

    Methods of many encoders have two: one that is read in a pass for all of them, and one that is not.
    """
    pairs: list[tuple[str, str | None]] = []
    encoders = [
        name
        for name, ability in catalogue("encoders").items()
        if {"graph", "ecfp", "bond_graph"} & {*ability.inputs} and is_installed(ability.extra)
    ]
    for name, ability in catalogue("methods").items():
        if "binary" in ability.kinds and not ability.form and ability.inputs != ("graph_parts",):
            many = ability.encoders == "per task" or ability.copies
            own = ("fingerprint_mlp", "gcn") if many else encoders
            pairs += [(name, encoder) for encoder in own] if ability.uses_encoder else [(name, None)]
    return pairs


def readers_of_structure() -> list[tuple[str, str | None]]:
    """Those of `combinations` whose predictions depend on the molecule, and not on known labels alone."""
    return [pair for pair in combinations() if capabilities("methods", pair[0]).inputs != ("none",)]


def make_spec(
    method: str = "shared_bottom", encoder: str | None = "fingerprint_mlp", **changes: Any
) -> RunSpec:
    """A small run that predicts all tasks, with other fields, keys of `training`, or names and all options.

    `options` are the method's, `encoder_options` and `balancing_options` as in a row of a study.
    """

    def options(kind: str, name: str) -> dict[str, Any]:
        defaults = capabilities(kind, name).options
        chosen = {key: SMALL.get(key, value) for key, value in defaults.items()}
        return {**chosen, "setting": "standard"} if chosen.get("setting") == "meta" else chosen

    training = {**TRAINING, **changes.pop("training", {})}

    def component(kind: str, name: str, key: str) -> Component:
        return Component(name, changes.pop(key) if key in changes else options(kind, name))

    values: dict[str, Any] = {
        "dataset": "small",
        "method": component("methods", method, "options"),
        "encoder": component("encoders", encoder, "encoder_options") if encoder else None,
        "balancing": component("balancing", changes.pop("balancing", "equal"), "balancing_options"),
        "split": "scaffold",
        "seed": 0,
        "label": method.upper(),
        "training": training if encoder else {},
    }
    return RunSpec(**{**values, **changes})


def training_of(problem: Problem) -> EpochTraining:
    """The training of a network, by the loop of its method."""
    return load_loop(problem.spec.method.name).Training(problem)


def random_labels(n: int, n_tasks: int, seed: int = 0) -> np.ndarray:
    """0, 1 and NaN [n, n_tasks], 40 % missing; every molecule has a label."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, n_tasks)) < 0.5).astype(np.float32)
    labels[rng.random(labels.shape) < 0.4] = np.nan
    empty = np.isnan(labels).all(1)
    labels[empty, rng.integers(n_tasks, size=empty.sum())] = 1
    return labels


def write_dataset(
    folder: Path,
    labels: np.ndarray,
    folds: Sequence[str] | None = None,
    item_ids: Sequence[int] | None = None,
    seeds: Sequence[int] = (0,),
) -> Path:
    """Write a data set of random molecules under labels [n, T] (NaN: missing) and return its folder.

    A molecule depends on its `item_id` alone, so data sets that share ids share molecules.
    """
    n, n_tasks = labels.shape
    ids = np.arange(n) if item_ids is None else np.asarray(item_ids)
    folds = ["train", "train", "train", "valid", "test"] * (n // 5 + 1) if folds is None else folds
    tasks = [f"task{number}" for number in range(n_tasks)]
    row, column = np.nonzero(~np.isnan(labels))
    edges = {"task_i": tasks[:-1], "task_j": tasks[1:], "score": 0.5, "kind": "protein"}
    tables = {
        "items": items_table(ids),
        "tasks": tasks_table(tasks),
        "labels": labels_table(ids[row], np.array(tasks)[column], labels[row, column]),
        "relations": pd.DataFrame(edges),
    }
    for name, table in tables.items():
        write_table(name, table, folder / f"{name}.parquet")
    for seed in seeds:
        split = pd.DataFrame({"item_id": ids, "task_id": None, "fold": list(folds)[:n]})
        write_table("split", split, folder / "splits" / f"scaffold-{seed}.parquet")
        write_json(folder / "splits" / f"scaffold-{seed}.json", {"digest": f"split{seed}"})
    molecules = [random_molecules([4 + int(item_id) % 9], seed=int(item_id))[0] for item_id in ids]
    bits = [np.random.default_rng(int(item_id)).random(2048) < 0.03 for item_id in ids]
    (folder / "features").mkdir(exist_ok=True)
    arrays = as_arrays(molecules)
    for name, array in {**arrays, **bond_graphs(arrays), "ecfp4": np.packbits(bits, axis=1)}.items():
        np.save(folder / "features" / f"{name}.npy", array)
    write_record(folder / "features")
    counts = {"items": n, "tasks": n_tasks, "labels": len(row)}
    write_json(folder / "dataset.json", {"digest": f"dataset of {n}", **counts})
    write_records(folder)
    return folder


def bond_graphs(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays of the input bond_graph of molecules that `as_arrays` wrote."""
    atoms, index = arrays["atoms"], arrays["bond_index"][::2]  # each bond once
    places = np.zeros((len(atoms), 7), np.uint8)
    places[:, 0], places[:, 3] = atoms[:, 0] % 38, atoms[:, 1]
    bonds = np.zeros((len(index), 4), np.uint8)
    bonds[:, 0] = arrays["bonds"][::2, 0]
    found = {
        "atoms": places,
        "masses": 0.01 * atoms[:, 0].astype(np.float32),
        "atom_offsets": arrays["atom_offsets"],
        "index": index,
        "bonds": bonds,
        "bond_offsets": arrays["bond_offsets"] // 2,
    }
    return {f"bond_graph_{name}": array for name, array in found.items()}


def write_record(features: Path) -> None:
    """Write features.json for the arrays that lie in the folder `features`."""
    files = {path.name: sha256_of(path) for path in sorted(features.glob("*.npy"))}
    arrays = {path.stem for path in features.glob("*.npy")}
    of_bonds = {name for name in arrays if name.startswith("bond_graph_")}
    owned = {"graph": arrays - of_bonds - {"ecfp4"}, "ecfp": {"ecfp4"} & arrays, "bond_graph": of_bonds}
    inputs = {
        name: {
            "form": form_of(name),
            "version": load_file(input_records()[name]).VERSION,
            "arrays": sorted(own),
        }
        for name, own in owned.items()
    }
    record = {"digest": "features", "files": files, "inputs": inputs}
    write_json(features / "features.json", record)
