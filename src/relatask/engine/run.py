"""One run from its spec to predictions, history and weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.registry import Capabilities, capabilities, forms_read, load_loop
from relatask.core.tables import COLUMNS
from relatask.data.prepared import PreparedDataset
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.kinds import constant_result, require_kinds
from relatask.engine.problem import EVALUATED, Problem, Progress, TrainingResult, problems_of
from relatask.inputs.arrays import JOINED
from relatask.journal.finished import Finished
from relatask.plan.spec import RunSpec


@dataclass(frozen=True)
class RunResult:
    """What a run leaves behind; `weights` is None for methods without tensors."""

    predictions: pd.DataFrame  # columns of table "predictions", held-out cells with a label
    history: pd.DataFrame  # columns of table "history"
    weights: dict[str, Any] | None  # the state of the network, or one per task
    # columns of table "known_labels", of methods that read known labels when they predict
    known_labels: pd.DataFrame | None = None
    saved: dict[str, pd.DataFrame] = field(default_factory=dict)  # the method's own tables, with `run_id`

    def named(self, run_id: str) -> "RunResult":
        """Return it as the result of the run `run_id`, whose settings were chosen by a search."""
        return replace(
            self,
            predictions=self.predictions.assign(run_id=run_id),
            history=self.history.assign(run_id=run_id),
            saved={name: table.assign(run_id=run_id) for name, table in self.saved.items()},
        )

    def validated(self) -> "RunResult":
        """Return what a trial of a search leaves: predictions of the validation fold alone."""
        valid = self.predictions[self.predictions["fold"] == "valid"].reset_index(drop=True)
        return replace(self, predictions=valid, known_labels=None, saved={})

    def finished(self, files: Mapping[str, bytes] | None = None) -> Finished:
        """What the journal keeps of it, with the files of its model."""
        tables = {"predictions": self.predictions, "history": self.history}
        if self.known_labels is not None:
            tables["known_labels"] = self.known_labels
        return Finished(tables, files or {}, saved=self.saved)


def inputs_of(spec: RunSpec) -> str:
    """The form of what a run reads, several joined by +: its row's, else its encoder's or method's own."""
    ability = capabilities("methods", spec.method.name)
    if ability.uses_encoder:
        ability = capabilities("encoders", spec.required_encoder().name)
    return JOINED.join(forms_read(ability, spec.inputs))


def train_run(
    spec: RunSpec,
    data: PreparedDataset,
    checkpoint: Checkpoint,
    progress: Progress,
    keep_weights: bool,
    prior: Tensor | None = None,
    encoder: Mapping[str, Tensor] | None = None,
) -> RunResult:
    """Train every problem of the run that the checkpoint does not hold yet.

    Args:
        spec: the run.
        data: its data set, under its split, with its kind of input.
        checkpoint: of this run.
        progress: receives the share of the run that is done, and where it is.
        keep_weights: whether the result shall hold weights; those of 1,000 networks fill gigabytes.
        prior: probabilities [M, T] of label 1 that the run named by `spec.prior` gives to all items.
        encoder: weights of the encoder of the run named by `spec.encoder_from`.

    Raises:
        RelataskError: the run has no task or no labelled item in training, or it diverged.
    """
    ability = capabilities("methods", spec.method.name)
    loop = load_loop(spec.method.name)
    problems = [
        replace(problem, encoder=encoder) for problem in problems_of(spec, data, ability.per_task, prior)
    ]
    for number in range(len(checkpoint.finished), len(problems)):
        problem = problems[number]
        require_kinds(problem, ability.kinds)
        progress_of_run = _progress_of_problem(progress, number, len(problems), problem)
        result = (ability.per_task and constant_result(problem)) or _trained(
            loop, problem, checkpoint, progress_of_run
        )
        checkpoint.finish((result if keep_weights else replace(result, weights=None)).as_dict())
    return _collect(
        spec, ability, problems, [TrainingResult.from_dict(finished) for finished in checkpoint.finished]
    )


def _trained(loop: Any, problem: Problem, checkpoint: Checkpoint, progress: Progress) -> TrainingResult:
    """Train a problem by its loop, of which `engine.contract.Loop` says what it may have."""
    result: TrainingResult = (
        loop.train(problem, checkpoint, progress)
        if hasattr(loop, "train")
        else loop.Training(problem).fit(checkpoint, progress)
    )
    return result


def _progress_of_problem(progress: Progress, number: int, total: int, problem: Problem) -> Progress:
    place = f"task {number + 1}/{total} · " if problem.name else ""
    return lambda share, text: progress((number + share) / total, place + text)


def _collect(
    spec: RunSpec, ability: Capabilities, problems: list[Problem], results: list[TrainingResult]
) -> RunResult:
    cells_of = getattr(load_loop(spec.method.name), "cells", cells)
    found = [
        cells_of(problem, fold, result)
        for problem, result in zip(problems, results, strict=True)
        for fold in (*EVALUATED, *(["train"] if result.shown else []))
    ]
    table = pd.concat(found, ignore_index=True).sort_values(["fold", "item_id", "task_id"], kind="stable")
    table = table.astype({"task_id": str}).assign(run_id=spec.run_id)
    predictions = table[table["predicted_in"] >= 0].reset_index(drop=True)
    reads_labels = any(result.shown for result in results)
    known_labels = table[list(COLUMNS["known_labels"])].reset_index(drop=True) if reads_labels else None
    history = pd.DataFrame(
        [
            {"run_id": spec.run_id, "task_id": problem.name or None, **row}
            for problem, result in zip(problems, results, strict=True)
            for row in result.history
        ],
        columns=[
            "run_id",
            "task_id",
            "epoch",
            "train_loss",
            "valid_metric",
            "seconds",
            "examples_per_second",
        ],
    )
    per_problem = {
        problem.name: result.weights
        for problem, result in zip(problems, results, strict=True)
        if result.weights
    }
    weights = per_problem if ability.per_task else per_problem.get("")
    return RunResult(
        predictions[list(COLUMNS["predictions"])],
        history,
        weights or None,
        known_labels,
        _saved(spec, ability, problems, results),
    )


def cells(problem: Problem, fold: str, result: TrainingResult) -> pd.DataFrame:
    """Return a row for each labelled cell of a fold: what a loop without `cells` of its own predicts.

    Of training only cells whose label a pass reads; they have no score.

    Returns:
        fold, item_id, task_id (categories in the order of tasks, the same for all folds), label, score,
        predicted_in (the pass that predicts the cell; -1: none) and known_in (bit p: pass p may read it).
    """
    rows = problem.rows(fold)
    labels = problem.labels(rows, fold)
    none = torch.zeros(labels.shape, dtype=torch.int16)
    shown = result.shown[fold] if result.shown else {"predicted_in": none, "known_in": none}
    there, exact = ~labels.isnan(), problem.exact(rows)
    if exact is not None:
        there &= exact  # what a bound says of a prediction is no measured error
    if fold not in result.scores:
        there &= shown["known_in"].to(there.device) != 0
    row, column = torch.nonzero(there, as_tuple=True)
    place = (row.cpu(), column.cpu())
    return pd.DataFrame(
        {
            "fold": fold,
            "item_id": problem.data.item_ids[rows[row]].cpu().numpy(),
            "task_id": pd.Categorical.from_codes(
                problem.columns[column].cpu().numpy(), pd.Index(problem.data.task_ids)
            ),
            "label": labels[row, column].cpu().numpy(),
            "score": result.scores[fold][place].numpy() if fold in result.scores else np.nan,
            **{name: values[place].numpy() for name, values in shown.items()},
        }
    )


def _saved(
    spec: RunSpec, ability: Capabilities, problems: list[Problem], results: list[TrainingResult]
) -> dict[str, pd.DataFrame]:
    """Return the tables that the method declares, of all problems, each row with its run.

    Raises:
        RelataskError: a table is not declared, or one that is declared is absent or lacks a column.
    """
    found = {}
    for name in sorted({*ability.saves, *(name for result in results for name in result.saved)}):
        columns = ability.saves.get(name)
        if columns is None:
            raise RelataskError(
                f"method {spec.method.name!r} made a table {name!r} that it does not declare; add it "
                "to `saves`."
            )
        frames = []
        for problem, result in zip(problems, results, strict=True):
            frame = result.saved.get(name)
            if frame is None and len(problems) == 1:
                raise RelataskError(
                    f"method {spec.method.name!r} declares a table {name!r} and did not make it."
                )
            if frame is not None:
                own = {"task_id": problem.name} if problem.name and "task_id" in columns else {}
                frames.append(frame.assign(**own, run_id=spec.run_id))
        table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[*columns, "run_id"])
        if lost := [column for column in columns if column not in table]:
            raise RelataskError(
                f"method {spec.method.name!r}: its table {name!r} lacks the column {lost[0]!r}."
            )
        found[name] = table[["run_id", *columns]]
    return found
