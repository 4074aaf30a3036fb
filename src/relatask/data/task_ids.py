"""Task ids: names of tasks made safe for file names, shells and HTML."""

import re
import unicodedata
from collections.abc import Iterable

_LONGEST = 80  # leaves room for a suffix and an extension in a 255-byte file name


def slug(name: str) -> str:
    """Return `name` in ``[A-Za-z0-9_.-]``, at most 80 characters, not beginning with a dot or dash.

    Accents are dropped, µ becomes u (µM is not M), every other run of characters becomes one underscore.
    """
    plain = unicodedata.normalize("NFKD", name).replace("\u03bc", "u").encode("ascii", "ignore").decode()
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", plain).strip("_").lstrip("-._")
    return safe[:_LONGEST] or "task"


def task_ids(names: Iterable[str]) -> list[str]:
    """Return one unique id per name, in order; later ones that collide get -2, -3, ...

    Ids that differ only in upper and lower case count as colliding: some file systems hold them equal.
    """
    taken: dict[str, int] = {}  # id -> the number that the next one like it tries first
    ids = []
    for name in names:
        base = candidate = slug(name)
        number = taken.get(base.lower(), 1)
        while candidate.lower() in taken:
            number += 1
            candidate = f"{base}-{number}"
        taken[candidate.lower()] = 1
        taken[base.lower()] = number
        ids.append(candidate)
    return ids
