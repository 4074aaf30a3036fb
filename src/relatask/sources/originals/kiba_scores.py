"""KIBA scores (Tang et al., 2014) of the R package timma, of compounds that have a SMILES."""

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

CONVERSION = {
    "summary": "compounds with a SMILES x targets of timma's kiba.rda; empty where not measured",
    "needs": (
        "timma/kiba.rda",
        "kiba_smiles/drug_info.csv",
        "kiba_smiles/ligands_iso.txt",
        "kiba_smiles/Dataset_PKIS.csv",
    ),
}


def convert(files: Mapping[str, Path], out: TextIO) -> None:
    """Write a row for each compound, in the order of the workspace."""
    import numpy as np

    from relatask.sources.originals._kiba import read_kiba_originals
    from relatask.sources.originals._tables import write_rows

    kiba = read_kiba_originals(files)
    rows = (
        [
            kiba.compounds[row],
            *("" if np.isnan(score) else repr(float(score)) for score in kiba.scores[:, row]),
        ]
        for row in kiba.kept
    )
    write_rows(out, ["chembl_id", *kiba.targets], rows)
