"""Jacobian descent: the tasks' gradients are combined by an aggregator of torchjd (Quinton & Rey, 2024).

upgrad (its own), pcgrad (Yu et al., 2020), cagrad (Liu et al., 2021), nash_mtl (Navon et al., 2022),
imtl_g (Liu et al., 2021), mgda (Desideri, 2012), aligned_mtl (Senushkin et al., 2023), dualproj (Lopez-Paz &
Ranzato, 2017), config (Liu et al., 2024), graddrop (Chen et al., 2020), random (Lin et al., 2021), mean,
sum; each is what torchjd documents under that name.

The parameters of the trunk, of most methods the encoder, get the combination, all others the gradient of the
mean loss. Rows are the tasks that have a label in the batch; one without a label has no row and no part.

What it costs in tasks: with ``of: parameters`` a backward pass through the encoder and a row of its P
parameters for each task: a step takes about 0.75 T times as long and 4 T P bytes, 2.8 GB at T = 382 for a GIN
of 300 wide. With ``of: representation`` (the upper bound of Sener & Koltun, 2018, section 3.3) it takes one
backward pass, and rows as long as the encoder's output of a batch. Either is refused beyond
``max_gigabytes``. The aggregators' own work grows with T^2 (pcgrad in a Python loop) or T^3 (most others);
docs/performance.md has what they took.
"""

from typing import Any

import torch
from torch import Tensor, nn

from relatask.balancing._balancing import Balancing, Setting, Step
from relatask.balancing._gradients import representation_gradients
from relatask.core.errors import RelataskError
from relatask.nn.contract import MultiTaskModel

CAPABILITIES = {
    "summary": "an aggregator of torchjd combines the gradients of tasks",
    "label": "JACOBIAN",
    "paper": "jacobian_descent",
    "needs_trunk": True,
    "cost_in_tasks": "O(T^2) and more",
    "passes_per_task": 0.75,
    "options": {"aggregator": "upgrad", "of": "parameters", "c": 0.4, "max_gigabytes": 4.0},
    "choices": {
        "aggregator": (
            "upgrad",
            "pcgrad",
            "cagrad",
            "nash_mtl",
            "imtl_g",
            "mgda",
            "aligned_mtl",
            "dualproj",
            "config",
            "graddrop",
            "random",
            "mean",
            "sum",
        ),
        "of": ("parameters", "representation"),
    },
    "limits": {"c": (0.0, 100.0), "max_gigabytes": (0.001, 10_000.0)},
}
CLASSES = {
    "upgrad": "UPGrad",
    "pcgrad": "PCGrad",
    "cagrad": "CAGrad",
    "nash_mtl": "NashMTL",
    "imtl_g": "IMTLG",
    "mgda": "MGDA",
    "aligned_mtl": "AlignedMTL",
    "dualproj": "DualProj",
    "config": "ConFIG",
    "graddrop": "GradDrop",
    "random": "Random",
    "mean": "Mean",
    "sum": "Sum",
}
COPIES = {"graddrop": 2, "config": 5}  # of the rows that the aggregator holds at a time, measured; others 1


class JacobianDescent(Balancing):
    """An aggregator for the rows of each step; it remembers nothing between steps."""

    uses_representation = True

    def __init__(self, aggregator: str, of: str, c: float):
        super().__init__()
        self.aggregator, self.of, self.c = aggregator, of, c

    def backward(self, step: Step) -> None:
        """Give the encoder the combined gradient of its parameters or its output, the rest the mean's."""
        z, tasks = step.representation, step.present.nonzero().flatten()
        assert z is not None
        rows = representation_gradients(step, tasks)
        shared = shared_parameters(step.model)
        mine = set(map(id, shared))
        others = [p for p in step.model.parameters() if id(p) not in mine and p.requires_grad]
        if others:
            step.mean.backward(inputs=others, retain_graph=True)
        if self.of == "representation":
            z.backward(self._combine(rows.flatten(1)).view_as(z))
            return
        vector = self._combine(jacobian(z, rows, shared))
        for parameter, part in zip(shared, vector.split([p.numel() for p in shared]), strict=True):
            parameter.grad = part.view_as(parameter)

    def _combine(self, rows: Tensor) -> Tensor:
        """Return the combination [P] of gradients [n, P]; solvers fail with errors of many kinds."""
        aggregator = make_aggregator(self.aggregator, len(rows), self.c)
        try:
            return aggregator(rows)
        except Exception as error:
            raise RelataskError(
                f"the aggregator {self.aggregator!r} found no combination of the tasks' gradients "
                f"({' '.join(str(error).split())}); lower training.learning_rate or choose another."
            ) from error


def jacobian(z: Tensor, rows: Tensor, parameters: list[nn.Parameter]) -> Tensor:
    """Return the gradients [n, P] of `parameters` for each gradient [n, B, w] by `z`; the graph stays.

    One at a time, as the encoders' derivatives are written out and cannot be vectorised over rows, and into
    one matrix: torchjd's own functions hold it five to nine times over.
    """
    matrix = z.new_empty(len(rows), sum(parameter.numel() for parameter in parameters))
    for row, target in zip(rows, matrix, strict=True):
        gradients = torch.autograd.grad(z, parameters, row, retain_graph=True, materialize_grads=True)
        torch.cat([gradient.flatten() for gradient in gradients], out=target)
    return matrix


def shared_parameters(model: MultiTaskModel) -> list[nn.Parameter]:
    """Return the parameters that every task's loss passes through: the trunk's."""
    return [p for p in model.trunk.parameters() if p.requires_grad] if model.trunk is not None else []


def make_aggregator(name: str, n_tasks: int, c: float) -> Any:
    """Return torchjd's aggregator of `n_tasks` rows.

    Raises:
        RelataskError: torchjd, or a solver that the aggregator needs, is not installed.
    """
    options: dict[str, Any] = {}
    if name == "cagrad":
        options = {"c": c}
    elif name == "nash_mtl":  # made anew for each step, so that it starts from equal weights there
        options = {"n_tasks": n_tasks, "max_norm": 1.0, "update_weights_every": 1, "optim_niter": 20}
    try:
        from torchjd import aggregation

        return getattr(aggregation, CLASSES[name])(**options)
    except ImportError as error:
        raise RelataskError(
            f"the aggregator {name!r} of balancing 'jacobian' lacks a package ({error}); install it, or "
            "choose pcgrad, imtl_g or mgda, which need torchjd alone."
        ) from None


def require_memory(setting: Setting, aggregator: str, of: str, most: float) -> None:
    """Raise a RelataskError where the rows of all tasks, as often as they are held, exceed `most` GB."""
    if of == "parameters":
        length = sum(parameter.numel() for parameter in shared_parameters(setting.model))
        what = f"{length:,} shared parameters"
        advice = "use `of: representation`, a narrower encoder or fewer tasks"
    else:
        width = getattr(setting.model.trunk, "width", 0)  # of a trunk that does not say it, nothing is known
        length = setting.batch_size * width
        what = f"{setting.batch_size} x {width:,} outputs of the encoder"
        advice = "use a smaller batch, a narrower encoder or fewer tasks"
    if (gigabytes := COPIES.get(aggregator, 1) * 4 * setting.n_tasks * length / 1e9) > most:
        raise RelataskError(
            f"balancing 'jacobian' would need {gigabytes:.1f} GB for gradients of {setting.n_tasks} tasks "
            f"by {what}, more than its max_gigabytes {most:g}; {advice}, or raise the bound."
        )


def build(setting: Setting, aggregator: str, of: str, c: float, max_gigabytes: float) -> JacobianDescent:
    """Return the strategy, whose aggregator and memory there are."""
    require_memory(setting, aggregator, of, max_gigabytes)
    make_aggregator(aggregator, setting.n_tasks, c)
    return JacobianDescent(aggregator, of, c)
