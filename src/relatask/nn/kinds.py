"""Outputs, losses and scores of tasks whose labels are 0 or 1, measured values, or classes.

A binary or real task has one output, a task of kind class one for each class; those of a task stand together.
"""

from dataclasses import dataclass
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relatask.nn.losses import mean_of_cells


@dataclass(frozen=True)
class TaskKinds:
    """What the labels of T tasks are, and the scale of measured values in training."""

    kinds: tuple[str, ...]  # binary, real or class
    n_outputs: tuple[int, ...]  # 1, or the number of classes
    mean: Tensor  # float32 [T] of the training labels of a real task, 0 of others
    deviation: Tensor  # float32 [T], above 0; 1 of others

    @classmethod
    def binary(cls, n_tasks: int) -> "TaskKinds":
        """Return the kinds of tasks with labels of 0 and 1."""
        return cls(("binary",) * n_tasks, (1,) * n_tasks, torch.zeros(n_tasks), torch.ones(n_tasks))

    @property
    def all_binary(self) -> bool:
        """Whether all labels are 0 or 1."""
        return set(self.kinds) <= {"binary"}


class KindOutputs(nn.Module):
    """Losses and scores of outputs [B, C] of tasks of several kinds, C their `n_outputs` together.

    The scale of measured values is part of the model's state: predictions are in the unit of the task.
    """

    mean: Tensor
    deviation: Tensor
    first: Tensor  # int64 [T]: the first output of each task
    is_real: Tensor  # bool [T]
    classes: Tensor  # int64 [t]: positions of the t tasks of kind class
    places: Tensor  # int64 [t, most]: outputs of their classes, the first one again where there are fewer
    absent: Tensor  # bool [t, most]: where there are fewer

    def __init__(self, kinds: TaskKinds):
        super().__init__()
        starts = [0, *accumulate(kinds.n_outputs)]
        classes = [task for task, kind in enumerate(kinds.kinds) if kind == "class"]
        most = max([kinds.n_outputs[task] for task in classes], default=1)
        number = torch.arange(most).expand(len(classes), most)
        absent = number >= torch.tensor([kinds.n_outputs[task] for task in classes]).view(-1, 1)
        begin = torch.tensor([starts[task] for task in classes], dtype=torch.int64).view(-1, 1)
        self.register_buffer("mean", kinds.mean.clone())
        self.register_buffer("deviation", kinds.deviation.clone())
        buffers = {
            "first": torch.tensor(starts[:-1]),
            "is_real": torch.tensor([kind == "real" for kind in kinds.kinds]),
            "classes": torch.tensor(classes, dtype=torch.int64),
            "places": torch.where(absent, begin, begin + number),
            "absent": absent,
        }
        for name, value in buffers.items():
            self.register_buffer(name, value, persistent=False)

    def losses(
        self, outputs: Tensor, labels: Tensor, bounds: Tensor | None = None, weights: Tensor | None = None
    ) -> Tensor:
        """Return each task's mean loss over its labelled cells, [T].

        Cross-entropy of binary and class tasks; of real ones the squared error in deviations of the training
        labels, where a label that is a bound costs only on its wrong side: "more than 6" only where the
        prediction is below 6.

        Args:
            outputs: [B, C].
            labels: [B, T], NaN where missing; values in their unit, and positions of classes.
            bounds: int8 [B, T]: -1 where the value is less than the label, 1 where it is more; None: nowhere.
            weights: [B, T], how much a cell counts in its task's mean; None: all alike.
        """
        known = ~labels.isnan()
        labels, own = labels.nan_to_num(0.0), outputs[:, self.first]
        binary = F.binary_cross_entropy_with_logits(
            own, torch.where(self.is_real, 0.0, labels), reduction="none"
        )
        error = own - (labels - self.mean) / self.deviation
        if bounds is not None:
            error = torch.where(
                bounds > 0, error.clamp(max=0), torch.where(bounds < 0, error.clamp(min=0), error)
            )
        cells = torch.where(self.is_real, error.square(), binary)
        if len(self.classes):
            chances = self._class_logits(outputs).log_softmax(-1)
            true = labels[:, self.classes].long()[..., None]
            cells = cells.index_copy(1, self.classes, -chances.gather(2, true)[..., 0])
        return mean_of_cells(cells, known, weights)

    def scores(self, outputs: Tensor) -> Tensor:
        """Return what is saved, float32 [B, T]: probabilities of label 1, values in their unit, classes."""
        own = outputs[:, self.first]
        scores = torch.where(self.is_real, own * self.deviation + self.mean, own.sigmoid())
        if len(self.classes):
            likeliest = self._class_logits(outputs).argmax(-1).to(scores.dtype)
            scores = scores.index_copy(1, self.classes, likeliest)
        return scores

    def _class_logits(self, outputs: Tensor) -> Tensor:
        """Return outputs [B, t, most] of the classes of each task of kind class."""
        return outputs[:, self.places].masked_fill(self.absent, -torch.inf)
