"""The targets of chembl_5thresh: proteins, genes and counts."""

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

CONVERSION = {
    "summary": "UniProt accession, gene, protein of STRING v9.1, organism and counts of each target",
    "needs": (
        "chembl_5thresh_time/chembl_5thresh_time_train_valid.csv.gz",
        "chembl_uniprot_mapping/chembl_uniprot_mapping.txt",
        "string_v9_1_nodes/string_v9.1_human_nodes.tsv.gz",
        "chembl_25/chembl_25.fa.gz",
    ),
}
FIRST = 2  # columns smiles and time_fold
HEADER = (
    *("task", "uniprot", "name", "entrez", "symbol", "string_v9_ensp", "organism", "n_labels"),
    *("n_active_ge_6_5", "has_sequence"),
)


def convert(files: Mapping[str, Path], out: TextIO) -> None:
    """Write a row for each target, in the order of the columns."""
    from relatask.sources.originals._sequences import organisms_of
    from relatask.sources.originals._tables import Gene, genes, protein_of_gene, rows_of, write_rows

    named = {
        row[1]: (row[0], row[2])
        for row in rows_of(files["chembl_uniprot_mapping.txt"], "\t")
        if len(row) == 4 and row[3] == "SINGLE PROTEIN"
    }
    protein = protein_of_gene(files["string_v9.1_human_nodes.tsv.gz"])
    organism = organisms_of(files["chembl_25.fa.gz"])
    table = rows_of(files["chembl_5thresh_time_train_valid.csv.gz"])
    targets = next(table)[FIRST:]
    labels, active = [0] * len(targets), [0] * len(targets)
    for row in table:
        for task, cell in enumerate(row[FIRST:]):
            if cell:
                labels[task] += 1
                active[task] += float(cell) >= 6.5
    rows = []
    for task, target in enumerate(targets):
        uniprot, name = named.get(target, ("", ""))
        gene = genes().get(uniprot, Gene("", ""))
        rows.append(
            [
                *(target, uniprot, name, f"{gene.entrez}.0" if gene.entrez else "", gene.symbol),
                *(protein.get(gene.entrez, ""), organism.get(uniprot, "")),
                *(labels[task], active[task], uniprot in organism),
            ]
        )
    write_rows(out, HEADER, rows)
