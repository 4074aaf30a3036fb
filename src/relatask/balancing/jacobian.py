"""Jacobian descent: the tasks' gradients are combined by an aggregator of torchjd (Quinton & Rey, 2024).

upgrad (its own), pcgrad (Yu et al., 2020), cagrad (Liu et al., 2021), nash_mtl (Navon et al., 2022),
imtl_g (Liu et al., 2021), mgda (Desideri, 2012), aligned_mtl (Senushkin et al., 2023), dualproj (Lopez-Paz &
Ranzato, 2017), config (Liu et al., 2024), graddrop (Chen et al., 2020), random (Lin et al., 2021), mean,
sum; each is what torchjd documents under that name.

The encoder's parameters get the combination, all others the gradient of the mean loss. Rows are the tasks
that have a label in the batch; one without a label has no row and no part.

What it costs in tasks: with ``of: parameters`` a backward pass through the encoder and a row of its P
parameters for each task, so that a step takes T / 2 times as long and twice 4 T P bytes, 5 GB at T = 382
for a GIN of 300 wide; with ``of: representation`` (the upper bound of Sener & Koltun, 2018, section 3.3)
one backward pass, and rows as long as the encoder's output of a batch. Either is refused beyond
``max_gigabytes``. The aggregators' own work grows with T^2 (pcgrad in a Python loop) or T^3 (most others).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from relatask.balancing._balancing import Balancing, Setting, Step
from relatask.balancing._gradients import representation_gradients
from relatask.errors import RelataskError

CAPABILITIES = {
    "summary": "an aggregator of torchjd combines the gradients of tasks",
    "label": "JACOBIAN",
    "paper": "jacobian_descent",
    "cost_in_tasks": "O(T^2) and more",
    "passes_per_task": 0.5,
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


class JacobianDescent(Balancing):
    """An aggregator for the rows of each step; it remembers nothing between steps."""

    uses_representation = True

    def __init__(self, aggregator: str, of: str, c: float):
        super().__init__()
        self.aggregator, self.of, self.c = aggregator, of, c

    def backward(self, step: Step) -> None:
        """Give the encoder the combined gradient of its parameters or its output, the rest the mean's."""
        from torchjd import autojac
        from torchjd.aggregation import GramianWeightedAggregator

        z, tasks = step.representation, step.present.nonzero().flatten()
        assert z is not None
        rows = representation_gradients(step, tasks)
        shared = shared_parameters(step.model)
        mine = set(map(id, shared))
        others = [p for p in step.model.parameters() if id(p) not in mine and p.requires_grad]
        if others:
            step.mean.backward(inputs=others, retain_graph=True)
        aggregator = make_aggregator(self.aggregator, len(tasks), self.c)
        if self.of == "representation":
            z.backward(self._told(aggregator, rows.flatten(1)).view_as(z))
            return
        # One row at a time: the encoders' derivatives are written out and cannot be vectorised over rows.
        autojac.backward(z, jac_tensors=rows, inputs=shared, parallel_chunk_size=1)
        by_gramian = isinstance(aggregator, GramianWeightedAggregator)  # spares a copy of the Jacobian
        combine = partial(autojac.jac_to_grad, optimize_gramian_computation=by_gramian)
        self._told(combine, shared, aggregator)

    def _told(self, combine: Callable[..., Any], *arguments: Any) -> Any:
        """Call `combine`; solvers fail with errors of many kinds, each of which becomes a sentence."""
        try:
            return combine(*arguments)
        except Exception as error:
            raise RelataskError(
                f"the aggregator {self.aggregator!r} found no combination of the tasks' gradients "
                f"({' '.join(str(error).split())}); lower training.learning_rate or choose another."
            ) from error


def shared_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that every task's loss passes through: the encoder's."""
    return [p for p in model.encoder.parameters() if p.requires_grad]  # type: ignore[union-attr]


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


def require_memory(setting: Setting, of: str, most: float) -> None:
    """Raise a RelataskError where the rows of all tasks, held twice while they are made, exceed `most` GB."""
    if of == "parameters":
        length = sum(parameter.numel() for parameter in shared_parameters(setting.model))
        what = f"{length:,} shared parameters"
        advice = "use `of: representation`, a narrower encoder or fewer tasks"
    else:
        width: int = setting.model.encoder.width  # type: ignore[union-attr, assignment]
        length = setting.batch_size * width
        what = f"{setting.batch_size} x {width:,} outputs of the encoder"
        advice = "use a smaller batch, a narrower encoder or fewer tasks"
    if (gigabytes := 2 * 4 * setting.n_tasks * length / 1e9) > most:
        raise RelataskError(
            f"balancing 'jacobian' would need {gigabytes:.1f} GB for gradients of {setting.n_tasks} tasks "
            f"by {what}, more than its max_gigabytes {most:g}; {advice}, or raise the bound."
        )


def build(setting: Setting, aggregator: str, of: str, c: float, max_gigabytes: float) -> JacobianDescent:
    """Return the strategy, whose aggregator and memory there are."""
    require_memory(setting, of, max_gigabytes)
    make_aggregator(aggregator, setting.n_tasks, c)
    return JacobianDescent(aggregator, of, c)
