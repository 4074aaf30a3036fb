"""The plan: every run of a study and the shards that execute them, a pure function of the config.

Snakemake computes it while parsing, so nothing here imports torch, pandas or looks at data.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import cast

from relatask.config import (
    EpisodesConfig,
    MethodConfig,
    OwnSettings,
    ScaleConfig,
    StudyConfig,
    TrainingConfig,
    parse,
)
from relatask.core.errors import RelataskError
from relatask.core.registry import capabilities, complete_options
from relatask.core.search_space import Space
from relatask.plan.cost import predicted_minutes
from relatask.plan.gain_runs import gain_runs
from relatask.plan.group_rows import groups_by_seed
from relatask.plan.inputs import inputs_of_row
from relatask.plan.refusals import refuse, refuse_run, refuse_start
from relatask.plan.search import searched_rows, searches_of, with_search
from relatask.plan.spec import TWIN, ChosenGroups, Component, Episodes, RunSpec, Tasks
from relatask.plan.weights import weights_of


@dataclass(frozen=True)
class PlannedRun:
    """A run with what it is predicted to cost on one core, times the factor that the config gives."""

    spec: RunSpec
    minutes: float
    factor: float = 1.0
    collection: str | None = None  # the gains it is trained for, None for rows of the tables
    depth: int = 0  # number of runs that must be finished one after the other before it starts


@dataclass(frozen=True)
class Shard:
    """Runs of one data set that one job executes in one process."""

    index: int
    dataset: str
    runs: tuple[PlannedRun, ...]

    @property
    def name(self) -> str:
        """Name of the shard's manifest."""
        return f"{self.index:05d}"

    @property
    def minutes(self) -> float:
        """Predicted minutes on one core."""
        return sum(run.minutes for run in self.runs)

    @property
    def collection(self) -> str | None:
        """The gains that its runs are trained for."""
        return self.runs[0].collection

    @property
    def groups(self) -> str | None:
        """The gains by which the groups of its runs are chosen."""
        groups = self.runs[0].spec.groups
        return groups["gains"] if groups else None


def _first_run(study: StudyConfig, scale: ScaleConfig, method: MethodConfig, name: str) -> RunSpec:
    """The run of a method on a data set under the first split and seed, without its prior."""
    ability = capabilities("methods", method.method)
    own = scale.settings.get(name, {}).get(method.method, OwnSettings())
    chosen = study.training.model_dump() | scale.training | scale.datasets.get(name, {})
    chosen |= own.training | method.training
    training = parse(TrainingConfig, chosen, f"methods.{method.label}.training").model_dump()
    encoder = None
    if method.encoder is not None:
        given = {**scale.encoders.get(method.encoder, {}), **method.encoder_options}
        encoder = Component(method.encoder, complete_options("encoders", method.encoder, given))
    options = complete_options(
        "methods", method.method, {**scale.methods.get(method.method, {}), **own.options, **method.options}
    )
    balancing = complete_options("balancing", method.balancing, method.balancing_options)
    episodes = study.datasets[name].episodes or EpisodesConfig()
    return RunSpec(
        dataset=name,
        method=Component(method.method, options),
        encoder=encoder,
        balancing=Component(method.balancing, balancing),
        training=training if ability.uses_encoder else {},
        split=study.splits.schemes[0],
        seed=scale.seeds[0],
        label=method.label,
        graph=method.graph,
        ensemble=method.ensemble,
        averaged=method.average_logits,
        cross_fit=method.cross_fit,
        episodes=cast(Episodes, episodes.model_dump()) if study.few_shot else None,
        weights=weights_of(method, study.datasets[name]),
        inputs=inputs_of_row(method),
        restart=TWIN if method.twin_of else 0,
    )


def _runs_of(
    row: MethodConfig,
    first: Mapping[str, RunSpec],
    groups: Mapping[int, ChosenGroups],
    parts: Sequence[Tasks],
    spaces: Mapping[str, Space],
    study: StudyConfig,
    scale: ScaleConfig,
) -> Iterator[RunSpec]:
    """Yield a row's runs: they differ from its `first` in split, seed, restart, tasks, and in what they read.

    A restart reads what the same restarts of other rows trained.
    """
    row_of = {method.label: method for method in study.methods}
    restarts = range(_n_restarts(first[row.label], scale))
    for split, seed, number in product(study.splits.schemes, scale.seeds, restarts):
        under = partial(with_search, split=split, seed=seed, spaces=spaces, study=study, scale=scale)

        def run_of(label: str, number: int = number, under: Callable[[RunSpec], RunSpec] = under) -> RunSpec:
            named = row_of[label].prior, row_of[label].encoder_from
            prior, start = (run_of(other).run_id if other else None for other in named)
            restart = first[label].restart + number % _n_restarts(first[label], scale)
            return replace(under(first[label]), restart=restart, prior=prior, encoder_from=start)

        run = replace(run_of(row.label), groups=groups.get(seed))
        for tasks in parts:
            yield replace(run, tasks=tasks)


def _n_restarts(first: RunSpec, scale: ScaleConfig) -> int:
    """Return how often a row is trained on a split: once where it draws no random numbers."""
    return scale.restarts if capabilities("methods", first.method.name).random else 1


def _depths(study: StudyConfig) -> dict[str, int]:
    """Return label -> number of rows that are trained one after the other before a row is.

    Raises:
        RelataskError: a row waits for itself.
    """
    row_of = {method.label: method for method in study.methods}

    def depth(label: str, waiting: tuple[str, ...]) -> int:
        if label in waiting:
            raise RelataskError(
                f"methods.{label}: the row waits for itself, by `prior` or `encoder_from` of "
                f"{' and '.join(waiting)}; name other rows."
            )
        return max((1 + depth(other, (*waiting, label)) for other in row_of[label].waits_for), default=0)

    return {label: depth(label, ()) for label in row_of}


def _check_scale(scale: ScaleConfig, where: str) -> None:
    """Refuse names and options that no run would read, so that a typo is not passed over."""
    for kind, given in (("encoders", scale.encoders), ("methods", scale.methods)):
        for name, options in given.items():
            try:
                complete_options(kind, name, options)
            except RelataskError as error:
                raise RelataskError(f"{where}.{kind}: {error}") from None
    parse(TrainingConfig, scale.training, f"{where}.training")
    for name, training in scale.datasets.items():
        parse(TrainingConfig, training, f"{where}.datasets.{name}")
    for name, methods in scale.settings.items():
        for method, own in methods.items():
            place = f"{where}.settings.{name}.{method}"
            try:
                complete_options("methods", method, scale.methods.get(method, {}) | own.options)
            except RelataskError as error:
                raise RelataskError(f"{place}: {error}") from None
            parse(TrainingConfig, own.training, f"{place}.training")


def plan_runs(study: StudyConfig, scale_name: str) -> list[PlannedRun]:
    """Return every run of the study at a scale, data set by data set; those that read others come last.

    Raises:
        RelataskError: a method, encoder or option is unknown, or a combination makes no sense.
    """
    for each, entry in study.scales.items():
        _check_scale(entry, f"scales.{each}")
    scale = study.scales[scale_name]  # type: ignore[index]
    spaces, depths = searched_rows(study, scale), _depths(study)
    runs = []
    for name, dataset in study.datasets.items():
        first: dict[str, RunSpec] = {}
        cost: dict[str, tuple[float, float]] = {}
        for method in sorted(study.methods, key=lambda method: depths[method.label]):
            refuse(method, name, dataset, study)
            parts: Sequence[Tasks] = ["all"]
            if method.parts > 1:
                parts = [{"part": part, "of": method.parts} for part in range(method.parts)]
            first[method.label] = _first_run(study, scale, method, name)
            refuse_run(first[method.label], study)
            factor = dataset.cost_factors.get(method.label, 1.0)
            groups: dict[int, ChosenGroups] = {}
            if method.groups:
                groups = groups_by_seed(method.groups, f"methods.{method.label}", name, study, scale)
            any_group = next(iter(groups.values()), None)
            spec = replace(first[method.label], groups=any_group)
            minutes = factor * predicted_minutes(spec, dataset.size, len(parts))
            if method.prior:
                minutes += method.cross_fit * cost[method.prior][0]
            if method.encoder_from:
                refuse_start(method, name, first, study)
            specs = _runs_of(method, first, groups, parts, spaces, study, scale)
            runs += [PlannedRun(spec, minutes, factor, None, depths[method.label]) for spec in specs]
            cost[method.label] = (minutes, factor)
        for collection, label, spec in gain_runs(study, scale, name, first):
            runs.append(PlannedRun(spec, *cost[label], collection))
    if len({run.spec.run_id for run in runs}) < len(runs):
        raise RelataskError(
            "two methods of the study are the same in everything but their label; remove one."
        )
    return runs


def planned_minutes(runs: Sequence[PlannedRun], study: StudyConfig) -> float:
    """Return what runs are predicted to take on one core, with the trials of searches that they wait for."""
    searches = searches_of((run.spec for run in runs), study)
    return sum(run.minutes for run in runs) + sum(search.minutes for search in searches.values())


def make_shards(runs: Sequence[PlannedRun], shard_minutes: float, max_shards: int) -> list[Shard]:
    """Pack runs of one data set, in order, into shards of about `shard_minutes`.

    Runs that wait for others share no shard with these, so that no two shards wait for each other. Where
    there would be more than `max_shards`, because Snakemake grows slow on thousands of jobs, shards become
    as long as that many need; but each data set has one at least.
    """
    shards = _pack(runs, shard_minutes)
    total = sum(run.minutes for run in runs)
    while len(shards) > max_shards and shard_minutes < total:
        shard_minutes = max(1.1 * shard_minutes, total / max_shards)
        shards = _pack(runs, shard_minutes)
    return shards


def _together(run: PlannedRun) -> tuple[str, int, str | None, str | None]:
    """What runs must have in common to share a shard: what waits for them, and what they wait for."""
    groups = run.spec.groups["gains"] if run.spec.groups else None
    return run.spec.dataset, run.depth, run.collection, groups


def _pack(runs: Sequence[PlannedRun], shard_minutes: float) -> list[Shard]:
    shards: list[Shard] = []
    current: list[PlannedRun] = []
    minutes = 0.0
    for run in runs:
        full = minutes + run.minutes > shard_minutes
        if current and (full or _together(run) != _together(current[0])):
            shards.append(Shard(len(shards), current[0].spec.dataset, tuple(current)))
            current, minutes = [], 0.0
        current.append(run)
        minutes += run.minutes
    if current:
        shards.append(Shard(len(shards), current[0].spec.dataset, tuple(current)))
    return shards
