"""Models of several splits of one method, asked as one; `models.ensemble_folder` writes them."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.core.files import read_fields, sha256_of
from relatask.evaluation.calibration import Calibration
from relatask.models.calibration import CALIBRATION, read_calibration
from relatask.models.items import ReadItems, as_items
from relatask.models.loading import load_model
from relatask.models.new_items import NewItems
from relatask.models.prediction import REASON, Model, require_known
from relatask.models.record import ENSEMBLE, ENSEMBLE_FORMAT, NAME
from relatask.models.task_columns import (
    CALIBRATED,
    ERROR,
    HIGH,
    LOW,
    SET,
    SPREAD,
    calibrated,
    joined,
    suffixes,
)
from relatask.models.training_molecules import TrainingMolecules, training_molecules
from relatask.models.wanted import ALL, Wanted

NEAREST, SIMILARITY, DOMAIN = "nearest", "similarity", "domain"  # columns of a row
ECFP = "ecfp"  # the input by which molecules are compared
NOTHING = np.empty(0)
INSIDE, OUTSIDE = "in", "out"  # of the domain


class Ensemble:
    """The members of an ensemble, asked together: what they say, how much they differ, and how right it is.

    Attributes:
        folder: where it lies.
        members: the models.
        calibration: what predictions out of fold taught; None in folders that were made without.
    """

    def __init__(self, folder: Path, members: Sequence[Model], calibration: Calibration | None = None):
        self.folder, self.members, self.calibration = folder, members, calibration
        self.tasks = {task.task_id: task for member in members for task in member.trained.record.tasks}

    @property
    def digest(self) -> str:
        """SHA-256 of its ensemble.json, which holds those of its members."""
        return sha256_of(self.folder / ENSEMBLE)

    @property
    def task_ids(self) -> list[str]:
        """Ids of the tasks that a member predicts, in the members' order."""
        return list(self.tasks)

    @property
    def names(self) -> dict[str, str]:
        """Task id -> name of the task, as its source writes it."""
        return {task: described.name for task, described in self.tasks.items()}

    @property
    def units(self) -> dict[str, str]:
        """Task id -> unit of what is predicted, of tasks that have one."""
        return {task: described.unit for task, described in self.tasks.items() if described.unit}

    @property
    def column(self) -> str:
        """The column of items that a plain list is, as of its members."""
        return self.members[0].column

    @cached_property
    def training(self) -> TrainingMolecules | None:
        """The molecules that the members were trained on; None where items are no molecules."""
        if self.column != "smiles":
            return None
        return training_molecules([member.trained.folder for member in self.members])

    def columns(self, wanted: Wanted = ALL, names: Mapping[str, str] | None = None) -> list[str]:
        """Return the columns of a prediction.

        Args:
            wanted: what it shall say.
            names: task id -> what stands for the id, such as `Ensemble.names`; default: the id.
        """
        found = []
        for task in self.task_ids:
            name = task if names is None else names[task]
            found += [f"{name}{suffix}" for suffix in self._suffixes(task, wanted)]
        return [*found, *self._of_rows(wanted), REASON]

    def _suffixes(self, task: str, wanted: Wanted) -> list[str]:
        numbers = [n for n, member in enumerate(self.members) if wanted.members and task in member.task_ids]
        errors = DOMAIN in self._of_rows(wanted)
        return suffixes(self.tasks[task].kind, self.calibration is not None, errors, numbers)

    def _of_rows(self, wanted: Wanted) -> list[str]:
        """Return the columns that are of a row and not of a task."""
        if not wanted.nearest or self.training is None:
            return []
        limited = self.calibration is not None and self.calibration.limit is not None
        return [NEAREST, SIMILARITY, *([DOMAIN] if limited else [])]

    def caveats(self, wanted: Wanted = ALL) -> list[str]:
        """Return sentences for people about what a prediction does not say."""
        if self.calibration is None:
            return [
                f"{self.folder} holds no {CALIBRATION}, so it has no calibrated probability and no interval."
            ]
        lacking: dict[str, list[str]] = {}
        for task in self.task_ids:
            if why := self.calibration.tasks[task].lacks(wanted.level):
                lacking.setdefault(why, []).append(self.tasks[task].name)
        return [f"{', '.join(tasks)}: {why}." for why, tasks in lacking.items()]

    def predict(
        self,
        items: Sequence[str] | pd.DataFrame | ReadItems,
        known: pd.DataFrame | None = None,
        *,
        wanted: Wanted = ALL,
    ) -> pd.DataFrame:
        """Return what the members say of items, a row for each in their order.

        Args:
            items: as of `Model.predict`.
            known: as of `Model.predict`.
            wanted: what shall be said beside the value.

        Returns:
            For each task its mean over members and, as `{task}_unc`, their standard deviation: of
            probabilities or of values in the task's unit. A class is the one that most members name, the
            first by the alphabet where several are named as often, and its `_unc` the share of members that
            name another. Then, by what the ensemble learned out of fold, `{task}_calibrated`, the probability
            of label 1; of measured values `{task}_low` and `{task}_high`, in the task's unit; of classes
            `{task}_set`, names with `;` between them; and `{task}_error`, which is expected at the similarity
            to training: of values the root mean squared error in their unit, of labels the Brier score, of
            classes the share of wrong ones. Then of the row `nearest` (SMILES of the nearest molecule of
            training), `similarity` (Tanimoto, ECFP4), `domain` (in or out) and `reason`. A known result is
            its own interval.

        Raises:
            RelataskError: the items are of another kind, or `known` names a task that no member predicts.
        """
        table, reasons = as_items(items, self.members[0].trained)  # once for all members
        usable = np.flatnonzero([reason is None for reason in reasons])
        given = self._given(known, len(reasons))
        given = given.iloc[usable].reset_index(drop=True)
        new = NewItems(table)
        said, similarity = self._compared(new, wanted) if len(usable) else ({}, None)
        answers = self._answers(new, given) if len(usable) else []
        columns: dict[str, np.ndarray] = {}
        for task in self.task_ids:
            own = self._of_task(task, answers, given, similarity, wanted) if answers else {}
            columns |= {
                f"{task}{suffix}": own.get(suffix, NOTHING) for suffix in self._suffixes(task, wanted)
            }
        columns |= {name: said.get(name, NOTHING) for name in self._of_rows(wanted)}
        frame = pd.DataFrame({name: _spread_out(own, usable, len(reasons)) for name, own in columns.items()})
        frame[REASON] = pd.Series(reasons, dtype=object)
        if isinstance(items, pd.DataFrame):
            frame.index = items.index
        return frame

    def _answers(self, items: NewItems, given: pd.DataFrame) -> list[pd.DataFrame]:
        """Return what each member says of items, which are read once for all."""
        answers = []
        for member in self.members:
            own = given[[task for task in member.task_ids if task in given]]
            answers.append(member.answers(items, member.known_labels(own, len(items))))
        return answers

    def _given(self, known: pd.DataFrame | None, n_items: int) -> pd.DataFrame:
        """Return known results with a row for each item."""
        if known is None:
            return pd.DataFrame(index=range(n_items))
        require_known(known, n_items, self.task_ids)
        return known.reset_index(drop=True)

    def _compared(self, items: NewItems, wanted: Wanted) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
        """Return the columns of rows, and the similarity of each to training."""
        names = self._of_rows(wanted)
        if not names or self.training is None:
            return {}, None
        items.make([*(name for member in self.members for name in member.trained.record.inputs), ECFP])
        packed = [part.arrays[ECFP]["ecfp4"] for part in items.parts([ECFP])]
        nearest, similarity = self.training.nearest(np.concatenate(packed))
        columns = {NEAREST: nearest, SIMILARITY: similarity}
        if DOMAIN in names and self.calibration is not None and self.calibration.limit is not None:
            columns[DOMAIN] = np.where(similarity >= self.calibration.limit, INSIDE, OUTSIDE).astype(object)
        return columns, similarity

    def _of_task(
        self,
        task: str,
        answers: Sequence[pd.DataFrame],
        given: pd.DataFrame,
        similarity: np.ndarray | None,
        wanted: Wanted,
    ) -> dict[str, np.ndarray]:
        """Return suffix -> what is said of a task."""
        numbers = [n for n, answer in enumerate(answers) if task in answer]
        values, spread = joined([answers[n][task] for n in numbers])
        said = {"": values, SPREAD: spread}
        if self.calibration is not None:
            said |= calibrated(self.calibration, self.tasks[task], values, similarity, wanted)
        if task in given:
            there = given[task].notna().to_numpy()
            for suffix in {CALIBRATED, LOW, HIGH, SET} & said.keys():
                said[suffix] = np.where(there, values, said[suffix])
            if ERROR in said:
                said[ERROR] = np.where(there, 0.0, said[ERROR])
        return {**said, **{f"_{n:03d}": answers[n][task].to_numpy() for n in numbers}}


def _spread_out(values: Any, usable: np.ndarray, n_items: int) -> pd.Series:
    """Return values of usable items as a column with a row for each item."""
    column = np.full(n_items, np.nan, object)
    if len(values):
        column[usable] = values
    return pd.Series(column).infer_objects()


def load_ensemble(folder: Path, device: str = "cpu") -> Ensemble:
    """Load an ensemble.

    Raises:
        RelataskError: ensemble.json or a member is damaged, absent or of a format that is not read.
    """
    path = folder / ENSEMBLE
    content = read_fields(path, format=int, members=list)
    files = content.get("files", {})  # folders of before it had any name none
    if content["format"] != ENSEMBLE_FORMAT:
        raise RelataskError(
            f"{path} has format {content['format']}; load it with another version of relatask."
        )
    members = []
    for entry in content["members"]:
        inside = entry.get("folder") if isinstance(entry, dict) else None
        place = folder / str(inside)
        if not inside or folder.resolve() not in place.resolve().parents:
            raise RelataskError(f"{path} names {inside!r}, which is no part of its folder; do not trust it.")
        if not (place / NAME).is_file() or sha256_of(place / NAME) != entry.get("sha256"):
            raise RelataskError(f"{place} is not the model that {path} names; copy the whole folder anew.")
        members.append(Model(load_model(place, device)))
    if not members:
        raise RelataskError(f"{path} names no model; copy the whole folder anew, or train again.")
    calibration = _calibration(folder, path, files)
    found = Ensemble(folder, members, calibration)
    if calibration is not None:
        _require_kinds(found, calibration)
    return found


def _require_kinds(found: Ensemble, calibration: Calibration) -> None:
    """Refuse a calibration of other tasks.

    Raises:
        RelataskError: it lacks a task of the members, or takes it for one of another kind.
    """
    for task, described in found.tasks.items():
        if task not in calibration.tasks or calibration.tasks[task].kind != described.kind:
            raise RelataskError(
                f"{found.folder / CALIBRATION} does not say of {task!r} what a task of kind {described.kind} "
                "needs; copy the whole folder anew, or train again."
            )


def _calibration(folder: Path, path: Path, files: Any) -> Calibration | None:
    """Return what calibration.json holds, None where ensemble.json names none.

    Raises:
        RelataskError: it is not the file that ensemble.json names.
    """
    if not isinstance(files, dict):
        raise RelataskError(f"{path}: 'files' is no object; copy the whole folder anew.")
    if CALIBRATION not in files:
        return None
    place = folder / CALIBRATION
    if not place.is_file() or sha256_of(place) != files[CALIBRATION]:
        raise RelataskError(f"{place} is not the file that {path} names; copy the whole folder anew.")
    return read_calibration(folder)
