"""The linear classifier that measures embeddings (section 5): a scaler and a linear SVM, kept as tensors."""

import logging
import warnings

import numpy as np
import torch
from torch import Tensor, nn

from relatask.nn.kinds import TaskKinds

log = logging.getLogger(__name__)
NEVER = -1e9  # the output of a class that training does not have


class Readout(nn.Module):
    """Features [B, f] -> outputs [B, C] of the tasks of a level: zeros until it is fitted."""

    mean: Tensor
    scale: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, width: int, kinds: TaskKinds):
        super().__init__()
        n_outputs = sum(kinds.n_outputs)
        self.kinds = kinds
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.register_buffer("weight", torch.zeros(n_outputs, width))
        self.register_buffer("bias", torch.zeros(n_outputs))

    def forward(self, features: Tensor) -> Tensor:
        """Return distances to the planes of the SVM, as outputs."""
        return (features - self.mean) / self.scale @ self.weight.T + self.bias

    def fit(self, features: Tensor, labels: Tensor) -> None:
        """Fit an SVM to each task by scikit-learn's StandardScaler and LinearSVC, with released settings.

        Args:
            features: float32 [n, f] of training items.
            labels: float32 [n, t], NaN where not known.
        """
        from sklearn.preprocessing import StandardScaler

        known = (~labels.isnan()).any(1)
        if not known.any():
            return
        scaler = StandardScaler().fit(features[known].double().cpu().numpy())
        device = self.mean.device
        self.mean.copy_(torch.from_numpy(np.asarray(scaler.mean_)).to(device))
        self.scale.copy_(torch.from_numpy(np.asarray(scaler.scale_)).to(device))
        first = 0
        for task, n_outputs in enumerate(self.kinds.n_outputs):
            own = ~labels[:, task].isnan()
            values = ((features[own] - self.mean) / self.scale).double().cpu().numpy()
            weight, bias = planes(values, labels[own, task].long().cpu().numpy(), n_outputs)
            self.weight[first : first + n_outputs] = torch.from_numpy(weight).to(self.weight)
            self.bias[first : first + n_outputs] = torch.from_numpy(bias).to(self.bias)
            first += n_outputs


def planes(values: np.ndarray, labels: np.ndarray, n_outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return weights [n_outputs, f] and biases [n_outputs] of linear SVMs, one class against the others.

    Args:
        values: float64 [n, f].
        labels: int64 [n]: 0 or 1 where there is one output, else positions of classes.
        n_outputs: 1, or the number of classes.
    """
    from sklearn.svm import LinearSVC

    weight, bias = np.zeros((n_outputs, values.shape[1])), np.full(n_outputs, NEVER)
    classes = np.unique(labels)
    if len(classes) < 2:
        places = classes if n_outputs > 1 else slice(None)
        bias[places] = 0.0
        if n_outputs == 1 and len(classes):
            bias[0] = 1.0 if classes[0] else -1.0
        return weight, bias
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = LinearSVC(random_state=0, tol=1e-5, dual="auto").fit(values, labels)
    if caught:
        log.info("a linear SVM of %d items and %d features did not converge.", *values.shape)
    plane, shift = found.coef_, found.intercept_
    if n_outputs == 1:
        return plane, shift
    if len(classes) == 2:
        plane, shift = np.concatenate([-plane, plane]), np.concatenate([-shift, shift])
    weight[classes], bias[classes] = plane, shift
    return weight, bias
