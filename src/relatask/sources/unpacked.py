"""What a packed file holds: its digest does not depend on how and when the file was packed."""

import gzip
import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from relatask.core.errors import RelataskError
from relatask.sources.archives import opened_zip

LARGE = 1 << 28  # bytes; a file may unpack to as much whatever it was packed to
MOST_RATIO = 100  # of packing; zeros reach 1,000, numbers and text 3 to 30
BLOCK = 1 << 16  # bytes
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_BROKEN = (OSError, EOFError, zlib.error)


def is_gzip(path: Path) -> bool:
    """Whether a file begins as one that gzip made."""
    with path.open("rb") as handle:
        return handle.read(2) == _GZIP


def unpacked_blocks(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, unpacked where gzip made it.

    Raises:
        RelataskError: it breaks off, or unpacks to far more than data do.
    """
    most, size = max(LARGE, MOST_RATIO * path.stat().st_size), 0
    try:
        with gzip.open(path) if is_gzip(path) else path.open("rb") as handle:
            while block := handle.read(BLOCK):
                size += len(block)
                if size > most:
                    raise RelataskError(
                        f"{path} unpacks to more than {most:,} bytes; it is no data, get it again."
                    )
                yield block
    except _BROKEN as error:
        raise RelataskError(f"{path} cannot be unpacked ({error}); get it again.") from None


def unpacked_sha256(path: Path) -> str:
    """SHA-256 (hex) of what a file holds.

    Of a file of gzip: of its content. Of a ZIP archive: of the names, sizes and contents of its files in the
    order of their names, without folders and readme files, which differ where it was packed anew. Of any
    other: of its bytes.

    Raises:
        RelataskError: as `unpacked_blocks`, or the archive cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        start = handle.read(4)
    if start != _ZIP:
        for block in unpacked_blocks(path):
            digest.update(block)
        return digest.hexdigest()
    with opened_zip(path, str(path), "; get it again") as archive:
        for info in sorted(archive.infolist(), key=lambda info: info.filename):
            if info.is_dir() or info.filename.rpartition("/")[2].lower().startswith("readme"):
                continue
            require_reasonable(info, str(path))
            digest.update(f"{info.filename}\0{info.file_size}\0".encode())
            with archive.open(info) as member:
                _update(digest, member)
    return digest.hexdigest()


def require_reasonable(info: zipfile.ZipInfo, title: str) -> None:
    """Refuse a file of an archive that unpacks to far more than data do."""
    if info.file_size > max(LARGE, MOST_RATIO * info.compress_size):
        raise RelataskError(
            f"{title}: {info.filename.rpartition('/')[2]} would unpack to {info.file_size:,} bytes from "
            f"{info.compress_size:,}; it is no data, get another file."
        )


def _update(digest: "hashlib._Hash", handle: IO[bytes]) -> None:
    while block := handle.read(BLOCK):
        digest.update(block)
