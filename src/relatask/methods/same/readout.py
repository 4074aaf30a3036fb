"""The linear classifier that measures embeddings (section 5): a scaler and a linear SVM, kept as tensors."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relatask.methods.same.linear_svm import linear_svm
from relatask.nn.kinds import TaskKinds

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
        """Fit a linear SVM to each task, on features of mean 0 and deviation 1, as released with SAME.

        Args:
            features: float32 [n, f] of training items.
            labels: float32 [n, t], NaN where not known.
        """
        known = (~labels.isnan()).any(1)
        if not known.any():
            return
        values = features[known].double()
        deviation = values.std(0, correction=0)
        self.mean.copy_(values.mean(0))
        self.scale.copy_(torch.where(deviation > 0, deviation, 1.0))
        values = F.pad((values - self.mean) / self.scale, (0, 1), value=1.0)
        first = 0
        for task, n_outputs in enumerate(self.kinds.n_outputs):
            own = labels[known, task]
            planes = task_planes(values[~own.isnan()], own[~own.isnan()].long(), n_outputs).to(self.weight)
            self.weight[first : first + n_outputs] = planes[:, :-1]
            self.bias[first : first + n_outputs] = planes[:, -1]
            first += n_outputs


def task_planes(values: Tensor, labels: Tensor, n_outputs: int) -> Tensor:
    """Return planes of a task, one class against the others, float64 [n_outputs, f]; intercepts come last.

    Args:
        values: float64 [n, f], the last column ones.
        labels: int64 [n]: 0 or 1 where there is one output, else positions of classes.
        n_outputs: 1, or the number of classes.
    """
    planes = values.new_zeros(n_outputs, values.shape[1])
    classes = labels.unique()
    if n_outputs > 1:
        planes[:, -1] = NEVER
        planes[classes, -1] = 0.0
    elif len(classes) == 1:
        planes[0, -1] = 2.0 * float(classes[0]) - 1
    if len(classes) < 2:
        return planes
    if len(classes) == 2:  # one plane, as one class against the other is the other against the one
        plane = linear_svm(values, torch.where(labels == classes[1], 1.0, -1.0).double())
        planes[classes if n_outputs > 1 else [0]] = torch.stack([-plane, plane]) if n_outputs > 1 else plane
        return planes
    for place in classes.tolist():
        planes[place] = linear_svm(values, torch.where(labels == place, 1.0, -1.0).double())
    return planes
