"""A network in double precision and batches with missing labels, for the tests of balancing."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from relatask.balancing._balancing import Balancing, Setting, Step
from relatask.core.registry import complete_options, load
from relatask.methods.shared_bottom import SharedBottom
from relatask.nn.contract import TaskContext
from relatask.nn.losses import task_losses

TASKS, INPUTS, WIDTH, BATCH = 4, 5, 6, 7


class SmallEncoder(nn.Module):
    """Inputs [B, 5] -> [B, 6]."""

    width = WIDTH

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(INPUTS, 8), nn.Tanh(), nn.Linear(8, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        """Encode."""
        return self.layers(x)


class DeepHeads(SharedBottom):
    """Heads with a hidden layer that all tasks share, as SGNN's: gradients of tasks are no products."""

    linear_heads = False

    def __init__(self, encoder: SmallEncoder, context: TaskContext):
        super().__init__(encoder, context)
        self.hidden = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [B, T]."""
        return self.heads(self.hidden(self.encoder(x)).tanh())


def network(kind: type[SharedBottom] = SharedBottom, n_tasks: int = TASKS, seed: int = 0) -> nn.Module:
    """A network in double precision, initialised from `seed`."""
    torch.manual_seed(seed)
    names = [f"task{number}" for number in range(n_tasks)]
    graph = torch.zeros(2, 0, dtype=torch.int64), torch.zeros(0)
    context = TaskContext(names, *graph, seed_of=lambda task: int(task[4:]) + 100 * seed)
    return kind(SmallEncoder(), context).double()


def strategy(name: str, model: nn.Module, n_tasks: int = TASKS, rate: float = 0.01, **options) -> Balancing:
    """A strategy in double precision."""
    module = load("balancing", name)
    setting = Setting(model, n_tasks, BATCH, rate)
    return module.build(setting, **complete_options("balancing", name, options)).double()


def epochs_of_batches(n_epochs: int, n_batches: int, seed: int = 0) -> list[list[tuple[Tensor, Tensor]]]:
    """Batches of inputs and labels; half the labels are missing, and some tasks in some batches."""
    generator = torch.Generator().manual_seed(seed)

    def batch() -> tuple[Tensor, Tensor]:
        x = torch.randn(BATCH, INPUTS, generator=generator, dtype=torch.float64)
        labels = (torch.rand(BATCH, TASKS, generator=generator) < 0.4).double()
        labels[torch.rand(BATCH, TASKS, generator=generator) < 0.5] = torch.nan
        gone = torch.rand(TASKS, generator=generator) < 0.3
        gone[torch.randint(TASKS, (1,), generator=generator)] = False
        labels[:, gone] = torch.nan
        labels[0, ~gone] = 1.0
        return x, labels

    return [[batch() for _ in range(n_batches)] for _ in range(n_epochs)]


def step_of(model: nn.Module, x: Tensor, labels: Tensor) -> Step:
    """The forward pass of a batch, as the supervised loop makes it."""
    kept: list[Tensor] = []
    handle = model.encoder.register_forward_hook(lambda module, inputs, z: kept.append(z))
    logits = model(x)
    handle.remove()
    losses, present = task_losses(logits, labels), (~labels.isnan()).any(0)
    return Step(losses, present, logits, losses.sum() / present.sum(), kept[0], model)


def whole_losses(model: nn.Module, batches: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Each task's loss [T] over all labelled cells of an epoch."""
    x, labels = (torch.cat(parts) for parts in zip(*batches, strict=True))
    return task_losses(model(x), labels).detach()


def drive(
    balancing: Balancing,
    model: nn.Module,
    epochs: list[list[tuple[Tensor, Tensor]]],
    watch: Callable[[Tensor, Tensor], None],
) -> None:
    """Train by gradient descent; `watch` is called with each batch before the network moves on."""
    for batches in epochs:
        if balancing.uses_epoch_losses:
            balancing.start_epoch(whole_losses(model, batches))
        for x, labels in batches:
            model.zero_grad(set_to_none=True)
            balancing.backward(step_of(model, x, labels))
            watch(x, labels)
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter -= 0.3 * parameter.grad
        balancing.end_epoch()
