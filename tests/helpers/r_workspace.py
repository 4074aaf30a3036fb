"""R workspaces as R writes them (R Internals, section 1.8), from Python's values."""

import lzma
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

NUMBERS = {"f": (14, ">f8"), "i": (13, ">i4"), "b": (10, ">i4"), "u": (24, "u1")}


def integer(*values: int) -> bytes:
    return struct.pack(f">{len(values)}i", *values)


def text(value: str | None, level: int = 64) -> bytes:
    """A CHARSXP; level 64 is ASCII, 8 UTF-8, 4 Latin-1, 0 the native encoding."""
    if value is None:
        return integer(9, -1)
    raw = value.encode({64: "ascii", 8: "utf-8", 4: "latin-1", 0: "cp1252"}[level])
    return integer(level << 12 | 9, len(raw)) + raw


def vector(values: Any, attributes: bytes = b"") -> bytes:
    """A list of texts, an array of integers, doubles or truths, or a dict, which is a list with names."""
    flags = 512 if attributes else 0
    if isinstance(values, Mapping):
        names = pairs({"names": list(values)})
        content = b"".join(vector(value) for value in values.values())
        return integer(19 | 512, len(values)) + content + names
    if isinstance(values, tuple):  # a list without names
        return integer(19 | flags, len(values)) + b"".join(map(vector, values)) + attributes
    if isinstance(values, np.ndarray):
        kind, form = {"f": (14, ">f8"), "i": (13, ">i4"), "b": (10, ">i4"), "u": (24, "u1")}[
            values.dtype.kind
        ]
        return integer(kind | flags, len(values)) + values.astype(form).tobytes() + attributes
    return integer(16 | flags, len(values)) + b"".join(map(text, values)) + attributes


def pairs(values: Mapping[str, Any]) -> bytes:
    """A pairlist with tags; each tag is a new symbol."""
    found = b""
    for name, value in values.items():
        found += integer(1026, 1) + text(name) + (value if isinstance(value, bytes) else vector(value))
    return found + integer(254)


def workspace(objects: Mapping[str, Any], version: int = 2, native: str = "CP1252") -> bytes:
    """The bytes of a workspace that is not packed."""
    start = b"RDX%d\nX\n" % version + integer(version, 0x030100, 0x020300)
    if version == 3:
        start += integer(len(native)) + native.encode()
    return start + pairs(objects)


def packed(objects: Mapping[str, Any], **options: Any) -> bytes:
    """A workspace packed by xz."""
    return lzma.compress(workspace(objects, **options))
