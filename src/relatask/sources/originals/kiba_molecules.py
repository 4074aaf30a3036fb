"""SMILES of KIBA's compounds, of the first of three files that has one."""

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

CONVERSION = {
    "summary": "SMILES of the compounds and which file gave them",
    "needs": (
        "timma/kiba.rda",
        "kiba_smiles/drug_info.csv",
        "kiba_smiles/ligands_iso.txt",
        "kiba_smiles/Dataset_PKIS.csv",
    ),
}


def convert(files: Mapping[str, Path], out: TextIO) -> None:
    """Write a row for each compound of the scores, in their order."""
    import numpy as np

    from relatask.sources.originals._kiba import read_kiba_originals
    from relatask.sources.originals._tables import write_rows

    kiba = read_kiba_originals(files)
    counts = np.isfinite(kiba.scores).sum(axis=0)
    rows = ([kiba.compounds[row], *kiba.smiles[kiba.compounds[row]], counts[row]] for row in kiba.kept)
    write_rows(out, ["chembl_id", "smiles", "smiles_source", "n_labels"], rows)
