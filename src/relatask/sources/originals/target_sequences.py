"""Sequences of the targets of KIBA, kinase200 and chembl_5thresh, by UniProt accession."""

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

CONVERSION = {
    "summary": "sequences of 1,046 targets from the target FASTA of ChEMBL 25",
    "needs": ("chembl_25/chembl_25.fa.gz",),
}


def convert(files: Mapping[str, Path], out: TextIO) -> None:
    """Write the entries in the order of the accessions as text, each sequence on one line."""
    from relatask.sources.originals._sequences import accession_of, entries_of
    from relatask.sources.originals._tables import genes

    sequence = {accession_of(header): letters for header, letters in entries_of(files["chembl_25.fa.gz"])}
    for accession in sorted(genes().keys() & sequence.keys()):
        out.write(f">{accession}\n{sequence[accession]}\n")
