"""Table `splits`: how many items each fold has, how many labels train, and digests that identify splits."""

import pandas as pd

from relatask.core.columns.data import CELLS
from relatask.core.files import read_fields, require_recorded
from relatask.core.layout import dataset_file
from relatask.core.tables import columns_of, read_table
from relatask.data.splits import FOLDS
from relatask.publishing.formatting import Table, number
from relatask.publishing.inputs import Inputs, records

TABLE = {
    "caption": (
        "How many items the training, validation and test fold of each split has, how many labels train and "
        "how many are hidden, with the digest that identifies the split: two studies with the same digest "
        "were tested on the same items."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "seed": "int32",
        "train": "int32",
        "valid": "int32",
        "test": "int32",
        "train_labels": "int32",
        "hidden_labels": "int32",  # of no fold: nothing reads them
        "digest": "string",
    },
    "when": ("always",),
    "needs": ("dataset", "splits"),
}
_SHOWN = 5  # splits whose items in no fold are counted in a note


def make(inputs: Inputs) -> Table:
    """(Data set, scheme, seed) x molecules or cells per fold, with the digest that identifies a split."""
    rows, unused = [], []
    for dataset, split in inputs.columns:
        n_labels = inputs.of_dataset(dataset, "tasks", ["n_labels"])["n_labels"].sum()
        for seed in inputs.study.scales[inputs.scale].seeds:  # type: ignore[index]
            path = inputs.results / dataset_file("split", inputs.name, dataset, scheme=split, seed=str(seed))
            require_recorded(path.with_suffix(".json"), path)
            described = read_fields(path.with_suffix(".json"), digest=str, folds=dict)
            labels = {fold: described["folds"][fold]["labels"] for fold in FOLDS}
            if hidden := described.get("hidden_items"):
                unused.append(f"{number(hidden, 0)} of {dataset} ({split}, seed {seed})")
            sizes = read_table("split", path, ["fold"])["fold"].value_counts()
            rows.append(
                {
                    "dataset": dataset,
                    "split": split,
                    "seed": seed,
                    **{fold: int(sizes.get(fold, 0)) for fold in FOLDS},
                    "train_labels": labels["train"],
                    "hidden_labels": int(n_labels) - sum(labels.values()),
                    "digest": described["digest"],
                }
            )
    frame = pd.DataFrame(rows, columns=list(columns_of("table_splits")))
    hides = bool((frame["hidden_labels"] > 0).any())
    counts = [*FOLDS, *(["train_labels", "hidden_labels"] if hides else [])]
    body = [
        [
            row["dataset"],
            row["split"],
            str(row["seed"]),
            *(number(row[name], 0) for name in counts),
            row["digest"][:16],
        ]
        for row in records(frame)
    ]
    header = ["data set", "split", "seed", *(name.replace("_", " ") for name in counts), "digest"]
    cells = "; of a split of cells, labels" if CELLS in inputs.study.splits.used else ""
    notes = [
        f"{inputs.items.capitalize()} per fold{cells}. Equal digests: the same ones in the same folds "
        "(16 of 64 digits are shown)."
    ]
    if hides:
        notes.append("train labels: those that training has; hidden labels: those that nothing reads.")
    if unused:
        more = f", and of {len(unused) - _SHOWN} more splits" if len(unused) > _SHOWN else ""
        notes.append(f"In no fold, as nothing names one: {'; '.join(unused[:_SHOWN])}{more}.")
    return Table("splits", f"{inputs.study.title}: splits", frame, header, body, 3, notes)
