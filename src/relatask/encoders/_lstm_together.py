"""LSTMs of several tasks that read the same texts in one pass.

Their word vectors lie beside each other, so a word is looked up once for all; the recurrent products are
batched over the tasks, and nothing loops over them.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relatask.encoders.lstm import LSTM, in_texts, known, recurrent_states
from relatask.inputs.word_batch import WordBatch
from relatask.nn.attention import attention_pool
from relatask.nn.contract import Between, TaskEncoders


class StackedLSTM(TaskEncoders):
    """T encoders of one shape: B texts -> [B, T, width]. It owns a copy of their parameters."""

    depth = 1

    def __init__(self, encoders: Sequence[LSTM]):
        super().__init__()
        first = encoders[0]
        self.width, self.max_words, self.dropout = first.width, first.max_words, first.dropout
        self.words = nn.Parameter(torch.cat([encoder.words.weight.detach() for encoder in encoders], 1))
        own = [[one.detach() for one in encoder.lstm.all_weights[0]] for encoder in encoders]
        entry, recurrent, of_entry, of_recurrent = (torch.stack(of_all) for of_all in zip(*own, strict=True))
        self.entry, self.recurrent = (
            nn.Parameter(entry.mT.contiguous()),
            nn.Parameter(recurrent.mT.contiguous()),
        )
        self.bias = nn.Parameter(of_entry + of_recurrent)

    def states(self, x: WordBatch, between: Between | None = None) -> Tensor:
        """Return the outputs [N, T, width] of each LSTM at the words of B texts."""
        x = x.first(self.max_words)
        vectors = F.embedding(known(x.words, len(self.words))[x.packing.order], self.words)
        vectors = F.dropout(vectors, self.dropout, self.training)
        vectors = vectors.view(len(vectors), *self.entry.shape[:2])
        gates = torch.baddbmm(self.bias[:, None], vectors.transpose(0, 1), self.entry).transpose(0, 1)
        states = in_texts(x, recurrent_states(gates, self.recurrent, x.packing.sizes, plain=False))
        return states if between is None else between(0, states)

    def pool(self, states: Tensor, x: WordBatch) -> Tensor:
        """Return the texts' sums of states, weighed as in each encoder alone, [B, T, width]."""
        return attention_pool(states, x.first(self.max_words))
