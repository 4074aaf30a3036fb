"""Files of the user's own that say which rows, or which items by their ids, are in which fold.

JSON as chemprop's --splits-file: a list of objects such as {"train": [0, "2-5", 7], "val": "8,9", "test":
[10]}, whose numbers are rows of the data file from 0; a range holds both of its ends. Or CSV or Parquet with
a column row (from 0) or id, and a column fold.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from relatask.core.errors import RelataskError
from relatask.core.files import is_file
from relatask.sources.table_files import open_table, read_texts, row_in_file

LARGEST = 256 << 20  # bytes of a JSON file
ROW_NAMES = ("row", "rows", "index")
ID_NAMES = ("id", "source_id", "name")
FOLD_NAMES = ("fold", "split", "set", "subset")
_RANGE = re.compile(r"\s*([0-9]{1,18})\s*(?:-\s*([0-9]{1,18})\s*)?")


def read_fold_file(path: Path, n_rows: int) -> list[pd.DataFrame]:
    """Return the splits of a file, each with `row` (int64, from 0) or `id`, and `fold` as it is written.

    Args:
        path: of a JSON file or a table.
        n_rows: of the data file.

    Raises:
        RelataskError: the file is absent, no such file, names a row beyond the data, or names one twice.
    """
    if not is_file(path):
        raise RelataskError(f"splits.path: there is no file {path}; give a JSON file or a table of rows.")
    tables = _of_json(path, n_rows) if path.suffix.lower() == ".json" else [_of_table(path, n_rows)]
    for number, table in enumerate(tables):
        if not len(table):
            raise RelataskError(f"{path} names no row{_of(number, tables)}; name those of train and test.")
        key = str(table.columns[0])
        if (again := table[key].duplicated()).any():
            row = table[key][again].iloc[0]
            folds = ", ".join(map(str, table["fold"][table[key] == row].unique()[:3]))
            where = _of(number, tables)
            raise RelataskError(
                f"{path} names the {key} {str(row)[:40]} more than once (fold {folds}){where}; name it once."
            )
    return tables


def _of(number: int, tables: list[pd.DataFrame]) -> str:
    return f" in its split {number}" if len(tables) > 1 else ""


def _of_json(path: Path, n_rows: int) -> list[pd.DataFrame]:
    if path.stat().st_size > LARGEST:
        raise RelataskError(f"{path} has more than {LARGEST >> 20} MiB; write the folds as Parquet.")
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise RelataskError(f"{path} is not valid JSON ({error}); correct it and run again.") from None
    splits = [found] if isinstance(found, dict) else found
    if not isinstance(splits, list) or not splits or not all(isinstance(one, dict) for one in splits):
        raise RelataskError(
            f'{path} must hold a list of objects such as {{"train": [0, "2-5"], "val": [6], "test": [7]}}.'
        )
    return [_of_object(one, n_rows, f"{path}, split {number}") for number, one in enumerate(splits)]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON, of whose equal names Python would keep the last alone."""
    found = dict(pairs)
    if len(found) < len(pairs):
        again = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the fold {again[:40]!r} stands there twice")
    return found


def _of_object(split: dict[str, Any], n_rows: int, where: str) -> pd.DataFrame:
    rows: list[int] = []
    folds: list[str] = []
    for fold, named in split.items():
        entries = named.split(",") if isinstance(named, str) else named
        for entry in entries if isinstance(entries, list) else [entries]:
            first, last = _range(entry, f"{where}, {fold!r}")
            _require_row(last, n_rows, f"{where}, {fold!r}")
            rows.extend(range(first, last + 1))
            folds.extend([fold] * (last + 1 - first))
            if len(rows) > 2 * n_rows:
                raise RelataskError(f"{where}, {fold!r} names rows more than once; name each once.")
    return pd.DataFrame({"row": pd.Series(rows, dtype="int64"), "fold": pd.Series(folds, dtype=object)})


def _range(entry: object, where: str) -> tuple[int, int]:
    """Return the first and last row of an entry: a whole number, or a text such as 2-5."""
    if type(entry) is int and entry >= 0:
        return entry, entry
    found = _RANGE.fullmatch(entry) if isinstance(entry, str) else None
    if found is None or (found[2] and int(found[2]) < int(found[1])):
        raise RelataskError(
            f'{where}: {str(entry)[:40]!r} is no row; write whole numbers from 0, or ranges such as "2-5".'
        )
    return int(found[1]), int(found[2] or found[1])


def _require_row(row: int, n_rows: int, where: str) -> None:
    if not n_rows:
        raise RelataskError(
            f"{where} names rows, but the source of the data does not say which item is of which row; "
            "name items by a column id."
        )
    if row >= n_rows:
        raise RelataskError(
            f"{where}: there is no row {row}; the data has {n_rows} rows, which count from 0 without the "
            "header."
        )


def _of_table(path: Path, n_rows: int) -> pd.DataFrame:
    named = {name.strip().lower(): name for name in open_table(path).names}
    keys = [name for name in (*ROW_NAMES, *ID_NAMES) if name in named]
    folds = [name for name in FOLD_NAMES if name in named]
    if len(keys) != 1 or len(folds) != 1:
        raise RelataskError(
            f"{path} must have one column row (numbers from 0) or id, and one column fold; its columns are "
            f"{', '.join(list(named)[:10])}."
        )
    columns = read_texts(path)
    cells, fold = columns[named[keys[0]]], columns[named[folds[0]]]
    if keys[0] in ID_NAMES:
        return pd.DataFrame({"id": cells, "fold": fold}, dtype=object)
    for place, cell in enumerate(cells):
        if not re.fullmatch(r"[0-9]{1,18}(\.0+)?", cell):
            raise RelataskError(
                f"{path}, {row_in_file(path, place)}: {cell[:40]!r} is no row of the data; write whole "
                "numbers from 0."
            )
    rows = [int(cell.split(".")[0]) for cell in cells]
    _require_row(max(rows, default=0), n_rows, str(path))
    return pd.DataFrame({"row": pd.Series(rows, dtype="int64"), "fold": pd.Series(fold, dtype=object)})
