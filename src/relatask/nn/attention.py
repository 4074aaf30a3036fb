"""Pooling by attention over the parts of items."""

import torch
from torch import Tensor

from relatask.inputs.word_batch import WordBatch


def attention_pool(states: Tensor, x: WordBatch) -> Tensor:
    """Return dot-product attention of each text's last state over its states (L2T-MITTEN, appendix B.2).

        alpha = Softmax(O h_n),    text = alpha^T O

    O are the states of a text's n words and h_n that of the last one. The softmax is one over the words of
    each text, with no loop over texts.

    Args:
        states: [N, ..., w] of the words of B texts; each place of the axes between has its own attention.
        x: the texts.

    Returns:
        [B, ..., w], float32, or float64 where the states are.
    """
    states = states if states.dtype == torch.float64 else states.float()
    last = states[x.offsets[1:] - 1]
    scores = (states * last[x.texts]).sum(-1)
    weights = softmax_within(scores, x.texts, len(x))
    return torch.zeros_like(last).index_add(0, x.texts, weights[..., None] * states)


def softmax_within(scores: Tensor, owner: Tensor, n_items: int) -> Tensor:
    """Return the softmax of scores [N, ...] over the parts of each of B items, `owner` int64 [N]."""
    place = owner.view(-1, *[1] * (scores.dim() - 1)).expand_as(scores)
    top = scores.new_full((n_items, *scores.shape[1:]), -torch.inf)
    top = top.scatter_reduce(0, place, scores.detach(), "amax")
    powers = (scores - top[owner]).exp()
    total = torch.zeros_like(top).index_add(0, owner, powers)
    return powers / total[owner]
