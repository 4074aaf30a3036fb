"""Protein interaction tables: every form that STRING hands out, recognised by its header."""

import gzip
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from relatask.core.errors import RelataskError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

# how the files write a channel: bulk files (`links.full` calls two of them otherwise), then the API
_NAMES = {
    "combined": ("combined_score", "combined", "score"),
    "experimental": ("experimental", "experimental_score", "experiments", "escore"),
    "database": ("database", "database_score", "dscore"),
    "textmining": ("textmining", "textmining_score", "tscore"),
    "coexpression": ("coexpression", "coexpression_score", "ascore"),
    "neighborhood": ("neighborhood", "neighborhood_score", "nscore"),
    "fusion": ("fusion", "fusion_score", "fscore"),
    "cooccurence": ("cooccurence", "cooccurence_score", "cooccurrence", "pscore"),
}
_BULK, _SERVICE = ("protein1", "protein2"), ("stringId_A", "stringId_B")
_SPECIES = re.compile(r"^\d+\.")  # NCBI taxon id that STRING writes before the protein


@dataclass(frozen=True)
class Interactions:
    """Scored protein pairs of one channel; pair e joins proteins[first[e]] and proteins[second[e]]."""

    proteins: list[str]  # ids without the species, every protein that the tables name, sorted
    first: "np.ndarray"  # int64 [E]
    second: "np.ndarray"  # int64 [E]
    score: "np.ndarray"  # float64 [E], 0-1
    where: str  # the files, for messages


def strip_species(ids: Iterable[str]) -> list[str]:
    """Return protein ids without the taxon, e.g. ``9606.ENSP00000269305`` as ``ENSP00000269305``."""
    return [_SPECIES.sub("", name.strip()) for name in ids]


def read_interactions(paths: Sequence[str | Path], channel: str) -> Interactions:
    """Read one channel of STRING's interaction tables; several files are one table.

    Known forms: `protein.links`, `.detailed` and `.full` of STRING's downloads (space or tab separated,
    scores 0-1000, with or without ``_score`` and species), and the tables of the API's `network` method
    with a header (``stringId_A ... tscore``, scores 0-1). Files ending in .gz are decompressed.

    Raises:
        RelataskError: a file has another header, lacks the channel, or holds a value that is no score.
    """
    import numpy as np
    import pandas as pd

    tables = [_read(Path(path), channel) for path in paths]
    names = [names for first, second, _ in tables for names in (first.categories, second.categories)]
    proteins = pd.Index(sorted({name for index in names for name in index}), dtype=object)

    def positions(columns: "list[pd.Categorical]") -> "np.ndarray":
        return np.concatenate([proteins.get_indexer(column.categories)[column.codes] for column in columns])

    return Interactions(
        proteins=list(proteins),
        first=positions([first for first, _, _ in tables]),
        second=positions([second for _, second, _ in tables]),
        score=np.concatenate([score for _, _, score in tables]),
        where=", ".join(str(path) for path in paths),
    )


def _read(path: Path, channel: str) -> tuple["pd.Categorical", "pd.Categorical", "np.ndarray"]:
    """Return both proteins and the score (0-1) of every row of one file."""
    import numpy as np
    import pyarrow as pa

    header, separator = _header(path)
    ids = next((pair for pair in (_BULK, _SERVICE) if set(pair) <= set(header)), None)
    if ids is None:
        raise RelataskError(
            f"{path} is not an interaction table: its header has neither protein1 and protein2 (STRING's "
            f"protein.links files) nor stringId_A and stringId_B (STRING's network service); it "
            f"starts with {header[:4]}."
        )
    column = next((name for name in _NAMES[channel] if name in header), None)
    if column is None:
        known = [name for name, spellings in _NAMES.items() if set(spellings) & set(header)]
        raise RelataskError(
            f"{path} has no channel {channel!r}; it has {known}. Set relations.channel to one of these, or "
            "use STRING's protein.links.detailed file."
        )
    text = pa.dictionary(pa.int32(), pa.string())
    table = _columns(path, separator, {ids[0]: text, ids[1]: text, column: pa.float64()})
    top = 1.0 if ids == _SERVICE else 1000.0
    score = table.column(column).to_numpy() / top
    if (wrong := ~((score >= 0) & (score <= 1))).any():
        row = int(np.argmax(wrong))
        raise RelataskError(
            f"{path}: row {row + 1} after the header: {column} is {score[row] * top:g}; expected a score "
            f"from 0 to {top:g}."
        )
    return _proteins(table.column(ids[0])), _proteins(table.column(ids[1])), score


def _header(path: Path) -> tuple[list[str], str]:
    """Return the column names of a table and its separator."""
    try:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as handle:
            line = handle.readline().rstrip("\r\n")
    except FileNotFoundError:
        raise RelataskError(f"{path} does not exist; the interaction table must be there first.") from None
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise RelataskError(f"{path} is not a readable text or gzip file ({error}).") from None
    separator = next((mark for mark in "\t ," if mark in line), " ")
    return line.lstrip("#").split(separator), separator


def _columns(path: Path, separator: str, types: dict[str, "pa.DataType"]) -> "pa.Table":
    """Return the columns named by `types`; a row that does not fit is a `RelataskError`."""
    import pyarrow as pa
    from pyarrow import csv

    header, _ = _header(path)
    try:
        return csv.read_csv(
            path,
            read_options=csv.ReadOptions(column_names=header, skip_rows=1, use_threads=False),
            parse_options=csv.ParseOptions(delimiter=separator, quote_char=False),
            convert_options=csv.ConvertOptions(
                include_columns=list(types), column_types=types, strings_can_be_null=False
            ),
        )
    except (pa.ArrowInvalid, OSError) as error:
        raise RelataskError(
            f"{path} is not a whole interaction table: {error}; get the file again or mend that row."
        ) from None


def _proteins(column: "pa.ChunkedArray") -> "pd.Categorical":
    """Return protein ids without species; the work is per protein, not per row."""
    import numpy as np
    import pandas as pd

    categorical = column.to_pandas().cat
    names, inverse = np.unique(strip_species(categorical.categories), return_inverse=True)
    codes = inverse[categorical.codes] if len(names) else []
    return pd.Categorical.from_codes(codes, categories=pd.Index(names.tolist(), dtype=object))
