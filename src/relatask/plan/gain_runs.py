"""The runs that gains are collected from: one network for each task set, a pure function of the config."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from relatask.config import GainsConfig, ScaleConfig, StudyConfig, TaskSetsConfig
from relatask.core.errors import RelataskError
from relatask.core.registry import capabilities
from relatask.plan.spec import RunSpec
from relatask.plan.task_sets import TaskSet, all_task_sets, sample_task_sets


def planned_sets(gains: GainsConfig) -> list[TaskSet]:
    """Return the task sets of a collection that are trained in any case, of those that could be."""
    assert gains.task_sets is not None  # by GainsConfig, for gains that are collected here
    sets = candidate_sets(gains.tasks, gains.task_sets)
    if gains.task_sets.select == "active":
        return [tasks for tasks in sets if len(tasks) in {1, len(gains.tasks)}]
    return sets


def candidate_sets(tasks: Sequence[str], chosen: TaskSetsConfig) -> list[TaskSet]:
    """Return the task sets of a collection, each in alphabetical order; strategies choose among them."""
    tasks = sorted(tasks)
    if chosen.count is None:
        return all_task_sets(tasks)
    return sample_task_sets(tasks, chosen.count, chosen.seed, chosen.pairs)


def gain_runs(
    study: StudyConfig, scale: ScaleConfig, dataset: str, first: Mapping[str, RunSpec]
) -> list[tuple[str, str, RunSpec]]:
    """Return (collection, label of its method, run) for every task set that is trained on a data set.

    The runs differ in nothing but tasks and seed from the rows of their method, so their draws are paired;
    those of a task alone are repeated with other random numbers, `single_task_runs` in all.

    Args:
        first: label of a method -> its first run on the data set.

    Raises:
        RelataskError: a method does not learn tasks together, or a seed has no split.
    """
    runs = []
    method_of = {method.label: method for method in study.methods}
    for name, gains in study.grouping.gains.items() if study.grouping else ():
        if gains.dataset != dataset:
            continue
        where = f"grouping.gains.{name}"
        spec = first[str(gains.method)]
        ability = capabilities("methods", spec.method.name)
        combined = method_of[str(gains.method)].is_combined or method_of[str(gains.method)].encoder_from
        if ability.per_task or not ability.uses_encoder or ability.uses_prior or combined:
            raise RelataskError(
                f"{where}.method: {spec.method.name!r} is no single network that learns a task set by "
                "itself; name e.g. a method shared_bottom."
            )
        if absent := sorted(set(gains.seeds) - set(scale.seeds)):
            raise RelataskError(f"{where}.seeds: {absent[0]} is no seed of the scale, so it has no split.")
        start = replace(spec, label=name, split=study.splits.schemes[0])
        sets = planned_sets(gains)
        for seed in gains.seeds:
            own = [replace(start, seed=seed, tasks=tasks) for tasks in sets]
            alone = [spec for spec in own if len(spec.tasks) == 1]
            own += [
                replace(spec, member=member)  # as of an ensemble: other random numbers
                for member in range(1, gains.single_task_runs)
                for spec in alone
            ]
            runs += [(name, str(gains.method), spec) for spec in own]
    return runs
