"""Affinities between tasks from one training of all of them (TAG, Fifty et al., 2021; MTG-Net, section 2).

At each step, each task's gradient alone moves the shared parameters by one step of plain descent, and every
task's loss on the same batch is taken before and after: the affinity of task b onto task t is
Z[t, b] = 1 - L_t(after b's step) / L_t(before) (TAG, eq. 1), averaged over the steps at which both have a
label in the batch. Lookaheads are without dropout and draw nothing, so the training itself is that of the run
of all tasks. They cost a backward and a forward pass for each task.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.registry import load_loop
from relatask.engine.epochs import EpochTraining
from relatask.engine.problem import Problem


def affinity_training(problem: Problem) -> "Lookahead":
    """Return the training of a problem, by the loop of its method, that looks ahead at every step.

    Raises:
        RelataskError: the method's tasks have no losses of their own, or share no encoder.
    """
    method = problem.spec.method.name
    loop = load_loop(method)
    if not hasattr(loop, "Training") or not hasattr(loop.Training, "task_losses"):
        raise RelataskError(f"the tasks of {method!r} have no losses of their own; TAG needs them.")
    training: Lookahead = type("AffinityTraining", (Lookahead, loop.Training), {})(problem)
    if not training.shared():
        raise RelataskError(f"{method!r} has no encoder that its tasks share; TAG needs one.")
    return training


class Lookahead(EpochTraining):
    """What comes before the `Training` of a loop that has `examples` and `task_losses`."""

    examples: Callable[[Tensor], tuple[object, Tensor]]
    task_losses: Callable[..., Tensor]

    def __init__(self, problem: Problem):
        super().__init__(problem)
        n_tasks = len(problem.columns)
        self.summed = torch.zeros(n_tasks, n_tasks, dtype=torch.float64, device=self.device)
        self.counted = torch.zeros_like(self.summed)

    def shared(self) -> dict[str, Tensor]:
        """The parameters that all tasks share, by name."""
        trunk = self.model.trunk
        shared = {id(value) for value in trunk.parameters()} if trunk is not None else set()
        return {name: value for name, value in self.model.named_parameters() if id(value) in shared}

    def take_step(self, batch: Tensor) -> None:
        """Look ahead on the items at positions `batch`, then learn from them."""
        self.model.eval()
        self._look_ahead(batch)
        self.model.train()
        super().take_step(batch)  # type: ignore[safe-super]

    def _look_ahead(self, batch: Tensor) -> None:
        shared, (x, targets) = self.shared(), self.examples(batch)
        present = torch.nonzero(~self.problem.labels(batch).isnan().all(0)).flatten()
        before = self.task_losses(x, targets)
        for task in present.tolist():
            retain = task != int(present[-1])
            gradients = torch.autograd.grad(before[task], list(shared.values()), retain_graph=retain)
            rate = self.learning_rate()
            moved = {
                name: value.detach() - rate * gradient
                for (name, value), gradient in zip(shared.items(), gradients, strict=True)
            }
            with torch.no_grad():
                after = self.task_losses(x, targets, moved)
            self.summed[present, task] += (1 - after / before.detach())[present].double()
            self.counted[present, task] += 1

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
