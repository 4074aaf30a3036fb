"""Eqs. 3 and 4 of L2T-MITTEN for all positions and pairs of tasks, in memory that is bounded.

Written out, the states H_ij (eq. 2) of N positions are a tensor [N, T, T, d], 400 MB at 27 tasks, 2,000 atoms
and 64 numbers. With linear maps the products of the maps of a pair of tasks are taken first, so a position
needs them only times its own states; some positions at a time, and once more in the backward pass.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

NUMBERS = 2**19  # of the largest tensor in memory at a time
LEAST = 16  # positions at a time; fewer make products slow


class Mixture(Function):
    """Each task's mixture of what all tasks send, before the last map W_Vj of eq. 4.

    The sources of a position, [T, p], are multiplied by `weights` [T, p, T, 2 d]: for each pair (i, j) the
    query and the value that task i sends to task j. Where `barred` [T, T] is true, i sends nothing to j.
    """

    @staticmethod
    def forward(
        ctx: Any, sources: Tensor, keys: Tensor, weights: Tensor, scale: Tensor, barred: Tensor
    ) -> Tensor:
        """Return the mixtures [N, T, d].

        Args:
            ctx: of torch.
            sources: [N, T, p].
            keys: [N, T, d].
            weights: [T, p, T, 2 d].
            scale: [T, T], what the product of query and key is multiplied by: eta D / sqrt(d).
            barred: bool [T, T].
        """
        ctx.save_for_backward(sources, keys, weights, scale, barred)
        found = torch.empty_like(keys)
        for rows in blocks(len(sources), weights):
            pairs = _sent(sources[rows], weights)
            queries, values = pairs.chunk(2, -1)
            shares = _shares(_scores(queries, keys[rows]), scale, barred)
            torch.sum(shares[..., None] * values, 0, out=found[rows])
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, None]:
        """Make what is sent again, block by block, and go back through it."""
        sources, keys, weights, scale, barred = ctx.saved_tensors
        of_sources, of_keys = torch.empty_like(sources), torch.empty_like(keys)
        of_weights, of_scale = torch.zeros_like(weights.flatten(2)), torch.zeros_like(scale)
        for rows in blocks(len(sources), weights):
            pairs = _sent(sources[rows], weights)
            queries, values = pairs.chunk(2, -1)
            key, received = keys[rows], grad[rows]
            scores = _scores(queries, key)
            shares = _shares(scores, scale, barred)
            of_shares = (values * received).sum(-1)
            of_logits = shares * (of_shares - (shares * of_shares).sum(0))
            of_scale += (of_logits * scores).sum(1)
            of_scores = (of_logits * scale[:, None])[..., None]
            torch.sum(of_scores * queries, 0, out=of_keys[rows])
            # Queries and values are views of `pairs`: its gradient is written over it.
            torch.mul(of_scores, key, out=queries)
            torch.mul(shares[..., None], received, out=values)
            of_pairs = pairs.flatten(2)  # [T, c, T 2 d]
            of_sources[rows] = torch.bmm(of_pairs, weights.flatten(2).mT).transpose(0, 1)
            of_weights.baddbmm_(sources[rows].permute(1, 2, 0), of_pairs)
        return of_sources, of_keys, of_weights.view_as(weights), of_scale, None


def attention(sources: Tensor, keys: Tensor, weights: Tensor, scale: Tensor, barred: Tensor) -> Tensor:
    """Return how much task j (last) takes of what task i sends, [N, T, T]; arguments as `Mixture`."""
    found = keys.new_empty(len(sources), *scale.shape)
    for rows in blocks(len(sources), weights):
        queries = _sent(sources[rows], weights).chunk(2, -1)[0]
        found[rows] = _shares(_scores(queries, keys[rows]), scale, barred).transpose(0, 1)
    return found


def blocks(n: int, weights: Tensor) -> Iterator[slice]:
    """Yield slices of n positions, so many that what tasks send each other fits `NUMBERS`."""
    size = max(LEAST, NUMBERS // (len(weights) * weights[0, 0].numel()))
    return (slice(start, start + size) for start in range(0, n, size))


def _sent(sources: Tensor, weights: Tensor) -> Tensor:
    """Return queries and values [T, c, T, 2 d] of c positions."""
    product = torch.bmm(sources.transpose(0, 1), weights.flatten(2))
    return product.unflatten(2, weights.shape[2:])


def _scores(queries: Tensor, keys: Tensor) -> Tensor:
    """Return the products [T, c, T] of queries [T, c, T, d] and keys [c, T, d]."""
    return (queries * keys).sum(-1)


def _shares(scores: Tensor, scale: Tensor, barred: Tensor) -> Tensor:
    """Return the softmax over sources, the first axis of [T, c, T]."""
    logits = scores * scale[:, None]
    return logits.masked_fill_(barred[:, None], -torch.inf).softmax(0)
