"""TMDb 5000: plots of films, and whether a film is of each of 20 genres, as L2T-MITTEN uses it.

Table 4 of the paper says 8,014 films, which is its number of molecules of Tox21; its section 5.1 says 4,803,
as many as the file has. A film without a plot or without a genre is rejected; of all others every label is
known: a genre that is not listed is label 0.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from relatask.core.errors import RelataskError
from relatask.core.source_block import LABELS_ONLY, SourceBlock
from relatask.sources.folder import folder_of

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext, SourceTables
    from relatask.sources.table_files import TableFile
    from relatask.sources.text_tables import RawTexts

SOURCE = {
    "summary": "plots of films and their genres, tmdb_5000_movies.csv",
    "items": "texts",
    "levels": ("text",),
    "inputs": ("words",),
    "raw": "sheet",
}
COLUMNS = ("id", "title", "overview", "genres")


class TmdbSource(SourceBlock):
    """Plots of films and their genres."""

    not_here: ClassVar[Mapping[str, str]] = {"active": LABELS_ONLY}

    reader: Literal["tmdb"] = Field(description="plots of films and their genres, tmdb_5000_movies.csv")
    path: str | None = Field(
        None, description="the file, also compressed; without it the source is a name in datasets.tsv"
    )


def prepare(block: TmdbSource, context: "SourceContext") -> "SourceTables":
    """Read the films; those without a plot or without a genre are rejected."""
    from relatask.sources.readers import only_table
    from relatask.sources.text_tables import text_tables

    folder = folder_of(block, context)
    return text_tables(read_films(folder if block.path else only_table(folder, context.name)), context.name)


def read_films(path: Path) -> "RawTexts":
    """Read the plots and genres of films; genres are in the order of the alphabet.

    Raises:
        RelataskError: a column is missing, or a cell of genres is no list of names.
    """
    import numpy as np
    import pandas as pd

    from relatask.sources.table_files import find_column, open_table
    from relatask.sources.text_tables import RawTexts

    table = open_table(path)
    columns = [find_column(table, name, "a column of TMDb 5000") for name in COLUMNS]
    cells: dict[str, list[str]] = {name: [] for name in columns}
    for batch in table.batches(columns):
        for name in columns:
            cells[name] += ["" if cell is None else str(cell) for cell in batch.column(name).to_pylist()]
    ids, titles, plots, genres = (cells[name] for name in columns)
    named = [_genres_of(cell, table, row) for row, cell in enumerate(genres)]
    tasks = sorted(set().union(*named))
    value = np.array([[genre in own for genre in tasks] for own in named], np.float64)
    film, task = np.indices(value.shape).reshape(2, -1)
    labels = pd.DataFrame({"row_position": film, "task": task, "value": value.reshape(-1)})
    left_out = {row: "no genre" for row, own in enumerate(named) if not own}
    return RawTexts(plots, ids, tasks, labels, left_out, {"name": titles})


def _genres_of(cell: str, table: "TableFile", row: int) -> set[str]:
    """Return the genres of a cell such as ``[{"id": 18, "name": "Drama"}]``."""
    from relatask.sources.table_files import row_in_file

    names: list[Any]
    try:
        names = [genre["name"] for genre in json.loads(cell or "[]")]
    except (ValueError, TypeError, KeyError, RecursionError):
        names = [None]
    if not all(isinstance(name, str) and name.strip() for name in names):
        raise RelataskError(
            f"{table.path}, {row_in_file(table, row)}: genres {cell[:60]!r} is no list such as "
            '[{"name": "War"}]; get the file anew.'
        )
    return set(names)
