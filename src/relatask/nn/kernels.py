"""The few operations that encoders spend their time in, each in the fastest form that torch offers.

They were chosen by measurement on CPU (`benchmarks/`) and run on any device.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from relatask.core.errors import RelataskError

RANDOM_BITS = 16  # of a dropout draw: the rate is met to 1 / 65536 at a quarter of bernoulli_'s cost


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, relu: bool = False) -> Tensor:
    """Return x @ weight.T + bias, rectified if wanted: [n, k], [m, k], [m] -> [n, m].

    On CPU in fp32, oneDNN's kernel takes a fifth less time than MKL's behind `F.linear` at these shapes.
    """
    if x.device.type == "cpu" and x.dtype == torch.float32 and _ONEDNN:
        return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "relu" if relu else "none", [], "")
    y = F.linear(x, weight, bias)
    return y.relu_() if relu else y


_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def segment_sum(
    values: Tensor, index: Tensor, offsets: Tensor, mode: int = 0, weights: Tensor | None = None
) -> Tensor:
    """Return the sum (mean with mode 1) of ``values[index[offsets[i]:offsets[i + 1]]]`` for each i.

    With `weights`, of the type of `values` and as long as `index`, each of them is multiplied by its own.
    """
    bag = torch.ops.aten._embedding_bag_forward_only
    return bag(values, index, offsets, False, mode, False, weights, True)[0]


def keep_threshold(dropout: float) -> tuple[int, float]:
    """Return (threshold for `keep_mask`, factor of what is kept) of a dropout rate.

    Raises:
        RelataskError: the rate is not in [0, 1).
    """
    threshold = round(dropout * 2**RANDOM_BITS)
    if not 0 <= threshold < 2**RANDOM_BITS:
        raise RelataskError(f"option 'dropout' of an encoder must be at least 0 and below 1, not {dropout}.")
    return threshold, 1 / (1 - threshold / 2**RANDOM_BITS)


def keep_mask(like: Tensor, threshold: int) -> Tensor:
    """Return 1 with probability 1 - threshold / 2**16, else 0, in the shape and type of `like`."""
    words = torch.empty(-(-like.numel() // 4), dtype=torch.int64, device=like.device)
    words.random_(-(2**63), None)
    draws = words.view(torch.int16)[: like.numel()].view(like.shape)
    return torch.ge(draws, threshold - 2**15, out=torch.empty_like(like))
