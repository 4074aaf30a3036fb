"""The words by which a table or a figure says which studies have it (`when` in its literal).

Each word is a question about a study; some are about one data set or one collection of gains,
for figures that exist for each of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from relatask.config.grouping import StrategyConfig
from relatask.config.study import StudyConfig
from relatask.core.columns.data import CELLS
from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json
from relatask.core.outputs import FigureRecord, TableRecord, figures, tables
from relatask.core.records import suggest
from relatask.core.registry import capabilities, catalogue, saved_tables

Question = Callable[[StudyConfig, str], bool]  # the study, and the data set or collection ("" for the study)
RATIO, PROTOCOL = "known_ratio", "protocol"


def ratio_families(methods: Iterable[tuple[str, Mapping[str, Any], Any]]) -> dict[str, tuple[str, float]]:
    """Return method -> the first that differs from it in the ratio of known labels alone, and its ratio.

    Methods that no other differs from in this way have no entry.

    Args:
        methods: label, options, and whatever else two methods must have in common.
    """
    found: dict[str, tuple[str, float]] = {}
    first: dict[str, str] = {}
    ratios: dict[str, set[float]] = {}
    for label, options, other in methods:
        if RATIO in options and options.get("setting") != "standard":  # a standard network reads no labels
            rest = {name: value for name, value in options.items() if name != RATIO}
            family = first.setdefault(canonical_json([rest, other]), label)
            found[label] = (family, float(options[RATIO]))
            ratios.setdefault(family, set()).add(found[label][1])
    return {label: pair for label, pair in found.items() if len(ratios[pair[0]]) > 1}


def _described(study: StudyConfig) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield label, all options, and what else decides each row."""
    for row in study.methods:
        options = {**capabilities("methods", row.method).options, **row.options}
        yield row.label, options, row.model_dump(exclude={"label", "published", "options"})


def _varies_known_ratio(study: StudyConfig, _: str) -> bool:
    """Whether rows differ in the ratio of known labels alone, on a split where not all labels are known."""
    return bool(ratio_families(_described(study))) and set(study.splits.used) != {CELLS}


def _trains_levels(study: StudyConfig, _: str) -> bool:
    """Whether a row chooses which levels of tasks it trains."""
    return any("trains" in options for _, options, _ in _described(study))


def released_twins(study: StudyConfig) -> dict[str, str]:
    """Return row as `protocol: released` -> the row that differs from it in that option alone.

    Rows that no other differs from in this way have no entry.
    """
    found: dict[str, dict[str, str]] = {}
    for label, options, other in _described(study):
        if PROTOCOL in options:
            rest = {name: value for name, value in options.items() if name != PROTOCOL}
            found.setdefault(canonical_json([rest, other]), {})[str(options[PROTOCOL])] = label
    return {twins["released"]: twins["held_out"] for twins in found.values() if len(twins) == 2}


def _learned(study: StudyConfig, collection: str) -> list[StrategyConfig]:
    """The strategies that select sets, at random or actively, and are tried on a collection."""
    assert study.grouping is not None
    return [one for one in study.grouping.strategies_of(collection) if "selection" in one.record.keys]


def encoded_strategy(study: StudyConfig, collection: str) -> StrategyConfig | None:
    """Return the strategy whose encodings are drawn: the first that has some, with active selection.

    None for a collection with sets that were not trained: their gains colour the points.
    """
    if study.grouping is None or collection not in study.grouping.replayed:
        return None
    strategies = study.grouping.strategies_of(collection)
    learned = (one for one in strategies if one.record.encodes and one.selection == "active")
    return next(learned, None)


def _predicts(study: StudyConfig, collection: str) -> bool:
    assert study.grouping is not None
    strategies = study.grouping.strategies_of(collection)
    return any(one.record.estimates and one.record.predicts for one in strategies)


# What a literal may say, and what it means.
WORDS: dict[str, tuple[str, Question]] = {
    "always": ("the study trains methods", lambda study, _: bool(study.methods)),
    "tasks": ("its labels are of tasks", lambda study, _: bool(study.methods) and study.labels != "classes"),
    "classes": ("its items have one class each", lambda study, _: study.labels == "classes"),
    "molecules": ("its items are molecules", lambda study, _: study.items == "molecules"),
    "uncertainty": ("it asks for `uncertainty`", lambda study, _: study.uncertainty),
    "uncertain_labels": (
        "it asks for `uncertainty`, and tasks have labels of 0 and 1",
        lambda study, _: study.uncertainty and "binary" in study.kinds,
    ),
    "uncertain_values": (
        "it asks for `uncertainty`, and tasks have measured values or classes",
        lambda study, _: study.uncertainty and bool(study.kinds - {"binary"}),
    ),
    "searched": ("settings of rows are searched for", lambda study, _: study.search is not None),
    "networks": (
        "a method trains a network",
        lambda study, _: any(method.encoder is not None for method in study.methods),
    ),
    "reads_known_labels": (
        "a method reads labels of the items that it predicts",
        lambda study, _: study.reads_known_labels,
    ),
    "varies_known_ratio": ("methods differ in the ratio of known labels alone", _varies_known_ratio),
    "levels": ("a method chooses which levels of tasks it trains", _trains_levels),
    "released_protocol": (
        "methods differ in the option `protocol` alone",
        lambda study, _: bool(released_twins(study)),
    ),
    "relations": (
        "the data set has a relation graph",
        lambda study, dataset: study.datasets[dataset].relations is not None,
    ),
    "grouping": ("it groups tasks", lambda study, _: study.grouping is not None),
    "grouping_replayed": (
        "every set of a collection was trained, so that strategies are judged",
        lambda study, of: (
            study.grouping is not None
            and bool(study.grouping.replayed)
            and of in {"", *study.grouping.replayed}
        ),
    ),
    "grouping_twins": (
        "two collections are of the same tasks",
        lambda study, _: study.grouping is not None and bool(study.grouping.twins),
    ),
    "several_rounds": (
        "a strategy is tried with several numbers of rounds",
        lambda study, of: any(len(strategy.rounds) > 1 for strategy in _learned(study, of)),
    ),
    "both_selections": (
        "sets are selected actively by one strategy and at random by another",
        lambda study, of: {one.selection for one in _learned(study, of)} == {"active", "random"},
    ),
    "predicted_gains": ("a strategy predicts gains of sets that it does not train", _predicts),
    "encoded_sets": (
        "a strategy has encodings of task sets",
        lambda study, of: encoded_strategy(study, of) is not None,
    ),
}


def _holds(record: TableRecord | FigureRecord, study: StudyConfig, of: str = "") -> bool:
    """Whether a study, or one of its data sets or collections, has an output."""
    if isinstance(record, TableRecord) and record.papers and study.paper not in record.papers:
        return False
    for word in record.when:
        if word not in WORDS:
            raise RelataskError(f"{record.file}: `when` has no word {word!r}.{suggest(word, WORDS)}")
        if not WORDS[word][1](study, of):
            return False
    if not record.saved:
        return True
    methods = [method.method for method in study.methods if method.method in catalogue("methods")]
    known = saved_tables(methods)  # the plan refuses methods that are not there
    return all(set(columns) <= set(known.get(name, ())) for name, columns in record.saved.items())


def table_names(study: StudyConfig) -> list[str]:
    """Return the names of a study's tables, the main table first; a pure function of the config."""
    names = [name for name, record in tables().items() if _holds(record, study)]
    first = ["main", *study.tables] if study.methods else []
    return list(dict.fromkeys([*first, *names]))


def table_record(study: StudyConfig, name: str) -> TableRecord:
    """Return what is known of a study's table; those that the study names are of the kind of `main`."""
    return tables()["main" if name in study.tables else name]


def figure_names(study: StudyConfig) -> list[str]:
    """Return the names of a study's figures, without endings; a pure function of the config."""
    return list(_figure_names(study))


def _figure_names(study: StudyConfig) -> Iterator[str]:
    each: dict[str, Sequence[str]] = {
        "study": [""],
        "dataset": list(study.datasets),
        "collection": list(study.grouping.gains) if study.grouping else [],
    }
    for name, record in figures().items():
        if record.each not in each:
            raise RelataskError(
                f"{record.file}: `each` cannot be {record.each!r}.{suggest(record.each, each)}"
            )
        for of in each[record.each]:
            if _holds(record, study, of):
                yield f"{name}-{of}" if of else name
