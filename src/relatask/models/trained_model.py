"""A trained run as a thing that stands alone: what it predicts of items, and from what."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.files import read_json
from relatask.core.layout import in_dataset
from relatask.core.plugins import input_records
from relatask.core.registry import load_loop
from relatask.data.prepared import PreparedDataset
from relatask.data.tasks import plain_tasks
from relatask.engine.problem import CONSTANT, Problem
from relatask.engine.run import inputs_of
from relatask.inputs.arrays import Part, load_input, write_parts
from relatask.inputs.fitted import FittedInput
from relatask.models.averaged import logits, probabilities
from relatask.models.new_items import NewItems, ids_of
from relatask.models.record import LEARNED, ModelRecord

Predictor = Callable[[Tensor], Tensor]  # positions of items, int64 [n] -> their scores, float32 [n, T]
DataOf = Callable[[str], PreparedDataset]  # form of an input -> the data set with it, under the run's split


@dataclass(frozen=True)
class Support:
    """Training items whose labels a model reads when it predicts.

    Attributes:
        items: rows of table "items", whose arrays are made once.
        item_ids: int64 [s], rising.
        labels: float32 [s, T], NaN where there is none.
        passes: for each pass of a prediction the positions of the items that it reads.
    """

    items: NewItems
    item_ids: Tensor
    labels: Tensor
    passes: tuple[Tensor, ...]


@dataclass(frozen=True)
class TrainedModel:
    """A model of T tasks; `relatask.models.loading.load_model` makes it from a folder.

    Attributes:
        record: what it is.
        folder: where it lies.
        device: that predicts.
        weights: of each problem, or of "" where one model serves all tasks.
        support: training items whose labels it reads when it predicts.
        members: models that it is made of.
        prior: the model whose predictions it starts from.
        learned: what its input learned from the training items; None for inputs that learn nothing.
    """

    record: ModelRecord
    folder: Path
    device: torch.device
    weights: Mapping[str, Mapping[str, Tensor]]
    support: Support | None = None
    members: tuple["TrainedModel", ...] = ()
    prior: "TrainedModel | None" = None
    learned: dict[str, Any] | None = None

    @property
    def task_ids(self) -> list[str]:
        """Ids of the tasks that it predicts, in the order of its scores."""
        return self.record.task_ids

    @property
    def n_support(self) -> int:
        """Number of training items whose labels it reads."""
        return 0 if self.support is None else len(self.support.item_ids)

    def require_data_of(self, folder: Path) -> None:
        """Raise where a data set's folder does not hold what the model was trained on.

        Raises:
            RelataskError: it holds other data.
        """
        if read_json(folder / in_dataset("dataset")).get("digest") != self.record.dataset_digest:
            raise RelataskError(
                f"the model {self.record.title} was trained on other data than {folder} holds now; run the "
                "workflow again, which trains it anew."
            )

    def scores(self, data_of: DataOf, rows: Tensor) -> Tensor:
        """Return the scores float32 [n, T] of items of a prepared data set, from all labels that they have.

        Args:
            data_of: gives the data set with an input of some form, under the run's split.
            rows: positions of items, int64 [n].

        Raises:
            RelataskError: the data set lacks a task of the model, or an item whose labels it reads.
        """
        return self.predictor(data_of)(rows)

    def predictor(self, data_of: DataOf) -> Predictor:
        """Return what gives `scores` of items at some rows, for callers that ask for many rows in turn.

        Raises:
            RelataskError: as `scores`.
        """
        if self.members:
            members = [member.predictor(data_of) for member in self.members]
            return lambda rows: self._combined([predictor(rows) for predictor in members])
        data = data_of(inputs_of(self.record.spec))
        prior = None
        if self.prior is not None:
            every = torch.arange(len(data.item_ids), device=data.item_ids.device)
            prior = self.prior.scores(data_of, every)
        return self._predictor(data, prior, self._passes(self._support_in(data)))

    def scores_of_new(self, items: NewItems, known: Tensor) -> Tensor:
        """Return the scores float32 [n, T] of n items that no data set holds.

        Args:
            items: with `item_id`, from which follows what a method draws for an item, and the columns that
                the model's input is made from, e.g. `smiles`.
            known: float32 [n, T], labels that are known; NaN where unknown.
        """
        if self.members:
            place = {task: column for column, task in enumerate(self.task_ids)}
            found = []
            for member in self.members:
                columns = [place[task] for task in member.task_ids]
                found.append(member.scores_of_new(items, known[:, columns]))
            return self._combined(found)
        n_support, prior = self.n_support, None
        if self.prior is not None:
            scores = self.prior.scores_of_new(items, torch.full_like(known, torch.nan))
            prior = torch.cat([scores.new_full((n_support, len(self.task_ids)), 0.5), scores])
        with TemporaryDirectory(prefix="relatask-") as folder:
            data = self._standalone(items, known, Path(folder))
            rows = torch.arange(n_support, n_support + len(items), device=self.device)
            support = self._passes(torch.arange(n_support, device=self.device))
            return self._predictor(data, prior, support)(rows)

    def problems(self, items: NewItems, folder: Path) -> list[Problem]:
        """Return what is predicted of new items, by a network or estimator each.

        Args:
            items: as of `scores_of_new`.
            folder: gets the arrays of the input, and must stay while the problems are used.
        """
        unknown = torch.full((len(items), len(self.task_ids)), torch.nan)
        return self._problems(self._standalone(items, unknown, folder), None, None)

    def forecast(self, points: pd.DataFrame, horizon: int) -> Tensor:
        """Return the values float32 [horizon, T] that follow points in time, standardised as these are.

        Args:
            points: rows of table "items" of a source of series, oldest first.
            horizon: how many points follow.
        """
        if self.members:
            return self._combined([member.forecast(points, horizon) for member in self.members])
        # An encoder reads all series, of which the model may forecast some.
        series = plain_tasks([scale.task_id for scale in self.record.scaling], "real")
        known = torch.zeros(len(points), len(series))
        with TemporaryDirectory(prefix="relatask-") as folder:
            data = replace(self._standalone(NewItems(points), known, Path(folder)), tasks=series)
            rows = torch.arange(len(points), len(points) + horizon, device=self.device)
            return self._predictor(data, None, None)(rows)

    def classes_of(self, items: pd.DataFrame, shown: np.ndarray, asked: np.ndarray) -> Tensor:
        """Return the class of images by those that show each class: positions in `shown`, int64 [n].

        Args:
            items: rows of table "items".
            shown: positions of the images that show each class, int64 [ways, shots].
            asked: positions of the images to be classified, int64 [n].
        """
        known = torch.zeros(len(items), len(self.task_ids))
        with TemporaryDirectory(prefix="relatask-") as folder:
            data = self._standalone(NewItems(items), known, Path(folder))
            (problem,) = self._problems(data, None, None)
            predictor = load_loop(self.record.spec.method.name).predictor(problem, dict(self.weights[""]))
            ways, shots = shown.shape
            # Every class of an episode has as many queries; here each query stands in all classes, and the
            # answers to the first class's are read.
            queries = torch.from_numpy(np.tile(asked, (ways, 1)))
            episode = torch.cat([torch.from_numpy(shown), queries], 1)[None]
            logits: Tensor = predictor(episode, shots)[0, : len(asked)]
            return logits.argmax(-1)

    def _predictor(
        self, data: PreparedDataset, prior: Tensor | None, support: tuple[Tensor, ...] | None
    ) -> Predictor:
        """Return what gives the scores [n, T] of items of a data set, problem by problem."""
        loop = load_loop(self.record.spec.method.name)
        predictors = []
        for problem in self._problems(data, prior, support):
            weights = dict(self.weights[problem.name])
            constant = weights.get(CONSTANT)
            try:
                predictors.append(
                    loop.predictor(problem, weights) if constant is None else _constantly(constant)
                )
            except KeyError as error:
                raise RelataskError(
                    f"{self.folder}: the weights of {problem.title} lack {error}; get the model anew, or "
                    "train it again."
                ) from None
        return lambda rows: torch.cat([predictor(rows).float() for predictor in predictors], 1)

    def _problems(
        self, data: PreparedDataset, prior: Tensor | None, support: tuple[Tensor, ...] | None
    ) -> list[Problem]:
        """Return what is predicted at a time: each task by a model of its own, or all tasks."""
        place = {task: column for column, task in enumerate(data.task_ids)}
        if lost := [task for task in self.task_ids if task not in place]:
            raise RelataskError(
                f"the model {self.record.title} predicts {lost[0]!r}, which the data set does not have; use "
                "the data set that it was trained on, or train a model for these tasks."
            )
        columns = torch.tensor([place[task] for task in self.task_ids], device=data.labels.device)
        data = self._as_learned(self._related(data, place))
        if not self.record.learned_alone:
            return [Problem(self.record.spec, data, columns, "", prior, support)]
        return [
            Problem(self.record.spec, data, columns[number : number + 1], task, None, support)
            for number, task in enumerate(self.record.learned_alone)
        ]

    def _related(self, data: PreparedDataset, place: Mapping[str, int]) -> PreparedDataset:
        """Return the data set with the relations among tasks that the model was trained with."""
        edges = [(place[one], place[other]) for one, other, _ in self.record.relations]
        scores = [score for _, _, score in self.record.relations]
        device = data.labels.device
        return replace(
            data,
            edge_index=torch.tensor(edges, dtype=torch.int64, device=device).view(-1, 2).T.contiguous(),
            edge_score=torch.tensor(scores, dtype=torch.float32, device=device),
        )

    def _as_learned(self, data: PreparedDataset) -> PreparedDataset:
        """Return the data set with its input as the model's training items taught it.

        Raises:
            RelataskError: the model does not say what they taught, or reads labels of nodes of another graph.
        """
        if not isinstance(data.inputs, FittedInput):
            return data
        if self.learned is None:
            raise RelataskError(
                f"{self.folder} lacks {LEARNED}, by which it reads items; get the model anew."
            )
        inputs = data.inputs.with_learned(self.learned)
        if self.n_support and not getattr(inputs, "is_own", True):
            raise RelataskError(
                f"the model {self.record.title} reads labels of nodes of the graph that it was trained on, "
                "and this is another graph; give that graph, with the same item_id and neighbours."
            )
        return replace(data, inputs=inputs)

    def _combined(self, scores: list[Tensor]) -> Tensor:
        """Return the members' scores as one: the mean of those that serve a task, or of their logits."""
        averaged = self.record.spec.averaged
        if averaged:
            scores = [logits(found) for found in scores]
        place = {task: column for column, task in enumerate(self.task_ids)}
        total = scores[0].new_zeros(len(scores[0]), len(place))
        count = torch.zeros(len(place), device=scores[0].device)
        members = zip(self.record.members, self.members, scores, strict=True)
        for member, model, found in members:
            serves = set(model.task_ids if member.serves is None else member.serves)
            own = [number for number, task in enumerate(model.task_ids) if task in serves]
            columns = [place[model.task_ids[number]] for number in own]
            total[:, columns] += found[:, own]
            count[columns] += 1
        return probabilities(total / count) if averaged else total / count

    def _support_in(self, data: PreparedDataset) -> Tensor:
        """Return the positions in a data set of the items whose labels the model reads.

        Raises:
            RelataskError: the data set lacks one of them.
        """
        if self.support is None or not len(self.support.item_ids):
            return torch.zeros(0, dtype=torch.int64, device=self.device)
        item_ids = self.support.item_ids.to(self.device)
        positions = torch.searchsorted(data.item_ids, item_ids).clamp(max=len(data.item_ids) - 1)
        if not torch.equal(data.item_ids[positions], item_ids):
            raise RelataskError(
                f"the model {self.record.title} reads labels of items that the data set lacks; use the data "
                "set that it was trained on."
            )
        return positions

    def _passes(self, support: Tensor) -> tuple[Tensor, ...] | None:
        """Return which of the items at positions `support` [s] each pass of a prediction reads."""
        if self.support is None:
            return None
        return tuple(support[own.to(self.device)] for own in self.support.passes)

    def _standalone(self, items: NewItems, known: Tensor, folder: Path) -> PreparedDataset:
        """Return a data set of the support, which is its training fold, and of the new items behind it.

        Args:
            items: the new ones.
            known: labels that are known of them, [n, T].
            folder: gets the arrays of the input, and must stay while the data set is read.
        """
        item_ids, labels, n_support = ids_of(items.table), known, self.n_support
        if self.support is not None:
            item_ids = torch.cat([self.support.item_ids, item_ids])
            labels = torch.cat([self.support.labels, known])
        inputs = rows = None
        if self.record.inputs:
            parts, rows = self._described(items, item_ids)
            write_parts(parts, list(self.record.inputs), folder)
            inputs = load_input(folder, inputs_of(self.record.spec), self.device)
        n_items = len(item_ids)
        return PreparedDataset(
            tasks=self.record.tasks,
            labels=labels.to(self.device),
            item_ids=item_ids.to(self.device),
            folds={
                "train": torch.arange(n_support, device=self.device),
                "valid": torch.arange(0, device=self.device),
                "test": torch.arange(n_support, n_items, device=self.device),
            },
            inputs=inputs,
            input_rows=None if rows is None else rows.to(self.device),
            edge_index=torch.zeros(2, 0, dtype=torch.int64, device=self.device),
            edge_score=torch.zeros(0, device=self.device),
        )

    def _described(self, items: NewItems, item_ids: Tensor) -> tuple[Iterable[Part], Tensor | None]:
        """Return what the input makes of items, those of the support and new ones, each of `item_ids`.

        Nodes of one graph are given all at once, the support among them, and are read in the order of their
        ids, which is that of training.

        Returns:
            Parts, and the row of each of `item_ids`, int64 [m]; None: they are in this order.

        Raises:
            RelataskError: a node of the support is not there.
        """
        names = self.record.inputs
        if not any(input_records()[name].one_graph for name in names):
            return chain(self.support.items.parts(names) if self.support else (), items.parts(names)), None
        nodes = NewItems(items.table.sort_values("item_id", ignore_index=True))
        ids = ids_of(nodes.table)
        rows = torch.searchsorted(ids, item_ids).clamp(max=len(ids) - 1)
        if (lost := ids[rows] != item_ids).any():
            raise RelataskError(
                f"the model {self.record.title} reads labels of the node {int(item_ids[lost][0])}, which the "
                "table lacks; give all nodes of the graph that it was trained on, with the same item_id."
            )
        return nodes.parts(names), rows


def _constantly(score: Tensor) -> Predictor:
    """Return what gives every item the same score."""
    return lambda rows: score.to(rows.device).expand(len(rows), 1)
