"""The layers of molecular encoders in plain operations of torch, which have second derivatives.

The kernels of `relatask.nn` write their first derivative out and have no second. Loops that differentiate
through a gradient take these instead (`Encoder.plain`); tests hold both equal in values and first
gradients. They cost about twice the time, and dropout draws other units.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from relatask.inputs.graph_batch import GraphBatch


def neighbour_sum(states: Tensor, bonds: Tensor, x: GraphBatch, bond_counts: Tensor) -> Tensor:
    """Return the sum of states [N, w] and bonds [9, w] over an atom's neighbours and itself, [N, w].

    Args:
        states: of the atoms.
        bonds: embedding of each kind of bond.
        x: the batch.
        bond_counts: bonds of each kind at an atom that count, [N, 9].
    """
    degrees = x.neighbour_offsets.diff()
    receiver = torch.repeat_interleave(degrees)
    summed = torch.zeros_like(states).index_add(0, receiver, states[x.neighbours.long()])
    return summed + bond_counts.to(states.dtype) @ bonds.to(states.dtype)


def norm_dropout(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    training: bool,
    relu: bool,
    dropout: float,
) -> Tensor:
    """Return batch norm, ReLU if wanted, dropout of [N, w]; a single row is normalised as in evaluation."""
    use_batch = training and len(x) > 1
    y = F.batch_norm(x, running_mean, running_var, weight, bias, use_batch, 0.1, 1e-5)
    return F.dropout(y.relu() if relu else y, dropout, training)


def molecule_sum(states: Tensor, x: GraphBatch) -> Tensor:
    """Return the sum of states [N, w] over each molecule's atoms, [B, w]."""
    return states.new_zeros(len(x), states.shape[1]).index_add(0, x.molecules, states)


def molecule_mean(states: Tensor, x: GraphBatch) -> Tensor:
    """Return the mean of states [N, w] over each molecule's atoms, [B, w]."""
    return molecule_sum(states, x) / x.molecule_offsets.diff().clamp(min=1)[:, None].to(states.dtype)
