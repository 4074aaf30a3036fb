"""A file written from its public originals by the conversion that config/datasets.tsv names."""

import csv
import gzip
import io
import zlib
from collections.abc import Mapping
from pathlib import Path

from relatask.core.errors import RelataskError
from relatask.core.plugins import load_file, record_of
from relatask.sources.originals import conversion_records

_OTHER_CONTENT = (ValueError, KeyError, IndexError, TypeError, csv.Error, OSError, EOFError, zlib.error)


def write_converted(conversion: str, originals: Mapping[str, Path], out: Path, packed: bool) -> None:
    """Write a file from its originals; what gzip packs holds neither time nor name, so it is always the same.

    Args:
        conversion: a file of sources/originals.
        originals: DATA_SET/FILE -> where it is.
        out: the file.
        packed: whether gzip packs it.

    Raises:
        RelataskError: an original is not as the conversion expects it.
    """
    record = record_of(conversion_records(), conversion, "conversion")
    files = {name.rpartition("/")[2]: path for name, path in originals.items()}
    with out.open("wb") as raw:
        target = gzip.GzipFile("", "wb", 6, raw, mtime=0) if packed else raw
        text = io.TextIOWrapper(target, encoding="utf-8", newline="")
        try:
            load_file(record).convert(files, text)
            text.flush()
        except _OTHER_CONTENT as error:
            said = " ".join(f"{type(error).__name__}: {error}".split())
            raise RelataskError(
                f"the conversion {conversion} cannot read {', '.join(map(str, files.values()))} ({said}); "
                "the originals are others than it was written for, get them again."
            ) from None
        finally:
            text.detach()
            if packed:
                target.close()
