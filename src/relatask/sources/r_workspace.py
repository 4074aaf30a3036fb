"""Objects of an R workspace (.rda, .RData), read as plain data: nothing in the file is executed.

The format is R's serialisation in XDR, versions 2 and 3 (R Internals, section 1.8): each item is four bytes
of flags, whose lowest eight bits are its type, then its content and, where flags say so, its attributes. All
numbers are big-endian. Vectors, lists, pairlists, texts and symbols are read; functions, environments,
language, bytecode and pointers are refused, as no table needs them.

A file of 249 MB that holds 24 million texts takes seconds: a run of equal texts is one comparison of bytes.
"""

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from relatask.core.errors import RelataskError

MOST_BYTES = 1 << 28  # unpacked; KIBA of the package timma has 249 MB
MOST_CELLS = 1 << 25  # entries of all vectors together; 16 bytes each at most
MOST_ITEMS = 1 << 22  # items that are Python objects of their own
DEEPEST = 100  # of lists in lists
RUN = 64  # equal texts that are compared at once
_DECODERS: dict[bytes, Callable[[], Any]] = {  # by the bytes that a packed file begins with
    b"\xfd7zXZ\x00": lambda: lzma.LZMADecompressor(memlimit=MOST_BYTES),
    b"\x1f\x8b": lambda: zlib.decompressobj(zlib.MAX_WBITS | 16),
    b"BZh": bz2.BZ2Decompressor,
}
_ENCODINGS = {"UTF-8": "utf-8", "CP1252": "cp1252", "ISO-8859-1": "latin-1", "ASCII": "ascii"}
_BROKEN = (OSError, lzma.LZMAError, zlib.error)
_INTEGER, _TEXT, _LIST = ">i4", 16, (19, 20)
_NUMBERS = {
    10: _INTEGER,
    13: _INTEGER,
    14: ">f8",
    15: ">c16",
    24: "u1",
}  # logical, integer, real, complex, raw
_NOTHING = {241, 242, 250, 251, 252, 253, 254}  # NULL, no value, and the environments that every R has
NA_INTEGER = -(1 << 31)


@dataclass
class RVector:
    """A vector or list: values, and what R keeps beside them, such as `names` of the columns of a data frame.

    Values of a list are a list; of numbers an array (a missing integer or logical is `NA_INTEGER`, a missing
    real one of the NaNs); of texts an object array, None where missing.
    """

    values: Any
    attributes: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def names(self) -> list[str]:
        """Names of the values; empty where they have none."""
        found = self.attributes.get("names")
        return [str(name) for name in found.values] if isinstance(found, RVector) else []

    def __getitem__(self, name: str) -> Any:
        return self.values[self.names.index(name)]


def read_r_workspace(path: Path) -> dict[str, Any]:
    """Return name -> object of a workspace, packed by xz, gzip or bzip2 or not at all.

    Raises:
        RelataskError: it is no workspace, breaks off, is larger or deeper than any table here, or holds an
            object that is no data.
    """
    content = _unpacked(path)
    if not content.startswith((b"RDX2\nX\n", b"RDX3\nX\n")):
        raise RelataskError(f"{path} is no R workspace in XDR of version 2 or 3; get it again.")
    reader = _Reader(content, str(path))
    try:
        found = reader.workspace()
    except (struct.error, UnicodeDecodeError, _RefusedError) as error:
        said = str(error) if isinstance(error, _RefusedError) else "it breaks off or is damaged"
        raise RelataskError(
            f"{path} cannot be read as an R workspace: {said}, at byte {reader.at:,} unpacked; get it again."
        ) from None
    return found


def _unpacked(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RelataskError(f"{path} has more than {MOST_BYTES >> 20} MiB; it is no data.")
        content = path.read_bytes()
        decoder = next((make() for mark, make in _DECODERS.items() if content.startswith(mark)), None)
        if decoder is None:
            return content
        unpacked: bytes = decoder.decompress(content, MOST_BYTES)
        if len(unpacked) == MOST_BYTES:
            raise RelataskError(f"{path} unpacks to more than {MOST_BYTES >> 20} MiB; it is no data.")
        if not decoder.eof:
            raise RelataskError(f"{path} breaks off; get it again.")
    except _BROKEN as error:
        raise RelataskError(f"{path} cannot be read ({error}); get it again.") from None
    return unpacked


class _RefusedError(Exception):
    """What the workspace holds is not read here."""


class _Reader:
    """The bytes of a workspace and how far they are read."""

    def __init__(self, content: bytes, where: str):
        self.content = content
        self.where = where
        self.at = 7
        self.cells = MOST_CELLS
        self.items = MOST_ITEMS
        self.references: list[Any] = []
        self.texts: dict[bytes, str | None] = {}
        self.native = "utf-8"

    def workspace(self) -> dict[str, Any]:
        """Return name -> object: a workspace is one pairlist."""
        version = self.integer()
        self.at += 8  # of R that wrote it, and of the oldest R that reads it
        if version == 3:
            name = self.bytes(self.length()).decode("ascii")
            self.native = _ENCODINGS.get(name, "utf-8")
        found = self.item(0)
        if not isinstance(found, dict):
            raise _RefusedError("it holds no named objects")
        return found

    def integer(self) -> int:
        (value,) = struct.unpack_from(">i", self.content, self.at)
        self.at += 4
        return int(value)

    def bytes(self, size: int) -> bytes:
        if size > len(self.content) - self.at:
            raise _RefusedError("it breaks off")
        self.at += size
        return self.content[self.at - size : self.at]

    def length(self, width: int = 1) -> int:
        """Return the length of a vector whose entries take `width` bytes at least."""
        size = self.integer()
        if size < 0:
            raise _RefusedError("a vector has a length of more than 2 billion")
        if size * width > len(self.content) - self.at:
            raise _RefusedError(f"a vector of {size:,} entries is announced and cannot follow")
        self.cells -= size
        if self.cells < 0:
            raise _RefusedError(f"it holds more than {MOST_CELLS:,} entries")
        return size

    def item(self, depth: int) -> Any:
        """Read one item with all that is below it."""
        self.items -= 1
        if self.items < 0:
            raise _RefusedError(f"it holds more than {MOST_ITEMS:,} items")
        if depth > DEEPEST:
            raise _RefusedError(f"its lists are more than {DEEPEST} deep")
        return self.content_of(self.integer(), depth)

    def content_of(self, flags: int, depth: int) -> Any:
        """Read what follows the flags of an item."""
        kind = flags & 255
        if kind in _NOTHING:
            return None
        if kind in _NUMBERS:
            values: Any = self.numbers(_NUMBERS[kind])
        elif kind == _TEXT:
            values = self.text_vector()
        elif kind in _LIST:
            values = [self.item(depth + 1) for _ in range(self.length(4))]
        else:
            return self.other(kind, flags, depth)
        return RVector(values, self.attributes(flags, depth))

    def other(self, kind: int, flags: int, depth: int) -> Any:
        """Read an item that is no vector."""
        if kind == 1:  # a symbol, which later items refer to
            self.references.append(self.text(self.integer()))
            return self.references[-1]
        if kind == 255:
            position = (flags >> 8 or self.integer()) - 1
            if not 0 <= position < len(self.references):
                raise _RefusedError("a reference leads nowhere")
            return self.references[position]
        if kind == 2:
            return self.pairs(flags, depth)
        raise _RefusedError(f"it holds an object of type {kind}, which is no data")

    def numbers(self, form: str) -> np.ndarray:
        size = np.dtype(form).itemsize
        count = self.length(size)
        found = np.frombuffer(self.content, form, count, self.at)
        self.at += count * size
        return found.astype(found.dtype.newbyteorder("="))

    def text_vector(self) -> np.ndarray:
        """Read texts; equal ones in a row are found by comparing bytes, and share one object."""
        count = self.length(8)
        values, repeats = [], []
        content, done = self.content, 0
        while done < count:
            self.items -= 1
            if self.items < 0:
                raise _RefusedError(f"it holds more than {MOST_ITEMS:,} items")
            start = self.at
            values.append(self.text(self.integer()))
            cell, again = content[start : self.at], 1
            if content.startswith(cell, self.at):
                run = cell * RUN
                while again + RUN <= count - done and content.startswith(run, self.at):
                    again, self.at = again + RUN, self.at + len(run)
                while again < count - done and content.startswith(cell, self.at):
                    again, self.at = again + 1, self.at + len(cell)
            repeats.append(again)
            done += again
        unique = np.empty(len(values), object)
        unique[:] = values
        return np.repeat(unique, repeats)

    def text(self, flags: int) -> str | None:
        """Read one text, whose flags say in which encoding it is."""
        if flags & 255 != 9:
            raise _RefusedError(f"an object of type {flags & 255} stands where a text must be")
        size = self.integer()
        if size == -1:
            return None
        if size < 0:
            raise _RefusedError("a text has a length below 0")
        raw, level = self.bytes(size), flags >> 12
        key = raw if level & 64 else flags.to_bytes(4, "big", signed=True) + raw
        if key not in self.texts:
            encoding = "utf-8" if level & 8 else "latin-1" if level & 4 else self.native
            self.texts[key] = raw.decode("ascii" if level & 64 else encoding)
        return self.texts[key]

    def attributes(self, flags: int, depth: int) -> dict[str, Any]:
        if not flags & 512:
            return {}
        found = self.item(depth + 1)
        if not isinstance(found, dict):
            raise _RefusedError("attributes are no pairlist")
        return found

    def pairs(self, flags: int, depth: int) -> dict[str, Any]:
        """Read a pairlist as tag -> value; a pair without a tag has its position as one."""
        found: dict[str, Any] = {}
        while flags & 255 == 2:
            self.attributes(flags, depth)
            tag = self.item(depth + 1) if flags & 1024 else None
            found[str(tag) if tag is not None else str(len(found))] = self.item(depth + 1)
            self.items -= 1
            if self.items < 0:
                raise _RefusedError(f"it holds more than {MOST_ITEMS:,} items")
            flags = self.integer()
        if flags & 255 not in _NOTHING:
            raise _RefusedError("a pairlist does not end")
        return found
