"""The targets of KIBA: genes, proteins of STRING v9.1, and how many compounds were measured."""

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

CONVERSION = {
    "summary": "UniProt accession, gene, protein of STRING v9.1 and counts of each target",
    "needs": (
        "timma/kiba.rda",
        "kiba_smiles/drug_info.csv",
        "kiba_smiles/ligands_iso.txt",
        "kiba_smiles/Dataset_PKIS.csv",
        "string_v9_1_nodes/string_v9.1_human_nodes.tsv.gz",
    ),
}
# The published studies were made without its protein, ENSP00000364361: the list of kinases that was read for
# them calls it M3K20 and MAP3K20, and STRING v9.1 calls the gene ZAK.
WITHOUT_PROTEIN = {"Q9NYL2": "M3K20|MAP3K20"}
HEADER = (
    "task",
    "uniprot",
    "symbol",
    "string_v9_ensp",
    "n_labels",
    "n_active_kiba_le_3",
    "n_labels_all52498",
)


def convert(files: Mapping[str, Path], out: TextIO) -> None:
    """Write a row for each target, in the order of the workspace."""
    import numpy as np

    from relatask.sources.originals._kiba import read_kiba_originals
    from relatask.sources.originals._tables import genes, protein_of_gene, write_rows

    kiba = read_kiba_originals(files)
    protein = protein_of_gene(files["string_v9.1_human_nodes.tsv.gz"])
    kept = kiba.scores[:, kiba.kept]
    counts = [np.isfinite(kept).sum(axis=1), (kept <= 3).sum(axis=1), np.isfinite(kiba.scores).sum(axis=1)]
    rows = []
    for task, (target, *numbers) in enumerate(zip(kiba.targets, *counts, strict=True)):
        gene = genes()[target]
        symbol = WITHOUT_PROTEIN.get(target, gene.symbol)
        ensp = "" if target in WITHOUT_PROTEIN else protein.get(gene.entrez, "")
        rows.append([task, target, symbol, ensp, *numbers])
    write_rows(out, HEADER, rows)
