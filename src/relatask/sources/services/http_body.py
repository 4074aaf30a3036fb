"""The body of a web service's answer, read within bounds of time and size."""

import time

import requests
from urllib3.exceptions import HTTPError

MOST_SECONDS = 300.0  # of a whole answer; the time-out of a connection starts anew with every byte
MOST_BYTES = 512 << 20  # decompressed; STRING's largest network has a tenth of it
_PIECE = 1 << 16
BROKEN = (HTTPError, OSError)  # what reading raises when the connection ends or the coding is damaged


class TooMuchError(Exception):
    """An answer that does not end in time, or is larger than any that is expected."""


def read_body(response: requests.Response, seconds: float = MOST_SECONDS, most: int = MOST_BYTES) -> bytes:
    """Return the decompressed body of an answer that was asked for with ``stream=True``.

    Raises:
        TooMuchError: it takes longer than `seconds`, or has more than `most` bytes.
        HTTPError, OSError: it broke off; see `BROKEN`.
    """
    end = time.monotonic() + seconds
    pieces: list[bytes] = []
    size = 0
    while piece := response.raw.read1(_PIECE, decode_content=True):  # what has arrived, without waiting
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise TooMuchError(f"it sent more than {most >> 20} MiB")
        if time.monotonic() > end:
            raise TooMuchError(f"it sent only {size} bytes in {seconds:g} s")
    return b"".join(pieces)


def first_words(response: requests.Response) -> str:
    """Return how the body begins, on one line, for a message; empty where it cannot be read."""
    try:
        piece = response.raw.read1(1000, decode_content=True)
    except BROKEN:
        return ""
    return " ".join(piece[:200].decode("utf-8", "replace").split())
