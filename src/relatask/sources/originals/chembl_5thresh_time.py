"""The molecules of chembl_5thresh that deepchem's split by year trains and validates on."""

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

CONVERSION = {
    "summary": "rows of chembl_5thresh in the fold train or valid of deepchem's split by year",
    "needs": (
        "chembl_5thresh/chembl_5thresh.csv.gz",
        "chembl_year_sets/chembl_5thresh_ts_train.csv.gz",
        "chembl_year_sets/chembl_5thresh_ts_valid.csv.gz",
    ),
}


def convert(files: Mapping[str, Path], out: TextIO) -> None:
    """Write the rows in the order of chembl_5thresh; one SMILES is in both folds and counts as train."""
    from relatask.sources.originals._tables import rows_of, write_rows

    fold: dict[str, str] = {}
    for name in ("train", "valid"):
        for row in rows_of(files[f"chembl_5thresh_ts_{name}.csv.gz"]):
            fold.setdefault(row[0], name)
    table = rows_of(files["chembl_5thresh.csv.gz"])
    smiles, *targets = next(table)
    rows = ([row[0], fold[row[0]], *row[1:]] for row in table if row[0] in fold)
    write_rows(out, [smiles, "time_fold", *targets], rows)
