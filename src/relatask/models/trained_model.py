"""A trained run as a thing that stands alone: what it predicts of items, and from what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.registry import load_input, load_loop
from relatask.data.prepared import PreparedDataset
from relatask.engine.unit import Unit
from relatask.models.record import ModelRecord

DataOf = Callable[[str], PreparedDataset]  # kind of input -> the data set with it, under the run's split
Arrays = Mapping[str, Mapping[str, np.ndarray]]  # kind of input -> its arrays, by name


@dataclass(frozen=True)
class TrainedModel:
    """A model of T tasks; `relatask.load` makes it from a folder.

    Attributes:
        record: what it is.
        folder: where it lies.
        device: that predicts.
        weights: of each unit, or of "" where one model serves all tasks.
        support: training items whose labels it reads when it predicts: `item_ids` [s], `labels` [s, T], for each
            pass of a prediction the positions among them (`pass/0`, ...), and their inputs (`graph/atoms`, ...).
        members: models that it is made of.
        prior: the model whose predictions it starts from.
    """

    record: ModelRecord
    folder: Path
    device: torch.device
    weights: Mapping[str, Mapping[str, Tensor]]
    support: Mapping[str, Tensor] | None = None
    members: tuple["TrainedModel", ...] = ()
    prior: "TrainedModel | None" = None

    @property
    def task_ids(self) -> list[str]:
        """Ids of the tasks that it predicts, in the order of its scores."""
        return self.record.task_ids

    @property
    def inputs(self) -> list[str]:
        """Kinds of input that the model, its members and its prior read."""
        models = [self, *self.members, *([self.prior] if self.prior else [])]
        return list(dict.fromkeys(kind for model in models for kind in model.record.inputs))

    def scores(self, data_of: DataOf, rows: Tensor) -> Tensor:
        """Return the scores float32 [n, T] of items of a prepared data set, by all labels that they have.

        Args:
            data_of: gives the data set with a kind of input, under the run's split.
            rows: positions of items, int64 [n].

        Raises:
            RelataskError: the data set lacks a task of the model.
        """
        if self.members:
            return self._combined([member.scores(data_of, rows) for member in self.members])
        data = data_of(self._input)
        prior = None
        if self.prior is not None:
            every = torch.arange(len(data.item_ids), device=data.item_ids.device)
            prior = self.prior.scores(data_of, every)
        return self._predict(data, rows, prior, self._passes(self._support_in(data)))

    def scores_of_new(self, item_ids: Tensor, arrays: Arrays, known: Tensor) -> Tensor:
        """Return the scores float32 [n, T] of n items that no data set holds.

        Args:
            item_ids: int64 [n]; what a method draws for an item follows from its id.
            arrays: kind of input -> its arrays of the n items.
            known: float32 [n, T], labels that are known; NaN where unknown.
        """
        if self.members:
            place = {task: column for column, task in enumerate(self.task_ids)}
            found = []
            for member in self.members:
                columns = [place[task] for task in member.task_ids]
                found.append(member.scores_of_new(item_ids, arrays, known[:, columns]))
            return self._combined(found)
        n_support = 0 if self.support is None else len(self.support["item_ids"])
        data = self._standalone(item_ids, arrays, known)
        prior = None
        if self.prior is not None:
            unknown = torch.full_like(known, torch.nan)
            prior = self.prior.scores_of_new(item_ids, arrays, unknown)
            prior = torch.cat([prior.new_full((n_support, len(self.task_ids)), 0.5), prior])
        rows = torch.arange(n_support, n_support + len(item_ids), device=self.device)
        support = self._passes(torch.arange(n_support, device=self.device))
        return self._predict(data, rows, prior, support)

    @property
    def _input(self) -> str:
        """The kind of input that the model itself reads; "none" where it reads labels alone."""
        return next(iter(self.record.inputs), "none")

    def _predict(
        self, data: PreparedDataset, rows: Tensor, prior: Tensor | None, support: tuple[Tensor, ...] | None
    ) -> Tensor:
        """Return the scores [n, T] of items at `rows` of a data set, unit by unit."""
        loop = load_loop(self.record.spec.method)
        found = []
        for unit in self._units(data, prior, support):
            predictor = loop.predictor(unit, dict(self.weights[unit.name]))
            found.append(predictor(rows).float())
        return torch.cat(found, 1)

    def _units(
        self, data: PreparedDataset, prior: Tensor | None, support: tuple[Tensor, ...] | None
    ) -> list[Unit]:
        """Return what is predicted at a time: each task by a model of its own, or all tasks."""
        place = {task: column for column, task in enumerate(data.task_ids)}
        if lost := [task for task in self.task_ids if task not in place]:
            raise RelataskError(
                f"the model {self.record.title} predicts {lost[0]!r}, which the data set does not have; use "
                "the data set that it was trained on, or train a model for these tasks."
            )
        columns = torch.tensor([place[task] for task in self.task_ids], device=data.labels.device)
        data = self._related(data, place)
        if not self.record.units:
            return [Unit(self.record.spec, data, columns, "", prior, support)]
        return [
            Unit(self.record.spec, data, columns[number : number + 1], task, None, support)
            for number, task in enumerate(self.record.units)
        ]

    def _related(self, data: PreparedDataset, place: Mapping[str, int]) -> PreparedDataset:
        """Return the data set with the relations among tasks that the model was trained with."""
        edges = [(place[one], place[other]) for one, other, _ in self.record.relations]
        scores = [score for _, _, score in self.record.relations]
        device = data.labels.device
        return data.with_relations(
            torch.tensor(edges, dtype=torch.int64, device=device).view(-1, 2).T.contiguous(),
            torch.tensor(scores, dtype=torch.float32, device=device),
        )

    def _combined(self, scores: list[Tensor]) -> Tensor:
        """Return the members' scores as one: the mean of those that serve a task."""
        place = {task: column for column, task in enumerate(self.task_ids)}
        total = torch.zeros(len(scores[0]), len(place), device=scores[0].device)
        count = torch.zeros(len(place), device=scores[0].device)
        members = zip(self.record.members, self.members, scores, strict=True)
        for member, model, found in members:
            serves = set(model.task_ids if member.serves is None else member.serves)
            own = [number for number, task in enumerate(model.task_ids) if task in serves]
            columns = [place[model.task_ids[number]] for number in own]
            total[:, columns] += found[:, own]
            count[columns] += 1
        return total / count

    def _support_in(self, data: PreparedDataset) -> Tensor:
        """Return the positions in a data set of the items whose labels the model reads.

        Raises:
            RelataskError: the data set lacks one of them.
        """
        if self.support is None:
            return torch.zeros(0, dtype=torch.int64, device=self.device)
        item_ids = self.support["item_ids"].to(self.device)
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
        n_passes = sum(name.startswith("pass/") for name in self.support)
        return tuple(support[self.support[f"pass/{number}"].to(self.device)] for number in range(n_passes))

    def _standalone(self, item_ids: Tensor, arrays: Arrays, known: Tensor) -> PreparedDataset:
        """Return a data set of the support, which is its training fold, and of the new items behind it."""
        inputs = None
        labels = known.to(self.device)
        ids = item_ids.to(self.device)
        own = dict(arrays.get(self._input, {}))
        n_support = 0
        kind = None if self._input == "none" else load_input(self._input)
        if self.support is not None:
            n_support = len(self.support["item_ids"])
            labels = torch.cat([self.support["labels"].to(self.device), labels])
            ids = torch.cat([self.support["item_ids"].to(self.device), ids])
            if kind is not None:
                prefix = f"{self._input}/"
                first = {
                    name.removeprefix(prefix): value.numpy()
                    for name, value in self.support.items()
                    if name.startswith(prefix)
                }
                own = kind.joined([first, own])
        if kind is not None:
            inputs = kind.of(own, self.device)
        folds = {
            "train": torch.arange(n_support, device=self.device),
            "valid": torch.arange(0, device=self.device),
            "test": torch.arange(n_support, len(ids), device=self.device),
        }
        return PreparedDataset(
            tasks=self.record.tasks,
            labels=labels,
            item_ids=ids,
            folds=folds,
            inputs=inputs,
            edge_index=torch.zeros(2, 0, dtype=torch.int64, device=self.device),
            edge_score=torch.zeros(0, device=self.device),
        )
