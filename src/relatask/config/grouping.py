"""Which gains of task sets are collected, how they are estimated, and how groups are chosen by them."""

from collections.abc import Collection, Mapping
from itertools import combinations
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from relatask.config.datasets import DatasetConfig
from relatask.config.published_tasks import TASKS
from relatask.core.blocks import Block, Name, require_known, unique
from relatask.core.errors import RelataskError
from relatask.core.estimators import EstimatorRecord, estimators, those
from relatask.core.records import checked_options, suggest


class TaskSetsConfig(Block):
    """Which task sets are trained: all of them, some drawn once, or those that a strategy asks for."""

    select: Literal["all", "random", "active"] = Field(
        "all",
        description="all: every set, of at most 16 tasks; random: singles, pairs, all tasks and random sets; "
        "active: singles, all tasks, and N sets in each round of a strategy",
    )
    strategy: Name | None = Field(
        None,
        description=f"active: label of the strategy, of {those(lambda record: record.asks)}, that asks for "
        "sets up to its last round",
    )
    count: int | None = Field(
        None,
        ge=1,
        description="random: how many sets, singles and pairs included; a greater one adds sets; active: how "
        "many are drawn so for the strategy to choose from, default: all, of at most 16 tasks",
    )
    pairs: bool = Field(True, description="with count: all pairs are among the sets, as HOA needs them")
    seed: int = Field(0, ge=0, lt=2**31, description="of the draw")

    @model_validator(mode="after")
    def _consistent(self) -> "TaskSetsConfig":
        if self.select != "active" and (self.count is None) == (self.select == "random"):
            raise ValueError("count: give it with select: random, and only then or with select: active")
        if (self.strategy is None) == (self.select == "active"):
            raise ValueError("strategy: give it with select: active, and only then")
        return self


class GainsConfig(Block):
    """A table of gains: collected here on a data set, or by others."""

    published: Literal["taskonomy", "ettm1", "mimic"] | None = Field(
        None, description="gains that the authors of MTG-Net collected; instead of the other keys"
    )
    dataset: Name | None = Field(None, description="a key of `datasets`")
    method: Name | None = Field(
        None, description="label of the method, one network for all tasks, that learns each task set"
    )
    tasks: Annotated[list[str], AfterValidator(unique)] = Field([], description="task ids, 2 or more")
    task_sets: TaskSetsConfig | None = Field(None, description="which sets are trained")
    seeds: Annotated[list[Annotated[int, Field(ge=0, lt=2**31)]], AfterValidator(unique)] = Field(
        [0],
        min_length=1,
        description="each set is trained under the split of each; their gains are averaged",
    )
    single_task_runs: int = Field(
        1,
        ge=1,
        le=1000,
        description="runs of each task alone under each seed, with other random numbers; their mean is the "
        "zero of its gains",
    )

    search: Literal["auto", "exact", "beam"] = Field(
        "auto", description="how groups are chosen; auto: exact up to 64 task sets, else by beam search"
    )

    @property
    def task_ids(self) -> list[str]:
        """The tasks, in the order of the columns of tables."""
        return list(TASKS[self.published]) if self.published else self.tasks

    @property
    def asked_by(self) -> str | None:
        """Label of the strategy that asks for the sets that are trained, where they are not planned."""
        return self.task_sets.strategy if self.task_sets else None

    @model_validator(mode="after")
    def _one_origin(self) -> "GainsConfig":
        own = ("dataset", "method", "tasks", "task_sets")
        given = [key for key in own if getattr(self, key)]
        if self.published is not None and given:
            raise ValueError(f"{given[0]}: published gains are not collected here; remove one of the two")
        if self.published is not None and self.single_task_runs > 1:
            raise ValueError("single_task_runs: published gains are not collected here; remove it")
        if self.published is None and (missing := [key for key in own if key not in given]):
            raise ValueError(f"{missing[0]} is missing; give {', '.join(own)}, or `published`")
        if self.published is None and len(self.tasks) < 2:
            raise ValueError("tasks: a task set needs at least 2 tasks to choose from")
        return self


class StrategyConfig(Block):
    """A row of the grouping tables: how gains are estimated before groups are chosen."""

    label: Name = Field(description="name of the row in tables and figures")
    published: str | None = Field(None, description="what config/published.csv calls the strategy")
    estimator: str = Field(
        description="; ".join(f"{name}: {record.summary}" for name, record in estimators().items()),
        json_schema_extra={"enum": list(estimators())},
    )
    rounds: list[Annotated[int, Field(ge=1)] | Literal["pairs"]] = Field(
        [],
        description=f"{those(lambda record: 'rounds' in record.keys)}: numbers K, of K N + 1 sets to learn "
        "from; pairs: as many as HOA pays for, K = (N - 1) / 2, above which none is tried",
    )
    selection: Literal["active", "random"] = Field(
        "active", description="mtg_net: which sets it learns from; random is the ablation"
    )
    relations: Literal["none", "features", "neighbours"] = Field(
        "none",
        description="mtg_net: the relation graph of the data set as features of pairs of tasks, or "
        "sets of related tasks asked for first",
    )
    options: dict[str, Any] = Field({}, description="mtg_net: settings of the network and of the selection")
    gains: Annotated[list[Name], AfterValidator(unique)] = Field(
        [], description="keys of `gains` that it is tried on; default: all"
    )

    def rounds_for(self, n_tasks: int) -> list[int]:
        """Return the numbers K, ascending: none above what HOA's pairs cost, which is "pairs"."""
        pairs = max(1, (n_tasks - 1) // 2)
        given = [pairs if rounds == "pairs" else rounds for rounds in self.rounds]
        return sorted({rounds for rounds in given if rounds <= pairs})

    @model_validator(mode="after")
    def _consistent(self) -> "StrategyConfig":
        require_known("estimator", self.estimator, "estimator", estimators())
        if bool(self.rounds) != ("rounds" in self.record.keys):
            names = those(lambda record: "rounds" in record.keys)
            raise ValueError(f"rounds: give it with estimator: {names}, and only then")
        for key in ("selection", "relations"):
            default = type(self).model_fields[key].default
            if getattr(self, key) != default and key not in self.record.keys:
                readers = [name for name, record in estimators().items() if key in record.keys]
                raise ValueError(f"{key}: only estimator: {' or '.join(readers)} reads it")
        if self.options and not self.record.options:
            raise ValueError(f"options: only estimator: {those(lambda record: record.options)} reads it")
        try:
            self.complete_options()
        except RelataskError as error:
            raise ValueError(f"options: {error}") from None
        return self

    @property
    def reads_relations(self) -> bool:
        """Whether its estimator reads the relation graph of the data set."""
        return self.relations != "none" or "relations" in self.record.reads

    @property
    def record(self) -> EstimatorRecord:
        """What is known of its estimator."""
        return estimators()[self.estimator]

    def complete_options(self) -> dict[str, Any]:
        """Return all options of the estimator.

        Raises:
            RelataskError: one of those given is unknown or wrong.
        """
        return checked_options(f"estimator {self.estimator!r}", self.record, self.options)


class GroupingConfig(Block):
    """Gains of task sets, their estimates, and the groups chosen by them."""

    gains: dict[Name, GainsConfig] = Field(min_length=1, description="name -> a table of gains")
    strategies: list[StrategyConfig] = Field(min_length=1, description="rows of the grouping tables")
    seeds: Annotated[list[Annotated[int, Field(ge=0, lt=2**31)]], AfterValidator(unique)] = Field(
        [0, 1, 2, 3, 4], min_length=1, description="of strategies that draw: one estimate each"
    )
    budgets: int = Field(
        10, ge=1, description="groups are chosen for 1 to so many, at most one for each task"
    )
    held_out: float = Field(
        0.0,
        ge=0.0,
        lt=1.0,
        description="share of the task sets of 3 tasks or more, but not all, that no strategy may ask for "
        "and on which the estimates of all are judged, drawn for each seed; 0: each is judged on what it did "
        "not train",
    )
    max_group_size: int | None = Field(None, ge=1, description="most tasks in a group")
    max_cost: float | None = Field(
        None, gt=0, description="most that the groups of a choice cost together; random groups pay no heed"
    )
    task_costs: dict[str, Annotated[float, Field(gt=0)]] = Field(
        {}, description="task id -> what it adds to the cost of each group that holds it; default: 1"
    )

    @model_validator(mode="after")
    def _consistent(self) -> "GroupingConfig":
        unique([strategy.label for strategy in self.strategies])
        if self.task_costs and self.max_cost is None:
            raise ValueError("task_costs: only max_cost reads them; give it, too")
        for strategy in self.strategies:
            for name in strategy.gains:
                where = f"strategies.{strategy.label}.gains"
                require_known("table of gains", name, where, self.gains)
                if self.gains[name].asked_by not in {None, strategy.label}:
                    raise ValueError(f"{where}: another strategy asks for the sets of {name!r}; leave it out")
        labels = [strategy.label for strategy in self.strategies]
        for name, gains in self.gains.items():
            if gains.asked_by is not None:
                where = f"gains.{name}.task_sets.strategy"
                require_known("strategy", gains.asked_by, where, labels)
                if not self.strategies[labels.index(gains.asked_by)].record.asks:
                    names = those(lambda record: record.asks)
                    raise ValueError(f"{where}: {gains.asked_by!r} asks for no sets; name an {names}")
        return self

    def strategy(self, label: str) -> StrategyConfig:
        """Return the strategy of a label.

        Raises:
            RelataskError: there is none.
        """
        named = {strategy.label: strategy for strategy in self.strategies}
        if label not in named:
            raise RelataskError(
                f"grouping.strategies: there is no strategy {label!r}.{suggest(label, named)}"
            )
        return named[label]

    def collection(self, name: str) -> GainsConfig:
        """Return a table of gains.

        Raises:
            RelataskError: there is none.
        """
        if name not in self.gains:
            raise RelataskError(
                f"grouping.gains: there is no table of gains {name!r}.{suggest(name, self.gains)}"
            )
        return self.gains[name]

    def strategies_of(self, gains: str) -> list[StrategyConfig]:
        """Return the strategies that are tried on a table of gains, in the order of the study.

        Where a strategy asks for the sets, it alone: the gains of all others stay unknown.
        """
        asks = self.gains[gains].asked_by
        if asks is not None:
            return [strategy for strategy in self.strategies if strategy.label == asks]
        return [strategy for strategy in self.strategies if not strategy.gains or gains in strategy.gains]

    @property
    def twins(self) -> list[tuple[str, str]]:
        """Pairs of tables of gains of the same tasks, e.g. those of others and those collected here."""
        return [
            (one, other)
            for one, other in combinations(self.replayed, 2)
            if set(self.gains[one].task_ids) == set(self.gains[other].task_ids)
        ]

    @property
    def replayed(self) -> list[str]:
        """Tables of gains of which every set was trained, so that strategies can be judged by them."""
        return [name for name, gains in self.gains.items() if gains.asked_by is None]

    def check(self, datasets: Mapping[str, DatasetConfig], labels: Collection[str]) -> None:
        """Refuse what the study does not have: data sets, methods, affinities, relations."""
        own = {name: gains for name, gains in self.gains.items() if gains.published is None}
        seen: list[tuple[str | None, str | None, int]] = []
        for name, gains in own.items():
            where = f"grouping.gains.{name}"
            require_known("data set", str(gains.dataset), f"{where}.dataset", datasets)
            require_known("method", str(gains.method), f"{where}.method", labels)
            own_runs = [(gains.dataset, gains.method, seed) for seed in gains.seeds]
            if set(own_runs) & set(seen):
                raise ValueError(f"{where}: another has its data set, method and seed; join them")
            seen += own_runs
        for name, gains in self.gains.items():
            related = name in own and datasets[str(gains.dataset)].relations is not None
            for strategy in self.strategies_of(name):
                where = f"grouping.strategies.{strategy.label}"
                if strategy.reads_relations and not related:
                    raise ValueError(f"{where}.relations: {name!r} has no relation graph; see its `gains`")
