"""Half of a batch takes an inner step, the other half says how good it was: a gradient through a gradient."""

import torch
from torch import Tensor

from relatask.engine.loops import supervised

LOOP = {
    "second_derivatives": True,
    "options": {"inner_rate": 0.1, "first_order": False},
    "limits": {"inner_rate": (0.0, 10.0)},
}


class Training(supervised.Training):
    """As supervised training, but for the step."""

    def take_step(self, batch: Tensor) -> None:
        """One update on the items at positions `batch`."""
        inner, outer = batch[::2], batch[1::2] if len(batch) > 1 else batch
        weights = dict(self.model.named_parameters())
        options = self.problem.spec.method.options
        second_order = not options["first_order"]
        gradients = torch.autograd.grad(
            self.loss(inner, weights), list(weights.values()), create_graph=second_order
        )
        rate = options["inner_rate"]
        moved = {
            name: value - rate * gradient
            for (name, value), gradient in zip(weights.items(), gradients, strict=True)
        }
        self.learn_from(self.loss(outer, moved))

    def loss(self, rows: Tensor, weights: dict[str, Tensor]) -> Tensor:
        """Return the mean loss of tasks with a label among the items at `rows`, by a network of `weights`."""
        x, labels = self.examples(rows)
        return self.task_losses(x, labels, weights).sum() / (~labels.isnan()).any(0).sum().clamp(min=1)
