"""Mini-batch training on labels, the tasks' losses balanced by the run's strategy."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from relatask.balancing._balancing import Balancing, FromLosses, Setting, Step
from relatask.core.errors import RelataskError
from relatask.core.registry import load
from relatask.engine.epochs import EpochTraining
from relatask.engine.kinds import kinds_of, mean_of, metric_by_task, selection_values, tasks_of
from relatask.engine.network import autocast, trained_model
from relatask.engine.networks import Networks
from relatask.engine.problem import EVALUATED, Problem
from relatask.nn.contract import MultiTaskModel

PREDICTION_BATCH = 512
LOOP = {"balances": True, "imputes": True}


def predictor(problem: Problem, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """Return what gives the probabilities [n, t] of items at some rows, by a trained network."""
    model = trained_model(problem, weights)
    return lambda rows: model.scores(predict(model, problem, rows))


class KnowsLabels(Protocol):
    """A `MultiTaskModel` whose losses know that a label may be a bound, or have a weight.

    It is told each only where there are such, and there are none where the method's `kinds` and `weights` say
    that it cannot use them.
    """

    def losses(self, outputs: Tensor, labels: Tensor, **further: Tensor) -> Tensor:
        """Return each task's loss, [T]; `bounds` are int8 [B, T], `weights` float32 [B, T]."""
        ...


class Training(EpochTraining):
    """Networks that give outputs for each task, and how the tasks of each are balanced."""

    def __init__(self, problem: Problem, *beside: Problem):
        super().__init__(problem, *beside)
        self.balancings = nn.ModuleList(
            self._balancing_of(one, model)
            for one, model in zip(self.problems, self.networks.models, strict=True)
        )
        self.representation: Tensor | None = None
        self.kinds = [kinds_of(one) for one in self.problems]
        self.values_by_task: list[Tensor] = []  # of each problem at the last validation, float64 [t]
        if self.balancing.uses_representation:
            self.trunk().register_forward_hook(self._keep)

    def _balancing_of(self, problem: Problem, model: MultiTaskModel) -> Balancing:
        setting = Setting(
            model, len(problem.columns), self.settings["batch_size"], self.settings["learning_rate"]
        )
        chosen = problem.spec.balancing
        strategy: Balancing = load("balancing", chosen.name).build(setting, **chosen.options)
        return strategy.to(self.device)

    @property
    def balancing(self) -> Balancing:
        """The strategy of the first problem; those of others have the same options."""
        return cast(Balancing, self.balancings[0])

    def trunk(self) -> nn.Module:
        """The module that all tasks share, for strategies that read it.

        Raises:
            RelataskError: the method has none.
        """
        if self.model.trunk is None:
            spec = self.problem.spec
            raise RelataskError(
                f"{self.problem.title}: balancing {spec.balancing.name!r} reads what all tasks share, and "
                f"method {spec.method.name!r} has no such part; choose another balancing."
            )
        return self.model.trunk

    def take_step(self, batch: Tensor) -> None:
        """One update on the items at positions `batch`; the loss to report is the mean over present tasks."""
        with autocast(self.problem):
            outputs = self.networks(self.inputs(batch))
        steps = [self._step(run, own.float(), batch) for run, own in enumerate(outputs)]
        self.optimiser.clear()
        if len(steps) == 1:
            self.balancing.backward(steps[0])
        else:
            losses = zip(self.balancings, steps, strict=True)
            torch.autograd.backward([cast(FromLosses, own).loss(step) for own, step in losses])
        self.representation = None  # with it goes the graph, before the next batch needs the memory
        taken = self.epoch * self.n_steps + self.step
        self.optimiser.learning_rate = self.learning_rate() * self.balancing.decay**taken
        self.optimiser.step()
        self.total += torch.stack([step.mean for step in steps]).detach()

    def _step(self, run: int, outputs: Tensor, batch: Tensor) -> Step:
        """Return what a problem's balancing sees of a batch."""
        labels = self.problems[run].labels(batch)
        present = (~labels.isnan()).any(0)
        losses = self.losses_of(outputs, labels, batch, run)
        of = self.problems[run].task_weights
        of = present if of is None else of * present
        mean = (of * losses).sum() / of.sum()
        return Step(losses, present, outputs, mean, self.representation, self.networks.models[run])

    def losses_of(self, outputs: Tensor, labels: Tensor, rows: Tensor, run: int = 0) -> Tensor:
        """Return each task's loss, [t], of outputs for the items at positions `rows`, with their labels."""
        model = self.networks.models[run]
        told = {"bounds": self.problems[run].bounds(rows), "weights": self.problems[run].weights(rows)}
        further = {name: value for name, value in told.items() if value is not None}
        return cast(KnowsLabels, model).losses(outputs, labels, **further)

    def examples(self, batch: Tensor) -> tuple[object, Tensor]:
        """Return what the model reads of the items at positions `batch`, and labels [B, t] but bounds."""
        labels, exact = self.problem.labels(batch), self.problem.exact(batch)
        return self.problem.data.x(batch), labels if exact is None else labels.masked_fill(~exact, torch.nan)

    def task_losses(self, x: object, labels: Tensor, weights: dict[str, Tensor] | None = None) -> Tensor:
        """Return each task's loss, [t], in full precision, with `weights` in place of the model's own."""
        return self.model.losses(functional_call(self.model, weights or {}, (x,)), labels)

    def _keep(self, trunk: nn.Module, inputs: object, output: Tensor) -> None:
        self.representation = output if self.model.training else None

    def before_epoch(self) -> None:
        """Give the losses on all training items to strategies that read them."""
        if self.balancing.uses_epoch_losses:
            for run, outputs in enumerate(self.outputs(self.rows, self.going())):
                labels = self.problems[run].labels(self.rows)
                strategy = cast(Balancing, self.balancings[run])
                strategy.start_epoch(self.losses_of(outputs, labels, self.rows, run))

    def after_epoch(self) -> None:
        """Let the strategies change what they change from epoch to epoch."""
        for strategy in self.balancings:
            cast(Balancing, strategy).end_epoch()

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs, as tensors and numbers."""
        return {**super().state(), "balancing": self.balancings.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken, after a step."""
        super().restore(state)
        self.balancings.load_state_dict(state["balancing"])

    def outputs(self, rows: Tensor, checked: Sequence[int]) -> list[Tensor]:
        """Return each problem's outputs float32 [n, C] of items at positions `rows`; of binary tasks logits.

        Of the problems at the positions `checked`, those whose outputs are not finite have failed.
        """
        found = predict_all(self.networks, self.problems, rows)
        for run in checked:
            self.require_finite(float(found[run].sum()), run)
        return found

    def predict(self, rows: Tensor) -> Tensor:
        """Return the outputs float32 [n, C] of the first problem for the items at positions `rows`."""
        return self.outputs(rows, [0])[0]

    def probabilities(self, rows: Tensor) -> Tensor:
        """Return the scores float32 [n, t] of the items at positions `rows`, as `MultiTaskModel.scores`."""
        return self.model.scores(self.predict(rows))

    def all_scores(self) -> list[dict[str, Tensor]]:
        """Return what is saved of each held-out fold for each problem, as `TrainingResult.scores`."""
        found: list[dict[str, Tensor]] = [{} for _ in self.problems]
        for fold in EVALUATED:
            trained = [run for run, selection in enumerate(self.selections) if selection.failure is None]
            outputs = self.outputs(self.problem.rows(fold), trained)
            for own, model, each in zip(found, self.networks.models, outputs, strict=True):
                own[fold] = model.scores(each).cpu()
        return found

    def valid_values(self) -> list[float]:
        """What epochs are compared by, higher is better: mean ROC-AUC, or mean of `selection_values`."""
        self.values_by_task = self._values_by_task()
        return [mean_of(own) for own in self.values_by_task]

    def _values_by_task(self) -> list[Tensor]:
        """Return the validation value of each task of each problem, float64 [t], NaN where undefined."""
        outputs = self.outputs(self.valid, self.going())
        labels = [problem.labels(self.valid, "valid") for problem in self.problems]
        if all(kinds.all_binary for kinds in self.kinds):  # all tasks at once, which takes less time
            values = metric_by_task("roc_auc", torch.cat(labels, 1), torch.cat(outputs, 1))
            return list(values.split([each.shape[1] for each in outputs]))
        return [self._values_of(run, *pair) for run, pair in enumerate(zip(labels, outputs, strict=True))]

    def _values_of(self, run: int, labels: Tensor, outputs: Tensor) -> Tensor:
        if self.kinds[run].all_binary:
            return metric_by_task("roc_auc", labels, outputs)
        scores = self.networks.models[run].scores(outputs)
        return selection_values(self.kinds[run], labels, scores, self.problems[run].exact(self.valid))

    def valid_value(self) -> float:
        """The validation value of the first problem."""
        return self.valid_values()[0]


def predict(model: MultiTaskModel, problem: Problem, rows: Tensor) -> Tensor:
    """Return the outputs float32 [n, C] of a problem's network for the items at positions `rows`."""
    return predict_all(Networks([model]), [problem], rows)[0]


def predict_all(networks: Networks, problems: Sequence[Problem], rows: Tensor) -> list[Tensor]:
    """Return the outputs float32 [n, C] of each problem's network for the items at positions `rows`."""
    networks.eval()
    found = []
    for problem in problems:
        n_outputs = sum(task.n_classes or 1 for task in tasks_of(problem))
        found.append([torch.zeros(0, n_outputs, device=rows.device)])
    with torch.inference_mode(), autocast(problems[0]):
        for batch in problems[0].data.passes(rows, PREDICTION_BATCH):
            for own, outputs in zip(found, networks(problems[0].data.x(batch)), strict=True):
                own.append(outputs.float())
    return [torch.cat(parts) for parts in found]
