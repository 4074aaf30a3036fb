"""Vectors of words from a file in text form, as of GloVe and word2vec: a word and its numbers a line."""

import gzip
import logging
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from relatask.core.errors import RelataskError

log = logging.getLogger(__name__)


@lru_cache(maxsize=1)  # the encoders of all tasks start from the same file
def read_vectors(path: str, words: Sequence[str], width: int) -> tuple[Tensor, Tensor]:
    """Return which of `words` have a vector in a file, int64 [k], and these vectors, float32 [k, width].

    Words are compared as they stand, and the first vector of a word counts. The file may have word2vec's
    first line, numbers of words and of columns, and may be compressed (.gz). How many words have no vector is
    logged.

    Raises:
        RelataskError: there is no such file, it holds no vectors in text form, or they have another length.
    """
    place = {word: number for number, word in enumerate(words)}
    found: dict[int, list[float]] = {}
    for number, line in _lines(Path(path)):
        word, *values = line.rsplit(" ", width)
        if number <= 2 and not 0 < width == len(line.split()) - 1:
            if number == 1 and len(line.split()) == 2:
                continue
            raise RelataskError(
                f"vectors: line {number} of {path} has {max(len(line.split()) - 1, 0)} numbers behind its "
                f"word, and `embedding` is {width}; set embedding to the length of the vectors, which must "
                "be in text form."
            )
        if word in place:
            found.setdefault(place[word], _numbers(values, path, number))
    log.info(
        "%s has vectors of %d of %d words; the others start from random ones.", path, len(found), len(words)
    )
    rows = torch.tensor(list(found), dtype=torch.int64)
    return rows, torch.tensor(list(found.values()), dtype=torch.float32).view(-1, width)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8", errors="replace", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                yield number, line.rstrip()
    except FileNotFoundError:
        raise RelataskError(
            f"vectors: {path} does not exist; leave the option out for random ones."
        ) from None
    except (OSError, EOFError) as error:
        raise RelataskError(f"vectors: {path} cannot be read ({error}); get it anew.") from None


def _numbers(values: Sequence[str], path: str, number: int) -> list[float]:
    try:
        found = [float(value) for value in values]
    except ValueError:
        found = [float("nan")]
    if not all(abs(value) < float("inf") for value in found):
        raise RelataskError(f"vectors: line {number} of {path} holds what is no finite number; get it anew.")
    return found
