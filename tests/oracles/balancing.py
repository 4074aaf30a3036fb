"""Balancing strategies as their papers write them: loops over tasks, one autograd call each, torch's Adam.

Each class has `weights(network, x, labels)`, which returns what multiplies each task's loss in this step
(1 for an absent task, where it does not matter) and goes on to the next step, and `end_epoch()`.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def task_loss(network: nn.Module, x: Tensor, labels: Tensor, task: int) -> Tensor:
    """Mean cross-entropy of one task over its labelled rows, from a forward pass of its own."""
    logits = network(x)[:, task]
    cells = [
        F.binary_cross_entropy_with_logits(logits[row], labels[row, task])
        for row in range(len(x))
        if not math.isnan(labels[row, task])
    ]
    return sum(cells[1:], cells[0]) / len(cells)


def present_tasks(labels: Tensor) -> list[int]:
    """The tasks with a label."""
    return [task for task in range(labels.shape[1]) if any(not math.isnan(y) for y in labels[:, task])]


def weighted_gradient(network: nn.Module, x: Tensor, labels: Tensor, weights: list[float]) -> list[Tensor]:
    """Gradient of (1/n) sum_i w_i L_i with respect to all parameters, task by task."""
    tasks = present_tasks(labels)
    total = [torch.zeros_like(p) for p in network.parameters()]
    for task in tasks:
        gradients = torch.autograd.grad(
            task_loss(network, x, labels, task), list(network.parameters()), allow_unused=True
        )
        for sum_, gradient in zip(total, gradients, strict=True):
            if gradient is not None:
                sum_ += weights[task] * gradient / len(tasks)
    return total


class Number:
    """A learned number of one task with an Adam of its own, stepped only where the task is present."""

    def __init__(self, value: float, learning_rate: float):
        self.value = nn.Parameter(torch.tensor(value, dtype=torch.float64))
        self.adam = torch.optim.Adam([self.value], lr=learning_rate)

    def step(self, gradient: Tensor) -> None:
        self.value.grad = gradient.clone()
        self.adam.step()


class Uncertainty:
    """exp(-s) L + s / 2 with s = log sigma^2, or exp(-2 s) L + s with s = log sigma (released)."""

    def __init__(self, n_tasks: int, learning_rate: float, released: bool = False):
        self.numbers = [Number(0.0, learning_rate) for _ in range(n_tasks)]
        self.learning_rate, self.released, self.steps = learning_rate, released, 0

    def weights(self, network: nn.Module, x: Tensor, labels: Tensor) -> list[float]:
        weights = [1.0] * len(self.numbers)
        tasks = present_tasks(labels)
        for task in tasks:
            s, loss = self.numbers[task].value, task_loss(network, x, labels, task).detach()
            weight = torch.exp(-2 * s) if self.released else torch.exp(-s)
            whole = weight * loss + (s if self.released else s / 2)
            weights[task] = float(weight.detach())
            if self.released:
                rate = self.learning_rate * math.exp(-0.002) ** self.steps
                self.numbers[task].adam.param_groups[0]["lr"] = rate
            self.numbers[task].step(torch.autograd.grad(whole / len(tasks), s)[0])
        self.steps += 1
        return weights

    def end_epoch(self) -> None:
        pass


class GradNorm:
    """Algorithm 1; `network.encoder` is followed by W = identity, by which gradients are taken."""

    def __init__(self, n_tasks: int, alpha: float, learning_rate: float, released: bool = False):
        self.numbers = [Number(1.0, learning_rate) for _ in range(n_tasks)]
        self.first: dict[int, float] = {}
        self.alpha, self.released = alpha, released
        self.norms: dict[int, float] = {}  # of dL_i/dW, of the last step

    def start_epoch(self, losses: list[float]) -> None:
        self.first = dict(enumerate(losses))

    def norm(self, network: nn.Module, x: Tensor, labels: Tensor, task: int) -> Tensor:
        if self.released:
            (gradient,) = torch.autograd.grad(task_loss(network, x, labels, task), [network.heads.weight])
            return gradient[task].norm()
        width = network.encoder(x).shape[1]
        matrix = torch.eye(width, dtype=torch.float64, requires_grad=True)
        handle = network.encoder.register_forward_hook(lambda module, inputs, z: z @ matrix.T)
        (gradient,) = torch.autograd.grad(task_loss(network, x, labels, task), [matrix])
        handle.remove()
        return gradient.norm()

    def weights(self, network: nn.Module, x: Tensor, labels: Tensor) -> list[float]:
        tasks = present_tasks(labels)
        before = [float(number.value.detach()) for number in self.numbers]
        losses = {task: float(task_loss(network, x, labels, task).detach()) for task in tasks}
        for task in tasks:
            self.first.setdefault(task, losses[task])
        self.norms = {task: float(self.norm(network, x, labels, task).detach()) for task in tasks}
        ratios = {task: losses[task] / self.first[task] for task in tasks}
        mean_ratio = sum(ratios.values()) / len(tasks)
        constant = {
            task: before[task] * self.norms[task] / len(tasks) if self.released else self.norms[task]
            for task in tasks
        }
        mean_norm = sum(before[task] * constant[task] for task in tasks) / len(tasks)
        for task in tasks:
            weight = self.numbers[task].value
            target = mean_norm * (ratios[task] / mean_ratio) ** self.alpha
            loss = torch.abs(weight * constant[task] - target)
            self.numbers[task].step(torch.autograd.grad(loss, weight)[0])
        sum_before = sum(before[task] for task in tasks)
        with torch.no_grad():
            for task in tasks:
                self.numbers[task].value.clamp_(min=1e-3)
            sum_after = sum(float(self.numbers[task].value.detach()) for task in tasks)
            for task in tasks:
                self.numbers[task].value.mul_(sum_before / sum_after)
        return before

    def end_epoch(self) -> None:
        pass


class DynamicWeightAverage:
    """Equation 7, from lists of each epoch's losses; released: batch losses over those of `start_epoch`."""

    def __init__(self, n_tasks: int, temperature: float, released: bool = False):
        self.n_tasks, self.temperature, self.released = n_tasks, temperature, released
        self.epochs: list[list[list[float]]] = [[[] for _ in range(n_tasks)]]
        self.reference: list[float] = []

    def start_epoch(self, losses: list[float]) -> None:
        self.reference = losses

    def weights(self, network: nn.Module, x: Tensor, labels: Tensor) -> list[float]:
        ratios = [0.0] * self.n_tasks
        for task in present_tasks(labels):
            loss = float(task_loss(network, x, labels, task).detach())
            self.epochs[-1][task].append(loss)
            if self.released:
                ratios[task] = loss / self.reference[task]
        if not self.released:
            if len(self.epochs) < 3:
                return [1.0] * self.n_tasks
            last, older = self.epochs[-2], self.epochs[-3]
            for task in range(self.n_tasks):
                means = [sum(losses[task]) / len(losses[task]) for losses in (last, older) if losses[task]]
                ratios[task] = means[0] / means[1] if len(means) == 2 else 1.0
        exponentials = [math.exp(ratio / self.temperature) for ratio in ratios]
        return [self.n_tasks * value / sum(exponentials) for value in exponentials]

    def end_epoch(self) -> None:
        self.epochs.append([[] for _ in range(self.n_tasks)])


class LossBalancedTaskWeighting:
    """Algorithm 1: (L / L')^alpha with L' of the epoch's first batch, or of `start_epoch` (released)."""

    def __init__(self, n_tasks: int, alpha: float):
        self.n_tasks, self.alpha = n_tasks, alpha
        self.first: dict[int, float] = {}

    def start_epoch(self, losses: list[float]) -> None:
        self.first = dict(enumerate(losses))

    def weights(self, network: nn.Module, x: Tensor, labels: Tensor) -> list[float]:
        weights = [1.0] * self.n_tasks
        for task in present_tasks(labels):
            loss = float(task_loss(network, x, labels, task).detach())
            weights[task] = (loss / self.first.setdefault(task, loss)) ** self.alpha
        return weights

    def end_epoch(self) -> None:
        self.first = {}


def encoder_jacobian(network: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
    """Gradients [n, P] of the present tasks' losses with respect to the encoder's parameters."""
    rows = []
    for task in present_tasks(labels):
        gradients = torch.autograd.grad(
            task_loss(network, x, labels, task), list(network.encoder.parameters())
        )
        rows.append(torch.cat([gradient.flatten() for gradient in gradients]))
    return torch.stack(rows)
