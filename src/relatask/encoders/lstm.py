"""Long short-term memory over the words of texts, pooled by dot-product attention, as L2T-MITTEN's for texts.

The paper (appendix B.2) names the parts and no sizes; these were chosen on TMDb's validation fold. Vectors of
words start from numbers near 0.1 and the forget gate starts open (Jozefowicz et al., 2015), as from torch's
own start the network learns little in the first ten epochs.

A word that fewer than `min_texts` training texts have is unknown, like one that none has: so what stands for
unknown words is learned. With `min_texts: 1` it stays as it was drawn.
"""

import logging
from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relatask.encoders._word_vectors import read_vectors
from relatask.inputs.word_batch import Vocabulary, WordBatch
from relatask.nn.attention import attention_pool
from relatask.nn.contract import Encoder, TaskEncoders
from relatask.nn.lstm import LSTMStates, lstm_states

CAPABILITIES = {
    "summary": "LSTM on words with dot-product attention",
    "label": "LSTM",
    "paper": "hochreiter_1997",
    "inputs": ("words",),
    "microseconds": 700.0,
    "cost_options": ("width",),
    "twice_differentiable": True,
    "from_input": ("vocabulary", "lengths"),
    "options": {
        "width": 64,
        "embedding": 100,
        "max_words": 200,
        "min_texts": 2,
        "dropout": 0.5,
        "vectors": "",
    },
    "initial": ("vectors",),
    "limits": {
        "width": (1, 10_000),
        "embedding": (1, 10_000),
        "max_words": (1, 1_000_000),
        "min_texts": (1, 1_000_000),
        "dropout": (0.0, 0.99),
    },
    "space": {
        "width": {"least": 32, "greatest": 256, "log": True},
        "embedding": {"least": 50, "greatest": 300, "log": True},
        "dropout": {"least": 0.0, "greatest": 0.7},
    },
}
DEVIATION = 0.1  # of the numbers that a word's vector starts from
log = logging.getLogger(__name__)


class LSTM(Encoder):
    """Texts -> states of their words -> [B, width]."""

    def __init__(self, n_words: int, width: int, embedding: int, max_words: int, dropout: float):
        super().__init__()
        self.width, self.max_words, self.dropout = width, max_words, dropout
        self.words = nn.Embedding(n_words + 1, embedding)  # unknown words first
        self.lstm = nn.LSTM(embedding, width)  # its parameters; `recurrent_states` computes in its place
        with torch.no_grad():
            self.words.weight.mul_(DEVIATION)
            self.lstm.all_weights[0][2][width : 2 * width] = 1.0

    def states(self, x: WordBatch) -> Tensor:
        """Return the LSTM's outputs [N, width] at the words of B texts; N counts those that are read."""
        x = x.first(self.max_words)
        vectors = F.dropout(self.words(known(x.words, len(self.words.weight))), self.dropout, self.training)
        return in_texts(x, self._packed(vectors[x.packing.order], x.packing.sizes))

    def _packed(self, vectors: Tensor, sizes: Tensor) -> Tensor:
        """Return the states [N, width] of words in the order of a `Packing`."""
        entry, weight, *biases = self.lstm.all_weights[0]
        gates = F.linear(vectors, entry, biases[0] + biases[1])
        return recurrent_states(gates[:, None], weight.T[None], sizes, self.plain)[:, 0]

    def pool(self, states: Tensor, x: WordBatch) -> Tensor:
        """Return the texts' sums of states, weighed by their likeness to the last word's, [B, width]."""
        return attention_pool(states, x.first(self.max_words))


def known(words: Tensor, n_rows: int) -> Tensor:
    """Return rows of a table of words that holds the first ones of the vocabulary: 0 for all others."""
    return torch.where(words < n_rows, words, 0)


def recurrent_states(gates: Tensor, weight: Tensor, sizes: Tensor, plain: bool) -> Tensor:
    """Return the states [N, T, w] of T networks as `lstm_states`, in full precision."""
    with torch.autocast(gates.device.type, enabled=False):
        run = lstm_states if plain else LSTMStates.apply
        found: Tensor = run(gates.to(weight.dtype), weight, tuple(sizes.tolist()))
    return found


def in_texts(x: WordBatch, packed: Tensor) -> Tensor:
    """Return the states [N, ...] of words in the order of a `Packing` in that of their texts."""
    place = torch.empty_like(x.packing.order)
    place[x.packing.order] = torch.arange(len(place), device=place.device)
    return packed[place]


def build(
    vocabulary: Vocabulary,
    lengths: Tensor,
    width: int,
    embedding: int,
    max_words: int,
    min_texts: int,
    dropout: float,
    vectors: str,
) -> LSTM:
    """Return the encoder, initialised from torch's global generator and, where a file is named, its vectors.

    Args:
        vocabulary: of the training texts.
        lengths: of all texts, in words, int64 [n].
        width: of a state.
        embedding: numbers of a word's vector.
        max_words: of a text that are read, from its start.
        min_texts: training texts that a word must stand in to be known.
        dropout: of the words' vectors.
        vectors: file of vectors in text form, as GloVe and word2vec write them; "": none.

    Raises:
        RelataskError: there is no such file, or its vectors have another length.
    """
    words = vocabulary.known(min_texts)
    model = LSTM(len(words), width, embedding, max_words, dropout)
    if vectors:
        rows, values = read_vectors(vectors, words, embedding)
        with torch.no_grad():
            model.words.weight[rows + 1] = values
    _tell_of_cut(int((lengths > max_words).sum()), len(lengths), max_words)
    return model


@lru_cache  # once for all encoders of a run
def _tell_of_cut(n_cut: int, n_texts: int, max_words: int) -> None:
    if n_cut:
        log.info(
            "%d of %d texts have more than %d words; of these the first are read.", n_cut, n_texts, max_words
        )


def together(encoders: Sequence[LSTM]) -> TaskEncoders:
    """Return a pass of all encoders at once, in their state of now."""
    from relatask.encoders._lstm_together import StackedLSTM

    return StackedLSTM(encoders)
