"""Which runs of a shard are trained in one pass: some at a time of those that differ in their tasks alone."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import torch

from relatask.core.errors import RelataskError
from relatask.core.registry import capabilities, load_loop
from relatask.data.prepared import PreparedDataset
from relatask.data.splits import FOLDS
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.cost import Meter
from relatask.engine.epochs import fit_all
from relatask.engine.kinds import tasks_of
from relatask.engine.problem import Problem, TrainingResult, problems_of
from relatask.plan.spec import RunSpec


def runs_at_once(spec: RunSpec, device: torch.device) -> int:
    """Return how many runs like this one are trained in one pass; 0 where the loop is faster, or has to."""
    stacks = capabilities("methods", spec.method.name).stacks
    if not stacks or not capabilities("balancing", spec.balancing.name).stacks:
        return 0
    if not isinstance(spec.tasks, tuple) or spec.encoder_from:
        return 0
    encoder = spec.required_encoder()
    width = capabilities("encoders", encoder.name).side_by_side.get(device.type, 0)
    return -(-width // encoder.options["width"])


class SideBySide:
    """The first run of a pass that is asked for trains them all; the others' results wait until asked for.

    Args:
        specs: the runs of a shard.
        device: that trains them.
    """

    def __init__(self, specs: Sequence[RunSpec], device: torch.device):
        self.device = device
        self.waiting = {spec.run_id: spec for spec in specs}
        self.specs = [spec for spec in specs if runs_at_once(spec, device) > 1]
        self.groups: dict[str, list[Problem]] = {}  # run -> all that could be trained with it, and itself
        self.trained: dict[str, TrainingResult | RelataskError] = {}
        self.meter = Meter(device)  # of the last pass
        self.seconds = 0.0  # of that pass, the share of each of its runs

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
        report: Callable[[float, str, int], None],
        checkpoint_of: Callable[[Sequence[RunSpec]], Checkpoint],
    ) -> TrainingResult | None:
        """Return what comes of a run; None where the loop shall train it.

        Args:
            spec: the run.
            data: what it reads, under its split.
            is_new: whether another run is to be trained as well.
            report: gets the share of the pass that is done, where it is, and how many runs it has.
            checkpoint_of: returns the checkpoint of a pass of some runs.

        Raises:
            RelataskError: the run diverged.
        """
        if spec.run_id not in self.trained:
            problems = self._problems_with(spec, data, is_new)
            if len(problems) < 2:
                return None
            self._train(problems, report, checkpoint_of([problem.spec for problem in problems]))
        self.meter.start = time.perf_counter() - self.seconds
        found = self.trained.pop(spec.run_id)
        if isinstance(found, RelataskError):
            raise found
        return found

    def _train(
        self, problems: Sequence[Problem], report: Callable[[float, str, int], None], checkpoint: Checkpoint
    ) -> None:
        """Train problems in one pass, from its checkpoint if there is one, and keep what comes of each."""
        self.meter = Meter(self.device)
        training = load_loop(problems[0].spec.method.name).Training(*problems)
        results = fit_all(training, checkpoint, lambda share, text: report(share, text, len(problems)))
        seconds = checkpoint.seconds + time.perf_counter() - self.meter.start
        self.seconds = seconds / len(problems)
        self.trained = {problem.spec.run_id: one for problem, one in zip(problems, results, strict=True)}
        checkpoint.delete()

    def _problems_with(
        self, spec: RunSpec, data: PreparedDataset, is_new: Callable[[RunSpec], bool]
    ) -> list[Problem]:
        """Return the problem of a run and those of runs after it that go with it."""
        at_once = runs_at_once(spec, self.device)
        if at_once < 2:
            return []
        if spec.run_id not in self.groups:
            shape = _shape(spec)
            for group in _grouped([other for other in self.specs if _shape(other) == shape], data):
                self.groups |= {problem.spec.run_id: group for problem in group}
        group = self.groups.get(spec.run_id, [])
        start = next((place for place, problem in enumerate(group) if problem.spec.run_id == spec.run_id), 0)
        others = (problem for problem in group[start + 1 :] if is_new(problem.spec))
        return [*group[start : start + 1], *islice(others, at_once - 1)]


def _shape(spec: RunSpec) -> str:
    """All of a run but its task set."""
    return replace(spec, tasks="all").canonical()


def _grouped(specs: Sequence[RunSpec], data: PreparedDataset) -> Iterator[list[Problem]]:
    """Yield groups of problems whose tasks have labels of the same items, of which some are for training."""
    groups: dict[tuple[bytes, ...], list[Problem]] = {}
    for spec in specs:
        if not spec.select(data.task_ids):
            continue  # the loop says what is wrong, and so it does of kinds that are not learned
        (problem,) = problems_of(spec, data, per_task=False)
        learned = capabilities("methods", spec.method.name).kinds
        if all(task.kind in learned for task in tasks_of(problem)):
            rows = [problem.rows(fold).cpu().numpy().tobytes() for fold in FOLDS]
            groups.setdefault(tuple(rows), []).append(problem)
    return (group for rows, group in groups.items() if rows[FOLDS.index("train")])
