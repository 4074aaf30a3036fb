"""Uniform draws that depend on what they are for alone: not on batch, order, device or generator."""

import torch
from torch import Tensor

_GOLDEN = -0x61C8864680B583EB  # 2^64 / golden ratio, as a signed number; its multiples never repeat
_FIRST, _SECOND = -0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15


def uniforms(seed: int, *keys: Tensor | int) -> Tensor:
    """Return draws from [0, 1), one per combination of `keys`.

    Each key in turn numbers a stream of SplitMix64 (Steele, Lea and Flood, 2014) whose seed is what the keys
    before it gave, so the same seed and keys give the same draw wherever it is asked for.

    Args:
        seed: 64 bits.
        keys: whole numbers (int64 tensors that broadcast); the last should have the largest shape.

    Returns:
        float32 multiples of 2^-24, of the shape that the keys broadcast to.
    """
    device = next((key.device for key in keys if isinstance(key, Tensor)), None)
    state = torch.tensor(seed, dtype=torch.int64, device=device)
    for key in keys:
        state = _mixed(state + torch.as_tensor(key, device=device) * _GOLDEN)
    return _shifted(state, 40).float() * 2.0**-24


def split_mix(values: Tensor) -> Tensor:
    """Return the first draw of SplitMix64 seeded with each of `values`, int64: every bit counts."""
    return _mixed(values + _GOLDEN)


def unit_interval(bits: Tensor) -> Tensor:
    """Return the upper 53 of 64 bits as float64 multiples of 2^-53 in [0, 1)."""
    return _shifted(bits, 11).double() * 2.0**-53


def _mixed(bits: Tensor) -> Tensor:
    """The output function of SplitMix64; products of int64 wrap around as the algorithm wants."""
    bits = (bits ^ _shifted(bits, 30)) * _FIRST
    bits = (bits ^ _shifted(bits, 27)) * _SECOND
    return bits ^ _shifted(bits, 31)


def _shifted(bits: Tensor, by: int) -> Tensor:
    """Shift right and fill with zeros; torch's own shift repeats the sign."""
    return (bits >> by) & ((1 << (64 - by)) - 1)
