"""Split files of few-shot data sets: train.csv, val.csv and test.csv, or the same compressed (.csv.gz)."""

import csv
import gzip
from pathlib import Path

from relatask.core.errors import RelataskError

PARTS = ("train", "val", "test")  # in the order of the folds


def read_split_file(folder: Path, part: str, wanted: str) -> tuple[Path, list[tuple[str, str]]]:
    """Return the file of one part and its rows of two fields.

    Args:
        folder: that holds the split files.
        part: of `PARTS`.
        wanted: what the fields of a row are, for messages.

    Raises:
        RelataskError: there is no such file, it cannot be read, or a row has other than two fields.
    """
    found = [path for suffix in (".csv", ".csv.gz") if (path := folder / f"{part}{suffix}").is_file()]
    if not found:
        raise RelataskError(
            f"{folder / part}.csv does not exist; put the split files {', '.join(f'{p}.csv' for p in PARTS)} "
            "there, or name their folder in split_path."
        )
    path = found[0]
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            rows = [tuple(row) for row in csv.reader(file) if row]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise RelataskError(f"{path} cannot be read ({error}); get it anew.") from None
    for line, row in enumerate(rows, start=1):
        if len(row) != 2 or not all(row) or any("/" in field or ".." in field for field in row):
            raise RelataskError(f"{path}, row {line}: expected {wanted}, found {','.join(row)!r}.")
    return path, [(first, second) for first, second in rows]
