"""Affinities between tasks from one training of all of them (TAG, Fifty et al., 2021; MTG-Net, section 2).

At each step, each task's gradient alone moves the shared parameters by one step of plain descent, and every
task's loss on the same batch is taken before and after: the affinity of task b onto task t is
Z[t, b] = 1 - L_t(after b's step) / L_t(before) (TAG, eq. 1), averaged over the steps at which both have a
label in the batch. Lookaheads are without dropout and draw nothing, so the training itself is that of the run
of all tasks. They cost a backward and a forward pass for each task.
"""

from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from relatask.training.loops import supervised
from relatask.training.unit import Unit


class AffinityTraining(supervised.Training):
    """Training of all tasks that looks ahead at every step; the model has an encoder that tasks share."""

    def __init__(self, unit: Unit):
        super().__init__(unit)
        n_tasks = len(unit.columns)
        self.summed = torch.zeros(n_tasks, n_tasks, dtype=torch.float64, device=self.device)
        self.counted = torch.zeros_like(self.summed)

    def shared(self) -> dict[str, Tensor]:
        """The parameters that all tasks share, by name."""
        named = self.model.named_parameters()
        return {name: value for name, value in named if name.startswith("encoder.")}

    def take_step(self, batch: Tensor) -> None:
        """Look ahead on the molecules at positions `batch`, then learn from them."""
        self.model.eval()
        self._look_ahead(self.unit.data.x(batch), self.unit.labels(batch))
        self.model.train()
        super().take_step(batch)

    def _look_ahead(self, x: object, labels: Tensor) -> None:
        shared = self.shared()
        present = torch.nonzero(~labels.isnan().all(0)).flatten()
        before = self._losses(x, labels)
        for task in present.tolist():
            retain = task != int(present[-1])
            gradients = torch.autograd.grad(before[task], list(shared.values()), retain_graph=retain)
            rate = self.settings["learning_rate"]
            moved = {
                name: value.detach() - rate * gradient
                for (name, value), gradient in zip(shared.items(), gradients, strict=True)
            }
            with torch.no_grad():
                after = self._losses(x, labels, moved)
            self.summed[present, task] += (1 - after / before.detach())[present].double()
            self.counted[present, task] += 1

    def _losses(self, x: object, labels: Tensor, moved: dict[str, Tensor] | None = None) -> Tensor:
        """Each task's loss, [T], with the shared parameters as they are or `moved`."""
        logits: Tensor = self.model(x) if moved is None else functional_call(self.model, moved, (x,))
        losses: Tensor = self.model.losses(logits.float(), labels)  # type: ignore[operator]
        return losses

    def affinities(self) -> Tensor:
        """Return float64 [T, T], entry [t, b] that of b onto t; NaN where they never had labels together."""
        return self.summed / torch.where(self.counted > 0, self.counted, torch.nan)

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs, as tensors and numbers."""
        return {**super().state(), "summed": self.summed, "counted": self.counted}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken, after a step."""
        super().restore(state)
        self.summed.copy_(state["summed"])
        self.counted.copy_(state["counted"])
