"""A run: one training of one method on one split with one seed, frozen and named by its content."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypedDict

from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json
from relatask.core.registry import capabilities


class TaskPart(TypedDict):
    """Every `of`-th task, or training item, from the one at position `part` on; 0 <= part < of."""

    part: int
    of: int


class ChosenGroups(TypedDict):
    """Which choice of groups in table "groups" the tasks of a run are learned in."""

    gains: str
    strategy: str
    rounds: int | None
    budget: int
    seed: int


class Search(TypedDict):
    """The search that chooses settings of a run, on the validation fold of one split and seed."""

    split: str
    seed: int  # of the split
    trials: int
    sampler: str  # a key of shards.search.SAMPLERS
    draws: int  # seed of the sampler
    space: dict[str, dict[str, Any]]  # setting as in a study file -> core.search_space


class Episodes(TypedDict):
    """Few-shot episodes of images with one class each: config.EpisodesConfig."""

    ways: int
    shots: int
    queries: int
    evaluated: int


Tasks = Literal["all"] | TaskPart | tuple[str, ...]  # a tuple holds task ids
# Settings of `training` that do not enter a run's seeds while they have these values.
WITHOUT_DRAWS = {"schedule": "constant", "augmentation": "none"}
# Fields that were not there from the start: a run where they say nothing has the name that it ever had.
LATER = (
    "weights",
    "inputs",
    "search",
    "trial",
    "averaged",
    "cross_fit",
    "encoder_from",
    "left_out",
    "restart",
)

# Key of a row of a study -> field of a run.
SETTINGS = {
    "options": "method",
    "encoder_options": "encoder",
    "balancing_options": "balancing",
    "training": "training",
}


@dataclass(frozen=True)
class Component:
    """A method, an encoder or a balancing strategy: the name of its file, and all of its options."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)

    def with_options(self, **changes: Any) -> "Component":
        """Return the component with other values of some options."""
        return replace(self, options={**self.options, **changes})


TWIN = 1_000_000  # added to the restarts of a twin, so that it shares none with its row
EQUAL = Component("equal")  # the balancing that takes the mean over tasks


@dataclass(frozen=True)
class RunSpec:
    """Everything that decides a run's result, given data and code."""

    dataset: str
    method: Component
    encoder: Component | None  # None: the method trains no network
    split: str  # scheme; the file is splits/{split}-{seed}.parquet
    seed: int  # drives the split, the initialisation and the order of batches
    balancing: Component = EQUAL
    training: dict[str, Any] = field(default_factory=dict)  # config.TrainingConfig; empty without a network
    tasks: Tasks = "all"
    label: str = ""  # row of the tables
    graph: str = "true"  # "none", or "shuffled", "shuffled_7": with the degrees of the true relation graph
    prior: str | None = None  # run_id of the run whose predictions this one starts from
    groups: ChosenGroups | None = None  # of rows that learn each task in its group, see shards/combined
    ensemble: int = 1  # number of members whose probabilities are averaged
    member: int = 0  # of an ensemble: another initialisation, order of batches and dropout
    episodes: Episodes | None = None
    weights: dict[str, Any] | None = None  # config.WeightsConfig: keys that say something
    inputs: tuple[str, ...] = ()  # files of relatask.inputs; empty: what the encoder, or method, reads
    search: Search | None = None  # what chooses settings; those of method, encoder, ... are the start
    trial: bool = False  # of a search: predicts validation alone, keeps no model
    averaged: bool = False  # the mean of the logits of this network and of the prior, which it does not read
    cross_fit: int = 0  # number of runs like the prior that predict training items, see shards/left_out.py
    left_out: TaskPart | None = None  # of such a run: which part of the training items it does not see
    encoder_from: str | None = None  # run_id of the run whose trained encoder this one's starts from
    restart: int = 0  # of a row on a split: other random numbers, and all else the same

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, which `from_json` reads."""
        values = dict(vars(self))  # not asdict: its deep copies cost a second for 10,000 runs
        for name in ("method", "encoder", "balancing"):
            component = values[name]
            values[name] = None if component is None else dict(vars(component))
        for name in LATER:
            if not values[name]:
                del values[name]
        return values

    def canonical(self) -> str:
        """The spec as canonical JSON. The label is left out: renaming a row must not retrain it."""
        values = self.as_dict()
        del values["label"]
        return canonical_json(values)

    @property
    def run_id(self) -> str:
        """Twelve hex digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()[:12]

    @property
    def names(self) -> tuple[str, str | None, str, tuple[str, ...]]:
        """Names of the method, the encoder (None: it has none), the balancing and the inputs: its code."""
        encoder = self.encoder.name if self.encoder else None
        return self.method.name, encoder, self.balancing.name, self.inputs

    @property
    def waits_for(self) -> tuple[str, ...]:
        """run_id of the runs whose models this one reads."""
        return tuple(run_id for run_id in (self.prior, self.encoder_from) if run_id)

    def with_settings(self, settings: Mapping[str, Any]) -> "RunSpec":
        """Return the run with other values of settings, which are named as in a study file.

        Args:
            settings: e.g. {"encoder_options.width": 64, "training.learning_rate": 0.01}.
        """
        changed: dict[str, Any] = {}
        for name, value in settings.items():
            part, _, key = name.partition(".")
            own = SETTINGS[part]
            held = changed.get(own, getattr(self, own))
            is_component = isinstance(held, Component)
            changed[own] = held.with_options(**{key: value}) if is_component else {**held, key: value}
        return replace(self, **changed)

    def as_trial(self, settings: Mapping[str, Any]) -> "RunSpec":
        """Return the trial of settings in the search of this run.

        It is one model of all tasks, also where the run is a part of its row, an ensemble, averaged with its
        prior, or made of groups.
        Its name has nothing of the search, so a search with more trials finds those of a shorter one.
        """
        alone = self.without_prior() if self.averaged else self
        whole = replace(alone, tasks="all", groups=None, ensemble=1, member=0, search=None, trial=True)
        return whole.with_settings(settings)

    def without_prior(self) -> "RunSpec":
        """Return the run of an averaged row's own network."""
        return replace(self, prior=None, averaged=False)

    def setting(self, name: str) -> Any:
        """Return the value of a setting that is named as in a study file, e.g. "options.layers"."""
        part, _, key = name.partition(".")
        held = getattr(self, SETTINGS[part])
        return (held.options if isinstance(held, Component) else held)[key]

    def required_encoder(self) -> Component:
        """Return the encoder of a run that trains a network.

        Raises:
            RelataskError: the run has none.
        """
        if self.encoder is None:
            raise RelataskError(
                f"{self.label or self.method.name}: method {self.method.name!r} needs an encoder; add e.g. "
                "`encoder: gin`."
            )
        return self.encoder

    def seeded_by(self) -> dict[str, Any]:
        """Return what decides the random draws of a run; runs that agree in it draw the same numbers.

        Tasks, balancing, weights, graph, prior, groups, search and the size of an ensemble are not in it:
        runs that differ only in these start from the same draws. So a trial and the run of its settings have
        the same numbers, runs can be compared in pairs, and cutting independent tasks into parts changes
        nothing. For the same reason options of few-shot methods are not in it: an encoder with and one
        without layers over its episodes start from the same weights. A schedule or an augmentation is in it
        only if it is not the default, and an option that its method lists in `draws_alike` is not in it.
        """
        draws = {
            "dataset": self.dataset,
            "split": self.split,
            "seed": self.seed,
            "method": self.method.name,
            "encoder": self.encoder.name if self.encoder else None,
            "encoder_options": self.encoder.options if self.encoder else {},
            "training": {
                name: value
                for name, value in self.training.items()
                if (name, value) not in WITHOUT_DRAWS.items()
            },
            "balancing": "equal",  # of every run, so that balanced runs draw as the plain one does
        }
        if self.episodes is None:
            alike = capabilities("methods", self.method.name).draws_alike
            shared = {name: value for name, value in alike.items() if value is not None}
            own = {name: value for name, value in self.method.options.items() if name not in alike}
            draws["options"] = own | shared
        if self.member:
            draws["member"] = self.member  # the first member is the run that is no ensemble
        if self.restart:
            draws["restart"] = self.restart
        return draws

    def random_seed(self, *names: str | int) -> int:
        """A 63-bit seed for one purpose, e.g. ``spec.random_seed("epoch", 3)``, see `seeded_by`."""
        return _seed([self.seeded_by(), *names])

    def data_seed(self, *names: str | int) -> int:
        """A 63-bit seed of what belongs to data, split and seed alone, the same for every method on them."""
        return _seed([self.dataset, self.split, self.seed, *names])

    def select(self, task_ids: list[str]) -> list[str]:
        """The tasks of this run, in the data set's order, given all of the data set's."""
        if self.tasks == "all":
            return task_ids
        if isinstance(self.tasks, dict):
            return task_ids[self.tasks["part"] :: self.tasks["of"]]
        wanted = set(self.tasks)
        return [task for task in task_ids if task in wanted]

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "RunSpec":
        """Rebuild a spec from `as_dict` or canonical JSON.

        Raises:
            TypeError: a field is unknown or absent.
        """
        own = dict(values)
        for name in ("method", "encoder", "balancing"):
            if own.get(name) is not None:
                own[name] = Component(**own[name])
        for name in ("tasks", "inputs"):
            if isinstance(own.get(name), list):
                own[name] = tuple(own[name])
        return cls(**own)


def _seed(values: list[Any]) -> int:
    """Return the first 63 bits of the SHA-256 of the canonical JSON of `values`."""
    return int.from_bytes(hashlib.sha256(canonical_json(values).encode()).digest()[:8]) >> 1
