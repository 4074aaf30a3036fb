"""Fingerprints as bytes, and how similar two of them are."""

import torch
from torch import Tensor

ROWS = 1024  # of a kernel that are made at a time


def tanimoto(asked: Tensor, known: Tensor) -> Tensor:
    """Return the share of common bits among the bits that two molecules have together, float64 [B, n].

    It is positive semi-definite (Ralaivola et al., 2005, section 4). A molecule without bits is like no other
    and not like itself.

    Args:
        asked: float32 [B, d] of 0 and 1.
        known: float32 [n, d] of 0 and 1.
    """
    found = torch.empty(len(asked), len(known), dtype=torch.float64, device=asked.device)
    sizes = known.sum(1)
    for place, rows in enumerate(asked.split(ROWS)):
        common = rows @ known.T  # of whole numbers far below 2^24, hence exact
        either = (rows.sum(1)[:, None] + sizes - common).clamp(min=1)
        torch.div(common.double(), either, out=found[place * ROWS : place * ROWS + len(rows)])
    return found


def packed(bits: Tensor) -> Tensor:
    """Return bits [n, d], d a multiple of 8, as uint8 [n, d / 8], first bit first, as np.packbits does."""
    values = 2 ** torch.arange(7, -1, -1, dtype=torch.uint8, device=bits.device)
    return (bits.to(torch.uint8).unflatten(1, (-1, 8)) * values).sum(2, dtype=torch.uint8)


def unpacked(content: Tensor) -> Tensor:
    """Return what `packed` was given, as float32 [n, d]."""
    places = torch.arange(7, -1, -1, dtype=torch.uint8, device=content.device)
    return (content[..., None].bitwise_right_shift(places) & 1).flatten(1).float()
