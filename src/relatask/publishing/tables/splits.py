"""Table `splits`: how many items each fold has, and the digests that identify splits."""

import pandas as pd

from relatask.core.columns.data import CELLS
from relatask.core.files import read_fields, require_recorded
from relatask.core.layout import dataset_file
from relatask.core.tables import columns_of, read_table
from relatask.data.splits import FOLDS
from relatask.publishing.formatting import (
    Table,
    number,
)
from relatask.publishing.inputs import Inputs, records

TABLE = {
    "caption": (
        "Molecules in the training, validation and test fold of each split, with the digest that "
        "identifies the split: two studies with the same digest were tested on the same molecules."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "seed": "int32",
        "train": "int32",
        "valid": "int32",
        "test": "int32",
        "digest": "string",
    },
    "when": ("always",),
    "needs": ("splits",),
}


def make(inputs: Inputs) -> Table:
    """(Data set, scheme, seed) x molecules or cells per fold, with the digest that identifies a split."""
    rows = []
    for dataset, split in inputs.columns:
        for seed in inputs.study.scales[inputs.scale].seeds:  # type: ignore[index]
            path = inputs.results / dataset_file("split", dataset, scheme=split, seed=str(seed))
            require_recorded(path.with_suffix(".json"), path)
            sizes = read_table("split", path, ["fold"])["fold"].value_counts()
            record = {"dataset": dataset, "split": split, "seed": seed}
            record |= {fold: int(sizes.get(fold, 0)) for fold in FOLDS}
            rows.append({**record, "digest": read_fields(path.with_suffix(".json"), digest=str)["digest"]})
    frame = pd.DataFrame(rows, columns=list(columns_of("table_splits")))
    body = [
        [
            row["dataset"],
            row["split"],
            str(row["seed"]),
            *(number(row[fold], 0) for fold in FOLDS),
            row["digest"][:16],
        ]
        for row in records(frame)
    ]
    header = ["data set", "split", "seed", *FOLDS, "digest"]
    cells = "; of a split of cells, labels" if CELLS in inputs.study.splits.used else ""
    notes = [
        f"{inputs.items.capitalize()} per fold{cells}. Equal digests: the same ones in the same folds "
        "(16 of 64 digits are shown)."
    ]
    return Table("splits", f"{inputs.study.title}: splits", frame, header, body, 3, notes)
