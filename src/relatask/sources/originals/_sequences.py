"""ChEMBL's FASTA of targets: `> CHEMBL1[,...] [ACCESSION] name (organism)`, then lines of the sequence."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

_ACCESSION = re.compile(r"\[([^\]]*)\]")
_ORGANISM = re.compile(r"\(([^()]*)\)$")  # where parentheses are nested, none is found


def entries_of(path: Path) -> Iterator[tuple[str, str]]:
    """Yield header and sequence of each entry."""
    header, parts = "", []
    with gzip.open(path, "rt", encoding="utf-8") as handle:
        for line in handle:
            if not line.startswith(">"):
                parts.append(line.strip())
                continue
            if header:
                yield header, "".join(parts)
            header, parts = line[1:].strip(), []
    if header:
        yield header, "".join(parts)


def accession_of(header: str) -> str:
    """Return the UniProt accession of an entry, which is in the first brackets."""
    found = _ACCESSION.search(header)
    return found.group(1) if found else ""


def accessions_of(path: Path) -> set[str]:
    """Return the accessions of all entries."""
    return {accession_of(header) for header, _ in entries_of(path)}


def organisms_of(path: Path) -> dict[str, str]:
    """Return accession -> organism, empty where it stands in nested parentheses."""
    found = {}
    for header, _ in entries_of(path):
        organism = _ORGANISM.search(header)
        found[accession_of(header)] = organism.group(1) if organism else ""
    return found
