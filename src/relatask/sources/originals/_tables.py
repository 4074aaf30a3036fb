"""Tables of originals, read and written cell by cell: text that a conversion does not name stays as it is."""

import csv
import gzip
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TextIO

GENES = Path(__file__).with_name("targets.tsv")


class Gene(NamedTuple):
    """The human gene of a protein; both empty where none is known."""

    entrez: str
    symbol: str


def rows_of(path: Path, delimiter: str = ",") -> Iterator[list[str]]:
    """Yield the rows of a text table, also of a compressed one, with the header first."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as handle:
        if delimiter == ",":
            yield from csv.reader(handle)
        else:
            yield from csv.reader(handle, delimiter=delimiter, quoting=csv.QUOTE_NONE)


def records_of(path: Path, delimiter: str = ",") -> Iterator[dict[str, str]]:
    """Yield the rows of a text table as column -> cell."""
    rows = rows_of(path, delimiter)
    header = next(rows)
    return (dict(zip(header, row, strict=True)) for row in rows)


def write_rows(
    out: TextIO, header: Sequence[str], rows: Iterable[Iterable[Any]], delimiter: str = ","
) -> None:
    """Write a text table; None is an empty cell, and quotation marks stand only where they must."""
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)


@lru_cache
def genes() -> dict[str, Gene]:
    """Return UniProt accession -> gene of the targets of KIBA, kinase200 and chembl_5thresh.

    Ids of NCBI Gene as UniProt gave them in September 2022 (annotation package org.Hs.eg.db 3.16.0 of
    Bioconductor, the first of several), P57078 by its symbol; accessions of other species have none.
    """
    return {row["uniprot"]: Gene(row["entrez"], row["symbol"]) for row in records_of(GENES, "\t")}


def protein_of_gene(nodes: Path) -> dict[str, str]:
    """Return Entrez id -> protein, of the nodes of STRING v9.1, which have one protein a gene."""
    return {row["geneid"]: row["seqid"] for row in records_of(nodes, "\t")}
