"""Texts as the words that they consist of, one after the other.

A word is a run of letters and digits of any script, in lower case, with the marks that stand on them, such as
vowel signs of Hindi (Unicode's categories Mn and Mc); apostrophes inside it are part of it, and everything
else stands between words: "Don't panic: it's 1984!" is don't, panic, it's, 1984. Letters with accents are the
same however they are encoded (Unicode NFC), and a typographic apostrophe is a plain one. Scripts without
spaces between words, such as Chinese, give a word for each run of characters.
"""

import re
import unicodedata
from array import array
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from relatask.core.errors import RelataskError
from relatask.inputs.arrays import read_array

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from relatask.inputs.word_batch import Words

INPUT = {
    "summary": "words of texts, from the column `text` of the items",
    "column": "text",
    "whole": True,  # because all texts share a list of words
}
VERSION = 2
ARRAYS = ("words", "word_offsets", "word_list")
NO_WORD = "empty text: it has no word"
_PLANES = (range(0x300, 0x20000), range(0xE0100, 0xE01F0))  # of Unicode, that have marks
_MARKS = "".join(
    letter for letter in map(chr, chain(*_PLANES)) if unicodedata.category(letter) in {"Mn", "Mc"}
)
_RUN = rf"[^\W_]+(?:(?=[^\0-\u02ff])[{_MARKS}]+[^\W_]*)*"  # no mark is below: most ends are passed fast
_WORD = re.compile(rf"{_RUN}(?:'{_RUN})*")


def words_of(text: str) -> list[str]:
    """Return the words of a text in their order."""
    plain = unicodedata.normalize("NFC", text).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").lower()
    return _WORD.findall(unicodedata.normalize("NFC", plain))


def featurise(items: "pd.DataFrame") -> dict[str, np.ndarray]:
    """Return the words of all n texts, from the column `text`.

    Returns:
        words: int32 [n_words], the words of all texts, as positions in the list of words.
        word_offsets: int64 [n + 1]; text i has the words [offset i, offset i + 1).
        word_list: uint8, the different words, each followed by a line feed, in UTF-8.
        And as counts words_of_texts and different_words.

    Raises:
        RelataskError: the items have no column `text`, or a text has no word.
    """
    if "text" not in items:
        raise RelataskError("the items have no column `text`, which their words are read from.")
    place: dict[str, int] = {}
    words, offsets = array("i"), [0]
    for item, text in zip(items["item_id"], items["text"], strict=True):
        words.extend(place.setdefault(word, len(place)) for word in words_of(str(text)))
        offsets.append(len(words))
        if offsets[-1] == offsets[-2]:
            raise RelataskError(f"the text of the item {item} has no word; leave the item out.")
    return {
        "words": np.array(words, np.int32),
        "word_offsets": np.array(offsets, np.int64),
        "word_list": np.frombuffer("".join(f"{word}\n" for word in place).encode(), np.uint8),
        "words_of_texts": np.array(len(words)),
        "different_words": np.array(len(place)),
    }


def unusable(items: "pd.DataFrame") -> list[str | None]:
    """Return for each item why it has no words, or None: `featurise` would raise."""
    if "text" not in items:
        return [None] * len(items)
    texts = [text if isinstance(text, str) else "" for text in items["text"]]
    return [None if words_of(text) else NO_WORD for text in texts]


def load(folder: Path, device: "torch.device | str" = "cpu") -> "Words":
    """Read the words of a `features` folder and put them on `device`; no word is known yet, see `fitted`."""
    import torch

    from relatask.inputs.word_batch import Words

    words, offsets, listed = (read_array(folder / f"{name}.npy") for name in ARRAYS)
    names = tuple(listed.tobytes().decode().split("\n")[:-1])
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != len(words) or (np.diff(offsets) < 1).any():
        raise RelataskError(f"{folder}: word_offsets.npy does not cut words.npy into texts; make them again.")
    if len(words) and not 0 <= words.min() <= words.max() < len(names):
        raise RelataskError(f"{folder}: words.npy names words that word_list.npy lacks; make them again.")
    return Words(
        words=torch.from_numpy(np.array(words, np.int32)).to(device),
        offsets=torch.from_numpy(np.array(offsets, np.int64)).to(device),
        names=names,
    )
