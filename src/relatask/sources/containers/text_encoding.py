"""How the characters of a text file are written, and whether it is a text at all."""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from relatask.core.errors import RelataskError

LONGEST_LINE = 64 << 20  # bytes; what is longer is no table, and a compressed one could fill the memory
_MARKS = (  # at the start of a file; that of UTF-32 begins as that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = ((b"PK\x03\x04", ".xlsx or .ods"), (b"\xd0\xcf\x11\xe0", ".xls"), (b"PAR1", ".parquet"))
_NOT_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")  # bytes that Windows-1252 does not have
UTF8 = "utf-8-sig"  # with or without its mark


@dataclass(frozen=True)
class Characters:
    """How a text is written.

    Attributes:
        encoding: its name in Python.
        word: where it was assumed: a word with a letter that is not ASCII, as it is read then; else empty.
        quoted: whether there is a quotation mark.
    """

    encoding: str
    word: str
    quoted: bool


def survey(path: Path, opened: Callable[[], IO[bytes]], encoding: str | None) -> Characters:
    """Read a file once, and find out how its characters are written.

    UTF-8, and UTF-16 by its mark or by its zero bytes, are recognised. Everything else is assumed to be
    Windows-1252, or Latin-1 where it has bytes that Windows-1252 lacks; whoever opens the file must tell.

    Args:
        path: for messages.
        opened: returns the bytes of the file, unpacked.
        encoding: that the user named; None: find it.

    Raises:
        RelataskError: it is no text, has a line without end, ends within a character of UTF-8 though it
            has whole ones, or there is no such encoding.
    """
    with opened() as handle:
        head = handle.read(4096)
    found = _by_head(head) if encoding is None else known_encoding(encoding)
    for mark, kind in _BINARY:
        if head.startswith(mark):
            raise RelataskError(f"{path} is no text but of another kind; let its name end in {kind}.")
    decoder = codecs.getincrementaldecoder("utf-8")()
    word, held, beyond, quoted, zeros, lacking, length = "", b"", False, False, False, False, 0
    with opened() as handle:
        while block := handle.read(1 << 20):
            quoted = quoted or b'"' in block
            length = 0 if b"\n" in block or b"\r" in block else length + len(block)
            if length > LONGEST_LINE:
                raise RelataskError(
                    f"{path} has a line of more than {LONGEST_LINE >> 20} MiB; it is no table."
                )
            zeros = zeros or b"\0" in block
            lacking = lacking or _NOT_1252.search(block) is not None
            if found is None and not word:
                word, held = _not_utf8(decoder, block), decoder.getstate()[0]
                beyond = beyond or not block[: len(block) - len(held)].isascii()
        if held and beyond and not word:  # of a text without another such letter it may be one of Windows
            raise RelataskError(f"{path} ends within a character, so it was cut off; fetch or save it again.")
        if found is None and not word:
            word = _not_utf8(decoder, b"", final=True)
    if not word:
        return Characters(found or UTF8, "", quoted)
    if zeros:
        raise RelataskError(f"{path} holds bytes that no text has; save it as CSV (UTF-8).")
    return Characters("latin-1" if lacking else "cp1252", word, quoted)


def known_encoding(name: str) -> str:
    """Return Python's name of an encoding of texts.

    Raises:
        RelataskError: there is none.
    """
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        found = None
    if found is None or not found._is_text_encoding:
        raise RelataskError(
            f"encoding: there is none called {name[:40]!r}; write e.g. utf-8, utf-16, cp1252 or latin-1."
        )
    return UTF8 if found.name == "utf-8" else found.name


def _by_head(head: bytes) -> str | None:
    """Return the encoding that the first bytes of a text show, if they do."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), None) or _by_zeros(head)


def _by_zeros(head: bytes) -> str | None:
    """Return the UTF-16 of a text without a mark: of its two bytes a character, nearly all have one zero."""
    pairs = len(head) // 2
    first, second = head[: 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if 2 * second > pairs and 10 * first < pairs:
        return "utf-16-le"
    return "utf-16-be" if 2 * first > pairs and 10 * second < pairs else None


def _not_utf8(decoder: codecs.IncrementalDecoder, block: bytes, final: bool = False) -> str:
    """Return the word of the first bytes that are not UTF-8, as Windows-1252 or Latin-1 has it; else ""."""
    held = decoder.getstate()[0]
    try:
        decoder.decode(block, final)
        return ""
    except UnicodeDecodeError as error:
        around = (held + block)[: error.start + 60]
        start = max(0, error.start - 60)
        place, around = error.start - start, around[start:]
        text = around.decode("latin-1" if _NOT_1252.search(around) else "cp1252")
        words = [match for match in re.finditer(r"[^\s,;|\"]+", text) if match.start() <= place < match.end()]
        return words[0].group() if words else text[place : place + 1]
