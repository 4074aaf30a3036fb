"""The body of a web service's answer, read within a bound of size."""

import requests
from urllib3.exceptions import HTTPError

MOST_BYTES = 512 << 20  # decompressed; STRING's largest network has a tenth of it
_PIECE = 1 << 16
BROKEN = (HTTPError, OSError)  # what reading raises when the connection ends or the coding is damaged


class TooMuchError(Exception):
    """An answer that is larger than any that is expected."""


def read_body(response: requests.Response, most: int = MOST_BYTES) -> bytes:
    """Return the decompressed body of an answer that was asked for with ``stream=True``.

    Raises:
        TooMuchError: it has more than `most` bytes.
        TooSlowError: it does not end in time.
        HTTPError, OSError: it broke off; see `BROKEN`.
    """
    pieces: list[bytes] = []
    size = 0
    while piece := response.raw.read1(_PIECE, decode_content=True):  # what has arrived, without waiting
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise TooMuchError(f"it sent more than {most >> 20} MiB")
    return b"".join(pieces)


def first_words(body: bytes) -> str:
    """Return how a body begins, on one line, for a message."""
    return " ".join(body[:200].decode("utf-8", "replace").split())
