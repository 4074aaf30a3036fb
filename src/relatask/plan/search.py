"""Which rows of a study are searched, over which settings, and what their trials cost; pure Python."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from relatask.config import MethodConfig, ScaleConfig, StudyConfig, TrainingConfig, parse
from relatask.config.search import TRAINING_SPACE
from relatask.core.errors import RelataskError
from relatask.core.records import suggest
from relatask.core.registry import capabilities
from relatask.core.search_space import Space, checked_range, checked_space, mean_of
from relatask.plan.cost import predicted_minutes
from relatask.plan.spec import RunSpec, Search

Key = tuple[str, str, str, int]  # data set, label, split, seed


@dataclass(frozen=True)
class PlannedSearch:
    """The trials of a row on the validation fold of one split and seed, and what they cost on one core."""

    spec: RunSpec  # a run of the row under that split and seed
    minutes: float

    @property
    def trials(self) -> int:
        """How many there are."""
        assert self.spec.search is not None
        return self.spec.search["trials"]


def key_of(spec: RunSpec) -> Key:
    """Return what names the search of a run."""
    assert spec.search is not None
    return spec.dataset, spec.label, spec.search["split"], spec.search["seed"]


def space_of(row: MethodConfig, scale: ScaleConfig) -> Space:
    """Return setting -> which values of it a search of a row may choose, named as in a study file.

    What the files of method, encoder and balancing state, and of networks the settings of training. Left out
    are what the row itself sets, the shape of weights that it starts from, and what the scale sets and time
    depends on, as a scale says how much is spent. What the row's `search` says comes last.

    Raises:
        RelataskError: its `search` names no setting of the row, or values that it cannot have.
    """
    if row.search is False:
        return {}
    names: Mapping[str, tuple[str, str | None]] = {
        "options": ("methods", row.method),
        "encoder_options": ("encoders", row.encoder),
        "balancing_options": ("balancing", row.balancing),
    }
    given = {part: _of_part(part, row) for part in (*names, "training")}
    found: Space = {}
    for part, (kind, name) in names.items():
        where = f"methods.{row.label}.search: {part}"
        if name is None and given[part]:
            raise RelataskError(f"{where}: the row has no encoder; remove it.")
        if name is None:
            continue
        ability = capabilities(kind, name)
        of_scale = {"methods": scale.methods, "encoders": scale.encoders}.get(kind, {}).get(name, {})
        own = getattr(row, part)
        shape = {*ability.cost_options} if any(own.get(key) for key in ability.initial) else set()
        fixed = {*own} | shape | ({*of_scale} & {*ability.cost_options, *ability.copies})
        stated = {key: value for key, value in ability.space.items() if key not in fixed}
        found |= _named(part, stated | checked_space(where, ability, given[part]))
    if capabilities("methods", row.method).uses_encoder:
        stated = {key: value for key, value in TRAINING_SPACE.items() if key not in row.training}
        found |= _named("training", stated | _checked_training(row.label, given["training"]))
    elif given["training"]:
        raise RelataskError(
            f"methods.{row.label}.search: method {row.method!r} trains no network; remove what it says of "
            "training."
        )
    return found


def _of_part(part: str, row: MethodConfig) -> dict[str, dict[str, Any]]:
    """Return what the `search` of a row says of one of its parts, e.g. of "encoder_options"."""
    named = (row.search or {}).items()
    return {
        name.removeprefix(f"{part}."): one.plain() for name, one in named if name.partition(".")[0] == part
    }


def _named(part: str, space: Mapping[str, Any]) -> Space:
    return {f"{part}.{key}": value for key, value in space.items()}


def _checked_training(label: str, given: Mapping[str, Any]) -> Space:
    """Return ranges of settings of training after refusing what there is not, and values out of bounds."""
    found, known = {}, TrainingConfig.model_fields
    for name, allowed in given.items():
        where = f"methods.{label}.search: training.{name}"
        if name not in known:
            raise RelataskError(f"{where}: there is no such setting.{suggest(name, known)}")

        def value_of(value: Any, name: str = name, where: str = where) -> Any:
            return getattr(parse(TrainingConfig, {name: value}, where), name)

        found[name] = checked_range(where, allowed, value_of)
    return found


def searched_rows(study: StudyConfig, scale: ScaleConfig) -> dict[str, Space]:
    """Return label -> space of the rows that a study searches; none where it has no `search`.

    Raises:
        RelataskError: it has, and no row has anything to choose; or as `space_of`.
    """
    if study.search is None:
        return {}
    found = {row.label: space for row in study.methods if (space := space_of(row, scale))}
    if not found:
        raise RelataskError(
            "search: no row has a setting to choose: their methods state no `space`; name settings in the "
            "`search` of a row, or remove `search`."
        )
    return found


def search_keys(study: StudyConfig, scale_name: str) -> list[Key]:
    """Return the searches of a study at a scale, in its order; none where it has no `search`."""
    if study.search is None:
        return []
    scale = study.scales[scale_name]  # type: ignore[index]
    rows = searched_rows(study, scale)
    pairs = [(split, seed) for split in study.splits.schemes for seed in scale.seeds]
    if study.search.validation == "first":
        pairs = pairs[:1]
    return [(dataset, label, *pair) for dataset in study.datasets for label in rows for pair in pairs]


def with_search(
    spec: RunSpec, split: str, seed: int, spaces: Mapping[str, Space], study: StudyConfig, scale: ScaleConfig
) -> RunSpec:
    """Return a run under a split and a seed, with the search that decides for it if its row has one.

    Args:
        spec: the run under any split and seed.
        split: its split.
        seed: its seed.
        spaces: as `searched_rows` returns.
        study: the study.
        scale: one of its scales.
    """
    under = replace(spec, split=split, seed=seed)
    if study.search is None or spec.label not in spaces:
        return under
    first = study.search.validation == "first"
    search: Search = {
        "split": study.splits.schemes[0] if first else split,
        "seed": scale.seeds[0] if first else seed,
        "trials": study.search.trials,
        "sampler": study.search.sampler,
        "draws": study.search.seed,
        "space": spaces[spec.label],
    }
    return replace(under, search=search)


def searches_of(specs: Iterable[RunSpec], study: StudyConfig) -> dict[Key, PlannedSearch]:
    """Return the searches that planned runs wait for, in the order of these."""
    found: dict[Key, PlannedSearch] = {}
    for spec in specs:
        if spec.search is None or (key := key_of(spec)) in found:
            continue
        if (spec.split, spec.seed) != key[2:]:
            continue  # the run of that split and seed is planned too, with its own prior
        dataset = study.datasets[spec.dataset]
        factor = dataset.cost_factors.get(spec.label, 1.0)
        minutes = factor * spec.search["trials"] * predicted_minutes(_typical(spec), dataset.size)
        found[key] = PlannedSearch(spec, minutes)
    return found


def _typical(spec: RunSpec) -> RunSpec:
    """Return a trial with the mean of each range, by which its time is predicted."""
    assert spec.search is not None
    return spec.as_trial({name: mean_of(allowed) for name, allowed in spec.search["space"].items()})


def unsearched(study: StudyConfig, searched: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (label, reason) of the rows of a study that are not searched, of those that are."""
    known = set(searched)
    for row in study.methods:
        if row.label not in known:
            yield row.label, "`search: false`" if row.search is False else "nothing to choose"
