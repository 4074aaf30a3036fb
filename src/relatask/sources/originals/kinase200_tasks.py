"""The targets of kinase200: genes, proteins of STRING v9.1 and counts."""

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

CONVERSION = {
    "summary": "UniProt accession, gene, protein of STRING v9.1 and counts of each target",
    "needs": (
        "kinase200/kinase200.csv.gz",
        "string_v9_1_nodes/string_v9.1_human_nodes.tsv.gz",
        "chembl_25/chembl_25.fa.gz",
    ),
}
HEADER = (
    *("task", "uniprot", "entrez", "symbol", "string_v9_ensp", "n_labels", "n_active_ge_6_5"),
    "has_sequence",
)


def convert(files: Mapping[str, Path], out: TextIO) -> None:
    """Write a row for each target, in the order of the columns."""
    from relatask.sources.originals._sequences import accessions_of
    from relatask.sources.originals._tables import genes, protein_of_gene, rows_of, write_rows

    protein = protein_of_gene(files["string_v9.1_human_nodes.tsv.gz"])
    known = accessions_of(files["chembl_25.fa.gz"])
    table = rows_of(files["kinase200.csv.gz"])
    columns = [(place, name) for place, name in enumerate(next(table)) if name.endswith("_WT")]
    counts = {name: [0, 0] for _, name in columns}
    for row in table:
        for place, name in columns:
            if row[place]:
                counts[name][0] += 1
                counts[name][1] += float(row[place]) >= 6.5
    rows = []
    for _, name in columns:
        target = name.removesuffix("_WT")
        gene = genes()[target]
        numbers = [protein.get(gene.entrez, ""), *counts[name], target in known]
        rows.append([name, target, gene.entrez, gene.symbol, *numbers])
    write_rows(out, HEADER, rows)
