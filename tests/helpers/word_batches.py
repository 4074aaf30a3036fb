"""Texts of random words, for encoders that read words."""

from collections.abc import Sequence

import torch

from relatask.inputs.word_batch import Words

N_WORDS = 9


def random_words(lengths: Sequence[int], seed: int = 0, training: Sequence[int] | None = None) -> Words:
    """Texts of so many words out of w0 ... w8; `training` are the training texts, default: all."""
    generator = torch.Generator().manual_seed(seed)
    words = torch.randint(0, N_WORDS, (sum(lengths),), generator=generator, dtype=torch.int32)
    offsets = torch.tensor([0, *lengths]).cumsum(0)
    texts = Words(words, offsets, tuple(f"w{number}" for number in range(N_WORDS)))
    return texts.fitted(
        torch.arange(len(lengths)) if training is None else torch.tensor(training, dtype=torch.int64)
    )
