"""The mean of two networks' logits: the product of two experts, each with an exponent of a half."""

from torch import Tensor

LEAST = 2.0**-24  # distance from 1 of the float32 below it, so that a probability of 0 or 1 has a logit


def logits(probability: Tensor) -> Tensor:
    """Return log(p / (1 - p)) of probabilities, float64 in their shape."""
    return probability.double().logit(LEAST)


def probabilities(mean: Tensor) -> Tensor:
    """Return the probabilities, float32, whose logits these are."""
    return mean.sigmoid().float()
