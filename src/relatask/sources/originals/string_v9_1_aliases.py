"""UniProt accessions of the proteins of STRING v9.1, through the Entrez ids that UniProt gives."""

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

CONVERSION = {
    "summary": "UniProt accessions of STRING v9.1's human proteins, in the form of STRING's protein.aliases",
    "needs": (
        "uniprot_human/HUMAN_9606_idmapping.dat.gz",
        "string_v9_1_nodes/string_v9.1_human_nodes.tsv.gz",
    ),
}


def convert(files: Mapping[str, Path], out: TextIO) -> None:
    """Write a row for each pair of accession and protein, in the order of UniProt's file."""
    from relatask.sources.originals._tables import protein_of_gene, rows_of

    protein = protein_of_gene(files["string_v9.1_human_nodes.tsv.gz"])
    out.write("#string_protein_id\talias\tsource\n")
    for accession, kind, value in rows_of(files["HUMAN_9606_idmapping.dat.gz"], "\t"):
        if kind == "GeneID" and value in protein:
            out.write(f"9606.{protein[value]}\t{accession}\tUniProt_AC\n")
