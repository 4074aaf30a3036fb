"""What another run, finished and journalled, says about every item: the prior of a run that names it."""

import torch
from torch import Tensor

from relatask.data.prepared import PreparedDataset
from relatask.engine.loops.supervised import imputer
from relatask.engine.unit import units_of
from relatask.plan.spec import RunSpec


def prior_probabilities(spec: RunSpec, weights: dict[str, Tensor], data: PreparedDataset) -> Tensor:
    """Return the probability of label 1, float32 [M, T], of all items of `data` by a trained network.

    Args:
        spec: the run that trained it, of one network for all its T tasks.
        weights: its weights, as the journal keeps them.
        data: the data set with the network's kind of input, under the run's split.

    Raises:
        RelataskError: the weights do not fit the network that the spec describes.
    """
    (unit,) = units_of(spec, data, per_task=False)
    return imputer(unit, weights)(torch.arange(len(data.labels), device=data.labels.device))
