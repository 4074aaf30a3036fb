"""What the files of KIBA share: the scores of the R package timma, and SMILES of some of its compounds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from relatask.sources.originals._tables import records_of
from relatask.sources.r_workspace import read_r_workspace

# in order of precedence: file, column of ids, column of SMILES, what `smiles_source` calls it
_SMILES = (
    ("drug_info.csv", "CHEMBL_ID", "smiles", "simonfqy/PADME KIBA_data/drug_info.csv"),
    ("ligands_iso.txt", "", "", "hkmztrk/DeepDTA ligands_iso.txt"),
    ("Dataset_PKIS.csv", "ChemblID", "smiles", "Team-SKI Dataset_PKIS.csv"),
)
_NOT_MEASURED = ("NA", "#NAME?")  # the second stands in one cell, CHEMBL7724 x P16234


@dataclass(frozen=True)
class Kiba:
    """Scores of compounds x targets.

    Attributes:
        compounds: ChEMBL ids in the order of the file [C].
        targets: UniProt accessions in the order of the file [T].
        scores: float64 [T, C], NaN where nothing was measured.
        smiles: id of a compound -> its SMILES and which file gave it.
    """

    compounds: list[str]
    targets: list[str]
    scores: np.ndarray
    smiles: dict[str, tuple[str, str]]

    @property
    def kept(self) -> np.ndarray:
        """Positions of the compounds that have a SMILES."""
        return np.flatnonzero([compound in self.smiles for compound in self.compounds])


def read_kiba_originals(files: Mapping[str, Path]) -> Kiba:
    """Read the workspace of timma and the three files of SMILES."""
    table = read_r_workspace(files["kiba.rda"])["kiba"]
    ids, *columns = table.values
    scores = np.empty((len(columns), len(ids)))
    for target, column in enumerate(columns):
        scores[target] = _numbers(column.values)
    return Kiba(list(ids.values), table.names[1:], scores, _smiles(files))


def _numbers(texts: np.ndarray) -> np.ndarray:
    measured = np.logical_and.reduce([texts != text for text in _NOT_MEASURED])
    scores = np.full(len(texts), np.nan)
    scores[measured] = texts[measured].astype(np.float64)
    return scores


def _smiles(files: Mapping[str, Path]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for file, id_column, column, source in _SMILES:
        if file.endswith(".txt"):
            pairs = list(json.loads(files[file].read_text(encoding="utf-8")).items())
        else:
            pairs = [(row[id_column], row[column]) for row in records_of(files[file])]
        for compound, smiles in pairs:
            found.setdefault(compound, (smiles, source))
    return found
