"""ZIP archives from elsewhere, whose damage is said in one sentence."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from relatask.core.errors import RelataskError


@contextmanager
def opened_zip(path: Path, title: str, advice: str = "") -> Iterator[zipfile.ZipFile]:
    """Open an archive to read it inside a `with`.

    Args:
        path: the archive.
        title: what messages call it, e.g. the address that it comes from.
        advice: what to do about one that cannot be read, e.g. "; get it again".

    Raises:
        RelataskError: it is no ZIP archive, is damaged, has a password, or is packed in another way.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:  # or its NotImplementedError
        raise RelataskError(f"{title} is no ZIP archive that can be read ({error}){advice}.") from None
