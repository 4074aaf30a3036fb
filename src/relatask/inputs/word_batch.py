"""Words of texts as flat tensors; a batch of texts is a handful of index operations.

All texts lie one after the other. A word is known by its place in the vocabulary, the words of the training
texts: 1 for the one that most of them have, and so on. Every other word is 0, unknown.
"""

import logging
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.inputs.fitted import FittedInput
from relatask.inputs.ragged import ragged

NOT_FITTED = "words are known once a data set is read under a split, or by a trained model"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Vocabulary:
    """Words of the training texts, those of most texts first, then by the alphabet.

    Attributes:
        words: word 1, word 2, ...
        n_texts: how many training texts have each.
    """

    words: tuple[str, ...]
    n_texts: tuple[int, ...]

    def known(self, least: int) -> tuple[str, ...]:
        """Return the words that stand in at least so many training texts: the first ones."""
        return self.words[: sum(n >= least for n in self.n_texts)]


@dataclass(frozen=True)
class Packing:
    """The words of a batch by their place in the text: all first words, all second words, ...

    Texts are in the order of falling length, so at each place those that go on come first. This is the layout
    of `torch.nn.utils.rnn.PackedSequence`, and holds no padding.
    """

    order: Tensor  # int64 [N]: positions in the batch of the words, in the new order
    sizes: Tensor  # int64 [longest], on the CPU: how many texts have a word at each place


@dataclass(frozen=True)
class WordBatch:
    """B texts with N words in total."""

    words: Tensor  # int64 [N]: place in the vocabulary from 1 on, 0 unknown
    texts: Tensor  # int64 [N]: position in the batch of the word's text
    offsets: Tensor  # int64 [B + 1]: where a text's words begin

    def __len__(self) -> int:
        """Number of texts."""
        return len(self.offsets) - 1

    @cached_property
    def longest(self) -> int:
        """Words of the longest text."""
        return int(self.offsets.diff().max()) if len(self) else 0

    @cached_property
    def packing(self) -> Packing:
        """The order in which a recurrent network reads the words."""
        lengths = self.offsets.diff()
        rank = torch.empty_like(lengths)
        rank[torch.argsort(lengths, descending=True, stable=True)] = torch.arange(
            len(self), device=lengths.device
        )
        place = torch.arange(len(self.words), device=lengths.device) - self.offsets[self.texts]
        order = torch.argsort(place * len(self) + rank[self.texts])
        return Packing(order, torch.bincount(place, minlength=self.longest).cpu())

    def first(self, most: int) -> "WordBatch":
        """Return the texts without the words behind their first `most`."""
        if self.longest <= most:
            return self
        place = torch.arange(len(self.words), device=self.words.device) - self.offsets[self.texts]
        kept = place < most
        lengths = self.offsets.diff().clamp(max=most)
        offsets = torch.zeros_like(self.offsets)
        torch.cumsum(lengths, 0, out=offsets[1:])
        return WordBatch(self.words[kept], self.texts[kept], offsets)


@dataclass(frozen=True)
class Words(FittedInput):
    """All texts of a data set on one device."""

    words: Tensor  # int32 [n_words]: positions in `names`
    offsets: Tensor  # int64 [n_texts + 1]
    names: tuple[str, ...]  # all words of the data set
    vocabulary: Vocabulary | None = None  # None: not fitted yet
    ids: Tensor | None = None  # int32 [len(names)]: place in the vocabulary from 1 on, 0 unknown

    def __len__(self) -> int:
        """Number of texts."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Tensor:
        """Number of words of each text, int64 [n_texts]."""
        return self.offsets.diff()

    def batch(self, rows: Tensor) -> WordBatch:
        """Return the texts at positions `rows` (int64 [B]) in that order."""
        positions, texts, starts = ragged(self.offsets, rows)
        return WordBatch(self.known_ids[self.words[positions].long()].long(), texts, starts)

    def fitted(self, rows: Tensor) -> "Words":
        """Return the texts as those at positions `rows` teach: by their words, of which each is known."""
        positions, texts, _ = ragged(self.offsets, rows)
        n_names = max(len(self.names), 1)
        pairs = torch.unique(
            texts * n_names + self.words[positions]
        )  # a text that repeats a word counts once
        counts = torch.bincount(pairs % n_names, minlength=n_names).tolist()
        known = sorted((-count, name) for name, count in zip(self.names, counts, strict=False) if count)
        found = self.with_learned({"words": [name for _, name in known], "n_texts": [-n for n, _ in known]})
        n_unknown = int((found.known_ids[self.words.long()] == 0).sum())
        log.info(
            "%d training texts have %d different words; of %d words of the other %d texts %d are unknown.",
            len(rows),
            len(known),
            len(self.words) - len(positions),
            len(self) - len(rows),
            n_unknown,
        )
        return found

    @property
    def learned(self) -> dict[str, Any]:
        """The vocabulary: words, and how many training texts have each."""
        assert self.vocabulary is not None, NOT_FITTED
        return {"words": list(self.vocabulary.words), "n_texts": list(self.vocabulary.n_texts)}

    def with_learned(self, learned: dict[str, Any]) -> "Words":
        """Return the texts read by a vocabulary.

        Raises:
            RelataskError: it is none.
        """
        words, n_texts = learned.get("words"), learned.get("n_texts")
        if not isinstance(words, list) or not isinstance(n_texts, list) or len(words) != len(n_texts):
            raise RelataskError("a vocabulary lists `words`, and as `n_texts` how many texts have each.")
        place = {word: number for number, word in enumerate(words, start=1)}
        ids = torch.tensor([place.get(name, 0) for name in self.names], dtype=torch.int32)
        return replace(
            self, vocabulary=Vocabulary(tuple(words), tuple(n_texts)), ids=ids.to(self.words.device)
        )

    @property
    def known_ids(self) -> Tensor:
        """Place in the vocabulary from 1 on of each of `names`, 0 where it is unknown, int32."""
        assert self.ids is not None, NOT_FITTED
        return self.ids
