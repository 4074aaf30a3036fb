"""Vectors of words from a file in text form, as of GloVe and word2vec: a word and its numbers a line."""

import gzip
import logging
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from relatask.core.errors import RelataskError

LARGEST = torch.finfo(torch.float32).max
log = logging.getLogger(__name__)


@lru_cache(maxsize=1)  # the encoders of all tasks start from the same file
def read_vectors(path: str, words: Sequence[str], width: int) -> tuple[Tensor, Tensor]:
    """Return which of `words` have a vector in a file, int64 [k], and these vectors, float32 [k, width].

    A line is a word and `width` numbers, with ASCII spaces or tabs between them: a word may hold a no-break
    space. Words are compared as they stand, and the first vector of a word counts. The file may have
    word2vec's first line, numbers of words and of columns, and may be compressed (.gz). How many words have
    no vector is logged.

    Raises:
        RelataskError: there is no such file, a line has another number of numbers, a number of a wanted word
            is none of 32 bits, or none of the words has a vector.
    """
    place = {word.encode(): number for number, word in enumerate(words)}
    found: dict[int, list[float]] = {}
    for number, line in _lines(Path(path)):
        parts = line.rsplit(None, width)
        if number == 1 and _is_first_of_word2vec(parts, width):
            continue
        if parts and (beside := _values_beside(parts, width)):
            raise RelataskError(
                f"vectors: line {number} of {path} has {width + beside} numbers behind its word, and "
                f"`embedding` is {width}; set embedding to the length of the vectors, or get the file anew "
                "where only some lines are of another length."
            )
        if parts and parts[0] in place:
            found.setdefault(place[parts[0]], _numbers(parts[1:], path, number))
    if words and not found:
        raise RelataskError(
            f"vectors: {path} has a vector of none of the {len(words)} words of the training texts, which "
            "are in lower case; give vectors of their language, or leave the option out for random ones."
        )
    log.info(
        "%s has vectors of %d of %d words; the others start from random ones.", path, len(found), len(words)
    )
    rows = torch.tensor(list(found), dtype=torch.int64)
    return rows, torch.tensor(list(found.values()), dtype=torch.float32).view(len(found), width)


def _is_first_of_word2vec(parts: Sequence[bytes], width: int) -> bool:
    """Whether the first line holds the numbers of words and of columns, and is no vector of one number."""
    return width > 1 and len(parts) == 2 and all(part.isdigit() for part in parts)


def _values_beside(parts: Sequence[bytes], width: int) -> int:
    """Return how many numbers too many a line has, or too few if negative.

    Args:
        parts: the line, cut at most `width` times from its right.
        width: numbers that it should have.
    """
    if len(parts) <= width:
        return len(parts) - 1 - width
    beside = 0  # GloVe has words with spaces, as ". .", but none with a number at the end
    for part in reversed(parts[0].split()[1:]):
        if not _is_number(part):
            break
        beside += 1
    return beside


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            yield from enumerate(file, start=1)
    except FileNotFoundError:
        raise RelataskError(
            f"vectors: {path} does not exist; leave the option out for random ones."
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise RelataskError(f"vectors: {path} cannot be read ({error}); get it anew.") from None


def _numbers(values: Sequence[bytes], path: str, number: int) -> list[float]:
    try:
        found = [float(value) for value in values]
    except ValueError:
        found = [float("nan")]
    if not all(abs(value) <= LARGEST for value in found):
        raise RelataskError(
            f"vectors: line {number} of {path} holds what is no finite number of 32 bits; get it anew."
        )
    return found
