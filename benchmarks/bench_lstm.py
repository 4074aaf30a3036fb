"""A training step of T LSTMs on one batch of texts: in one pass, one by one, and torch.nn.LSTM one by one.

64 texts of TMDb's lengths; word vectors of 100, states of 64. Run:
`python -m benchmarks.bench_lstm [--threads 1] [--rounds 3]`.
"""

import argparse
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from benchmarks.common import CLOCK, interleaved
from relatask.core.registry import complete_options
from relatask.encoders.lstm import LSTM, build, together
from relatask.inputs.word_batch import WordBatch, Words
from relatask.nn.encoder_list import EncoderList

TEXTS, WORDS, TASKS = 64, 10_000, (1, 4, 20)


class TorchLSTM(LSTM):
    """The encoder with the recurrence of torch, on packed texts."""

    def _packed(self, vectors: Tensor, sizes: Tensor) -> Tensor:
        found: Tensor = self.lstm(PackedSequence(vectors, sizes))[0].data
        return found


def texts() -> Words:
    """Texts as long as TMDb's plots, 53 words in the mean and 28 in deviation, of words drawn by rank."""
    rng = np.random.default_rng(0)
    lengths = rng.gamma(3.5, 15.0, TEXTS).astype(int).clip(6, 175)
    words = (WORDS ** rng.random(lengths.sum())).astype(np.int32) - 1
    offsets = torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)]))
    names = tuple(f"w{number}" for number in range(WORDS))
    return Words(torch.from_numpy(words), offsets, names).fitted(torch.arange(TEXTS))


def step(model: torch.nn.Module, batch: WordBatch) -> Callable[[], object]:
    """Return a pass forwards and backwards."""

    def run() -> None:
        model.zero_grad()
        model(batch).square().sum().backward()

    return run


def main() -> None:
    """Print the time of a step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    data = texts()
    batch, clock = data.batch(torch.arange(TEXTS)), CLOCK[arguments.threads == 1]
    options = complete_options("encoders", "lstm", {"min_texts": 1})
    vocabulary = data.vocabulary
    assert vocabulary is not None
    for n_tasks in TASKS:
        encoders = [build(vocabulary, data.lengths, **options) for _ in range(n_tasks)]
        torchs = [build(vocabulary, data.lengths, **options) for _ in range(n_tasks)]
        for one in torchs:
            one.__class__ = TorchLSTM
        found = interleaved(
            {
                "one pass": step(together(encoders), batch),
                "one by one": step(EncoderList(encoders), batch),
                "torch.nn.LSTM": step(EncoderList(torchs), batch),
            },
            arguments.rounds,
        )
        own = found.seconds["one pass"]
        for name, taken in found.seconds.items():
            text = f"{name:14s} {taken:6.3f} s {clock}, {taken / own:.1f} x"
            print(f"T = {n_tasks:2d}, {len(batch.words)} words, {text}")


if __name__ == "__main__":
    main()
