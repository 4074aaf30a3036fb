"""Which runs of a shard are trained in one pass: some at a time of those that differ in their tasks alone."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import torch

from relatask.core.errors import RelataskError
from relatask.data.prepared import PreparedDataset
from relatask.data.splits import FOLDS
from relatask.engine.cost import Meter
from relatask.engine.stacked import runs_at_once, train_batch
from relatask.engine.unit import Unit, UnitResult, units_of
from relatask.plan.spec import RunSpec


class SideBySide:
    """The first run of a batch that is asked for trains them all; the others' results wait until asked for.

    Args:
        specs: the runs of a shard.
        device: that trains them.
    """

    def __init__(self, specs: Sequence[RunSpec], device: torch.device):
        self.device, self.waiting = device, {spec.run_id: spec for spec in specs}
        self.specs = [spec for spec in specs if runs_at_once(spec, device) > 1]
        self.groups: dict[str, list[Unit]] = {}  # run -> all that could be trained with it, and itself
        self.trained: dict[str, UnitResult | RelataskError] = {}
        self.meter, self.seconds = Meter(device), 0.0  # of the last batch, and the share of each of its runs

    def in_order(self) -> Iterator[RunSpec]:
        """Yield the runs as they were given, but right after a run those that were trained with it."""
        while self.waiting:
            together = (run_id for run_id in self.trained if run_id in self.waiting)
            yield self.waiting.pop(next(together, next(iter(self.waiting))))

    def result(
        self,
        spec: RunSpec,
        data: PreparedDataset,
        is_new: Callable[[RunSpec], bool],
        told: Callable[[float, str, int], None],
    ) -> UnitResult | None:
        """Return what comes of a run; None where the loop shall train it.

        Args:
            spec: the run.
            data: what it reads, under its split.
            is_new: whether another run is to be trained as well.
            told: is told the share of the batch that is done, where it is, and how many runs it has.

        Raises:
            RelataskError: the run diverged.
        """
        if spec.run_id not in self.trained:
            units = self._units_with(spec, data, is_new)
            if len(units) < 2:
                return None
            self.meter = Meter(self.device)
            results = train_batch(units, lambda share, text: told(share, text, len(units)))
            self.seconds = (time.perf_counter() - self.meter.start) / len(units)
            self.trained = {unit.spec.run_id: one for unit, one in zip(units, results, strict=True)}
        self.meter.start = time.perf_counter() - self.seconds
        found = self.trained.pop(spec.run_id)
        if isinstance(found, RelataskError):
            raise found
        return found

    def _units_with(
        self, spec: RunSpec, data: PreparedDataset, is_new: Callable[[RunSpec], bool]
    ) -> list[Unit]:
        """Return the unit of a run and those of runs after it that go with it."""
        at_once = runs_at_once(spec, self.device)
        if at_once < 2:
            return []
        if spec.run_id not in self.groups:
            shape = _shape(spec)
            for group in _grouped([other for other in self.specs if _shape(other) == shape], data):
                self.groups |= {unit.spec.run_id: group for unit in group}
        group = self.groups.get(spec.run_id, [])
        start = next((place for place, unit in enumerate(group) if unit.spec.run_id == spec.run_id), 0)
        others = (unit for unit in group[start + 1 :] if is_new(unit.spec))
        return [*group[start : start + 1], *islice(others, at_once - 1)]


def _shape(spec: RunSpec) -> str:
    """All of a run but its task set."""
    return replace(spec, tasks="all").canonical()


def _grouped(specs: Sequence[RunSpec], data: PreparedDataset) -> Iterator[list[Unit]]:
    """Yield groups of units whose tasks have labels of the same items, of which some are for training."""
    groups: dict[tuple[bytes, ...], list[Unit]] = {}
    for spec in specs:
        if spec.select(data.task_ids):  # else the loop says what is wrong
            (unit,) = units_of(spec, data, per_task=False)
            rows = [unit.rows(fold).cpu().numpy().tobytes() for fold in FOLDS]
            groups.setdefault(tuple(rows), []).append(unit)
    return (group for rows, group in groups.items() if rows[FOLDS.index("train")])
