"""What the labels of a problem's tasks are, and the value that its epochs are compared by."""

import logging
import math

import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.data.tasks import Task
from relatask.engine.problem import CONSTANT, EVALUATED, Problem, TrainingResult
from relatask.evaluation.metrics import METRICS, by_column
from relatask.nn.kinds import TaskKinds

log = logging.getLogger(__name__)


def tasks_of(problem: Problem) -> list[Task]:
    """Return the problem's tasks, as things."""
    return [problem.data.tasks[column] for column in problem.columns.tolist()]


def kinds_of(problem: Problem) -> TaskKinds:
    """Return the kinds of a problem's tasks, with mean and deviation of the training labels of real ones.

    Labels that are bounds count only where a task has no others.
    """
    tasks = tasks_of(problem)
    plain = TaskKinds.binary(len(tasks))
    if all(task.kind == "binary" for task in tasks):
        return plain
    mean, deviation = plain.mean, plain.deviation
    if any(task.kind == "real" for task in tasks):
        rows = problem.rows("train")
        labels, bounds = problem.labels(rows).double().cpu(), problem.bounds(rows)
        if bounds is not None:
            exact = labels.masked_fill(bounds.cpu() != 0, torch.nan)
            labels = torch.where(exact.isnan().all(0), labels, exact)
        weights = problem.weights(rows)
        for place, task in enumerate(tasks):
            if task.kind == "real":
                known = ~labels[:, place].isnan()
                own = None if weights is None else weights[:, place].double().cpu()[known]
                mean[place], deviation[place] = _scale_of(labels[:, place][known], own)
    n_outputs = tuple(task.n_classes or 1 for task in tasks)
    return TaskKinds(tuple(task.kind for task in tasks), n_outputs, mean, deviation)


def _scale_of(values: Tensor, weights: Tensor | None) -> tuple[float, float]:
    """Return mean and population deviation of values [n], by weights [n] where there are; 0 and 1 of none."""
    if not len(values):
        return 0.0, 1.0
    if weights is None:
        mean, spread = float(values.mean()), float(values.std(correction=0))
    else:
        mean = float((weights * values).sum() / weights.sum())
        spread = float((weights * (values - mean).square()).sum() / weights.sum()) ** 0.5
    return mean, spread if spread > 0 else 1.0


def mean_metric(metric: str, labels: Tensor, scores: Tensor) -> float:
    """Return the mean over tasks of a metric, over those where it is defined; NaN if there is none.

    Args:
        metric: a key of `evaluation.metrics.METRICS`.
        labels: [n, T], NaN where missing.
        scores: [n, T].
    """
    return mean_of(metric_by_task(metric, labels, scores))


def mean_of(values: Tensor) -> float:
    """Return the mean of values [T] over those that are no NaN; NaN if there is none."""
    return float(values.nanmean()) if len(values) else math.nan


def metric_by_task(metric: str, labels: Tensor, scores: Tensor) -> Tensor:
    """Return a metric of each task, float64 [T], NaN where it is undefined; arguments as `mean_metric`."""
    arrays = (labels.detach().cpu().numpy(), scores.detach().cpu().numpy())
    return torch.from_numpy(by_column(METRICS[metric], *arrays))


def selection_values(kinds: TaskKinds, labels: Tensor, scores: Tensor, exact: Tensor | None) -> Tensor:
    """Return how good each task is, float64 [T], higher is better, NaN where undefined.

    That is ROC-AUC of a binary task and accuracy of classes; of a real one 1 - MAE / the deviation of its
    training labels, which is 0 for about the mean and 1 for the truth.

    Args:
        kinds: of the T tasks.
        labels: [n, T] of the validation fold, NaN where missing.
        scores: [n, T], as they are saved.
        exact: bool [n, T], where a label is no bound; None: everywhere.
    """
    if exact is not None:
        labels = labels.masked_fill(~exact, torch.nan)
    found = torch.full((len(kinds.kinds),), torch.nan, dtype=torch.float64)
    names = {"binary": "roc_auc", "real": "mae", "class": "accuracy"}
    for kind in sorted(set(kinds.kinds)):
        own = torch.tensor([one == kind for one in kinds.kinds], device=labels.device)
        values = metric_by_task(names[kind], labels[:, own], scores[:, own])
        if kind == "real":
            values = 1 - values / kinds.deviation[own.cpu()].double()
        found[own.cpu()] = values
    return found


def require_kinds(problem: Problem, learned: tuple[str, ...]) -> None:
    """Raise where a task is of a kind that the method does not learn: the plan may not know tasks."""
    for task in tasks_of(problem):
        if task.kind not in learned:
            raise RelataskError(
                f"{problem.title}: method {problem.spec.method.name!r} learns labels of kind "
                f"{' and '.join(learned)}, and task {task.task_id!r} is of kind {task.kind}; name another "
                "method, or leave it out."
            )


def exact_rows(problem: Problem) -> Tensor:
    """Return the training rows of a problem of one task whose labels are values and no bounds."""
    rows = problem.rows("train")
    exact = problem.exact(rows)
    return rows if exact is None else rows[exact[:, 0]]


def constant_result(problem: Problem) -> TrainingResult | None:
    """Return one score for all items where training has no two different labels of a task, else None.

    Of a binary task that is the prevalence, else the value or class itself, and of a real one that has bounds
    alone their mean; 0.5, 0 and 0 where there is none.
    """
    labels, kind = problem.labels(exact_rows(problem)), tasks_of(problem)[0].kind
    if labels.numel() and labels.min() < labels.max():
        return None
    bounds = problem.labels(problem.rows("train"))
    score = 0.5 if kind == "binary" else 0.0
    digits, seen = 0 if kind == "binary" else 4, "no label"
    if labels.numel():
        score = float(labels[0, 0])
        seen = f"only label {score:.{digits}f}"
    elif bounds.numel():
        score, seen = float(bounds.mean()), "bounds alone"
    log.info("%s has %s in training; every score is %.1f", problem.title, seen, score)
    scores = {fold: torch.full((len(problem.rows(fold)), 1), score) for fold in EVALUATED}
    return TrainingResult(scores, [], {CONSTANT: torch.tensor([score])})
