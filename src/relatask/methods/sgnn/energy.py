"""The energy of SGNN-EBM over label vectors (eqs. 9-11), and the distribution that tilts the backbone by it.

Shapes: B items, T tasks, E related pairs, K label vectors per item. Node factors f_i(x, y_i) are
[B, T, 2] and edge factors f_ij(x, y_i, y_j) [B, E, 2, 2], both indexed by label; `edge_index` [2, E] has i in
row 0 and j in row 1, each pair once. Eqs. 10 and 14 leave out the λ of eq. 9; it is kept everywhere here.
"""

import math

import torch
from torch import Tensor

_LEAST = 2.0**-24  # distance from 1 of the float32 below it


def log_softmax_factors(node: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
    """Return σ of eq. 11: log-softmax over the 2 states of each node and the 4 states of each edge.

    Args:
        node: scores [B, T, 2].
        edge: scores [B, E, 2, 2].
    """
    return node.log_softmax(-1), edge.flatten(-2).log_softmax(-1).view(edge.shape)


def edge_weights(node: Tensor, edge_index: Tensor, weight: float, degree_normalised: bool) -> float | Tensor:
    """Return λ: one number for all relations, or [E, 1, 1] where each has its own.

    With d_i relations of task i, relation (i, j) has λ / sqrt(d_i d_j), the weights of Kipf and Welling
    (2017): a task whose partners have as many relations as it has is reached by λ in all, not by λ d_i.

    Args:
        node: f_i [B, T, 2], or any tensor of their T and type.
        edge_index: int64 [2, E].
        weight: λ of eq. 9.
        degree_normalised: whether it is divided so.
    """
    if not degree_normalised:
        return weight
    degree = torch.bincount(edge_index.flatten(), minlength=node.shape[1]).to(node.dtype)
    return weight * degree[edge_index].prod(0).rsqrt()[:, None, None]


def log_z_of_uniform(n_tasks: int, n_edges: int, edge_weight: float | Tensor) -> float:
    """Return log Z where every state of a node and of an edge is equally likely: -(T log 2 + Σ λ log 4).

    Then q exp(-E) is q times that constant for every label vector.
    """
    total = float(edge_weight.sum()) if isinstance(edge_weight, Tensor) else n_edges * edge_weight
    return -(n_tasks * math.log(2) + total * math.log(4))


def energies(
    node: Tensor, edge: Tensor, edge_index: Tensor, y: Tensor, edge_weight: float | Tensor
) -> Tensor:
    """Return E(x, y) of eq. 9, [B, K]: minus the node factors, minus λ times the edge factors.

    Args:
        node: f_i [B, T, 2].
        edge: f_ij [B, E, 2, 2].
        edge_index: int64 [2, E].
        y: labels 0 and 1, [B, K, T], in the factors' dtype.
        edge_weight: λ, or [E, 1, 1] of each pair.
    """
    if isinstance(edge_weight, Tensor):
        edge, edge_weight = edge_weight * edge, 1.0
    states = torch.stack([1 - y, y], -1)
    pairs = states[:, :, edge_index[0], :, None] * states[:, :, edge_index[1], None, :]
    first = torch.einsum("bti,bkti->bk", node, states)
    second = torch.einsum("beij,bkeij->bk", edge, pairs)
    return -first - edge_weight * second


def log_bernoulli(y: Tensor, probability: Tensor) -> Tensor:
    """Return the log-probability [B, K] of `y` [B, K, T]: independent, with `probability` [B, T] of 1."""
    ones, zeros = probability.log()[:, None], (-probability).log1p()[:, None]
    return (y * ones + (1 - y) * zeros).sum(-1)


def inside(probability: Tensor) -> Tensor:
    """Return `probability` moved off 0 and 1 by what float32 can tell from 1: its logarithms exist."""
    return probability.clamp(_LEAST, 1 - _LEAST)


def fields(
    node: Tensor, edge: Tensor, edge_index: Tensor, edge_weight: float | Tensor
) -> tuple[Tensor, Tensor]:
    """Return (a [T, B], c [E, B]) with -E(x, y) = constant + Σ_i a_i y_i + Σ_ij c_ij y_i y_j.

    A function of two labels is a constant, a number for each label and one for both; so eq. 14 says that the
    logit of y_i = 1, given the other labels, is a_i + Σ_j c_ij y_j.
    """
    none, second, first, both = (edge_weight * edge).flatten(-2).permute(2, 1, 0).contiguous()
    field = (node[..., 1] - node[..., 0]).t().contiguous()
    field.index_add_(0, edge_index[0], first - none)
    field.index_add_(0, edge_index[1], second - none)
    return field, both - first - second + none
