"""Long short-term memory (Hochreiter and Schmidhuber, 1997), several networks of one shape in one pass.

The gates are those of torch.nn.LSTM, in its order: input i, forget f, cell g, output o.

    c' = f c + i g,    h' = o tanh(c')

`LSTMStates` writes the derivative out, with one product for the recurrent weights in all. torch.nn.LSTM on
packed or padded texts takes several times as long on a CPU, most of it backwards.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def lstm_states(gates: Tensor, weight: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return the hidden states of T networks at all words of B texts, [N, T, w], in plain operations.

    Args:
        gates: [N, T, 4 w], what the words give to the gates, biases included: those of all first words, of
            all second words, ... (`relatask.inputs.word_batch.Packing`).
        weight: [T, w, 4 w], what the state before gives to them.
        sizes: how many texts have a word at each place, falling.
    """
    n_networks, width = weight.shape[:2]
    hidden = cell = gates.new_zeros(sizes[0], n_networks, width)
    found = []
    for own in gates.split(list(sizes)):
        recurrent = torch.bmm(hidden[: len(own)].transpose(0, 1), weight).transpose(0, 1)
        i, f, g, o = (own + recurrent).chunk(4, -1)
        cell = f.sigmoid() * cell[: len(own)] + i.sigmoid() * g.tanh()
        hidden = o.sigmoid() * cell.tanh()
        found.append(hidden)
    return torch.cat(found)


class LSTMStates(torch.autograd.Function):
    """`lstm_states` with its first derivative written out; it has no second."""

    @staticmethod
    def forward(ctx, gates: Tensor, weight: Tensor, sizes: Sequence[int]) -> Tensor:
        """Return the hidden states [N, T, w]."""
        n_words, n_networks, width = len(gates), *weight.shape[:2]
        gates = gates.clone(memory_format=torch.contiguous_format)
        cells, hidden = (gates.new_empty(n_words, n_networks, width) for _ in range(2))
        start = before = 0
        for size in sizes:
            own = slice(start, start + size)
            if start:
                last = hidden[before : before + size].transpose(0, 1)
                gates[own].transpose(0, 1).baddbmm_(last, weight)
            gates[own, :, : 2 * width].sigmoid_()
            gates[own, :, 2 * width : 3 * width].tanh_()
            gates[own, :, 3 * width :].sigmoid_()
            i, f, g, o = gates[own].chunk(4, -1)
            cell = torch.mul(i, g, out=cells[own])
            if start:
                cell.addcmul_(f, cells[before : before + size])
            torch.tanh(cell, out=hidden[own]).mul_(o)
            before, start = start, start + size
        ctx.save_for_backward(gates, cells, hidden, weight)
        ctx.sizes = sizes
        return hidden

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        """Return the derivatives of gates and weight."""
        gates, cells, hidden, weight = ctx.saved_tensors
        found = torch.empty_like(gates)
        of_hidden = gradient.clone(memory_format=torch.contiguous_format)
        of_cell = torch.zeros_like(of_hidden[: ctx.sizes[0]])
        end = len(gates)
        for place in range(len(ctx.sizes) - 1, -1, -1):
            size = ctx.sizes[place]
            own = slice(end - size, end)
            i, f, g, o = gates[own].chunk(4, -1)
            of_i, of_f, of_g, of_o = found[own].chunk(4, -1)
            squashed = cells[own].tanh()
            torch.mul(of_hidden[own], o, out=of_o)
            cell = of_cell[:size].addcmul_(of_o, 1 - squashed * squashed)
            of_o.mul_(squashed).mul_(1 - o)
            torch.mul(cell, i, out=of_i)
            torch.mul(of_i, 1 - g * g, out=of_g)
            of_i.mul_(g).mul_(1 - i)
            cell.mul_(f)
            if place:
                before = slice(end - size - ctx.sizes[place - 1], end - ctx.sizes[place - 1])
                torch.mul(cell, cells[before], out=of_f).mul_(1 - f)
                of_hidden[before].transpose(0, 1).baddbmm_(found[own].transpose(0, 1), weight.mT)
            else:
                of_f.zero_()
            end -= size
        return found, _of_weight(found, hidden, ctx.sizes), None


def _of_weight(of_gates: Tensor, hidden: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return the derivative [T, w, 4 w] of the recurrent weights: one product over later words."""
    pair = (torch.tensor(own, dtype=torch.int64, device=hidden.device) for own in (sizes[:-1], sizes[1:]))
    earlier, later = pair
    before = torch.arange(sizes[0], len(hidden), device=hidden.device)
    before -= torch.repeat_interleave(earlier, later, output_size=len(before))
    return torch.bmm(hidden[before].permute(1, 2, 0), of_gates[sizes[0] :].transpose(0, 1))
