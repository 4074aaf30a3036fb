"""Items of different numbers of parts, one after the other in flat tensors."""

import torch
from torch import Tensor


def ragged(offsets: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return (positions, owner, starts): the flat positions of the `rows` segments, one after the other.

    `owner` [n] is the position in `rows` each belongs to; `starts` [len(rows) + 1] where each one begins.
    """
    begin = offsets[rows]
    lengths = offsets[rows + 1] - begin
    starts = torch.zeros(len(rows) + 1, dtype=torch.int64, device=rows.device)
    torch.cumsum(lengths, 0, out=starts[1:])
    owner = torch.repeat_interleave(lengths)
    positions = torch.arange(len(owner), device=rows.device) + (begin - starts[:-1])[owner]
    return positions, owner, starts
