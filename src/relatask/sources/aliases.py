"""STRING's names of proteins: which ids the files of one release have for UniProt accessions."""

import gzip
import zlib
from collections.abc import Collection
from pathlib import Path

from relatask.core.errors import RelataskError

_HEADER = ("#string_protein_id", "alias", "source")
_UNIPROT = "UniProt_AC"  # alone since version 12, before with a word in front, e.g. Ensembl_UniProt_AC
_LONGEST = 1 << 16  # characters of a line


def read_aliases(path: Path, accessions: Collection[str]) -> dict[str, list[str]]:
    """Return accession -> STRING ids, in the order of a file `protein.aliases` of STRING's downloads.

    The file, which may be compressed, is read line by line and only the rows of `accessions` are kept.

    Args:
        path: tab-separated rows of protein, alias and source, with a header.
        accessions: of UniProt; those that STRING does not know are left out.

    Raises:
        RelataskError: the file is absent or broken, or is no such table.
    """
    wanted = set(accessions)
    found: dict[str, list[str]] = {}
    number, any_accession = 0, False
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8") as handle
        ):
            while line := handle.readline(_LONGEST):
                number += 1
                cells = tuple(line.rstrip("\r\n").split("\t"))
                if len(cells) != len(_HEADER) or (number == 1 and cells != _HEADER):
                    raise RelataskError(
                        f"{path}, line {number}: expected the columns {', '.join(_HEADER)}, separated by "
                        "tabs; get STRING's protein.aliases of one species."
                    )
                protein, alias, source = cells
                if _UNIPROT not in source or not any(part.endswith(_UNIPROT) for part in source.split()):
                    continue
                any_accession = True
                if alias in wanted and protein not in found.setdefault(alias, []):
                    found[alias].append(protein)
    except FileNotFoundError:
        raise RelataskError(f"{path} does not exist; STRING's names of the proteins must be there.") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise RelataskError(f"{path} cannot be read ({error}); get it again.") from None
    if not any_accession:
        raise RelataskError(f"{path} holds no UniProt accession ({_UNIPROT}); get STRING's protein.aliases.")
    return found
