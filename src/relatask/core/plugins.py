"""Sources, inputs and schemes of splits: files that say what they are in a literal, found by their folder.

Planning reads the literals from the source text, as `registry` reads those of methods: nothing is imported,
and nothing lists the files. Adding one of them is adding a file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeVar

from relatask.core.errors import RelataskError
from relatask.core.kinds import Kind
from relatask.core.records import import_file, records, suggest


@dataclass(frozen=True)
class Record:
    """What every such file says: its name and place, and a line about it."""

    name: str  # the file's, or its folder's
    file: str  # from the package's folder, e.g. sources/table.py
    summary: str


@dataclass(frozen=True)
class SourceRecord(Record):
    """What a source gives; each field but name and file is a key of its ``SOURCE``."""

    items: str = "items"  # what its items are called in tables and messages, e.g. molecules
    levels: tuple[str, ...] = ("item",)  # of its items: molecule, node, graph, pair, text, image, point, ...
    kinds: tuple[Kind, ...] = ("binary",)  # of its tasks; a block may say which of them it has
    inputs: tuple[str, ...] = ()  # files of relatask.inputs that can be made of its items
    schemes: tuple[str, ...] = ()  # the only schemes of splits it goes with; empty: all for its levels
    # "sheet": files of config/datasets.tsv, or the user's own; "planted", "activities": what rules of the
    # workflow make; "none": it needs no file
    raw: str = "none"
    sparse: bool = False  # labels are missing, so relations and densification make sense
    few_shot: bool = False  # its one task is of kind class, and no class is in two folds
    reads_splits: bool = False  # what it prepares depends on `splits` of the study


@dataclass(frozen=True)
class InputRecord(Record):
    """What an encoder reads; each field but name and file is a key of its ``INPUT``."""

    column: str = ""  # of items that it is made from, where that is one: what a model asks a user for
    form: str = ""  # of a batch, which encoders name in their `inputs`; empty: the name
    whole: bool = False  # its arrays are made of all items at once, and not of some at a time
    one_graph: bool = False  # its items are the nodes of one graph, of which a model is given all at once
    flat: bool = False  # a batch is a table [B, d] of numbers, which can stand beside that of another input


@dataclass(frozen=True)
class SchemeRecord(Record):
    """How items are split; each field but name and file is a key of its ``SCHEME``."""

    items: tuple[str, ...] | str = "any"  # levels of items that it can split
    holds_out: str = "items"  # "labels": labels of one item are in several folds
    options: Mapping[str, tuple[Any, str]] = field(default_factory=dict)  # key -> default, what it is
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # option -> its only values
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # option -> least, greatest value
    required: tuple[str, ...] = ()  # options that a study must give
    files: tuple[str, ...] = ()  # options that name files of the user's own
    reads: tuple[str, ...] = ()  # keywords of `split` besides: rows (of the source), row_folds (of the file)


R = TypeVar("R", bound=Record)


def source_records() -> Mapping[str, SourceRecord]:
    """Return reader -> record of every source."""
    return records("sources", "SOURCE", SourceRecord, helpers=True)


def input_records() -> Mapping[str, InputRecord]:
    """Return name -> record of every input."""
    return records("inputs", "INPUT", InputRecord, helpers=True)


def scheme_records() -> Mapping[str, SchemeRecord]:
    """Return name -> record of every scheme of splits."""
    return records("data/splits", "SCHEME", SchemeRecord)


def record_of(records: Mapping[str, R], name: str, what: str) -> R:
    """Return the record of a name; an unknown one is a `RelataskError` that says what it is."""
    if name not in records:
        raise RelataskError(f"there is no {what} {name!r}.{suggest(name, records)}")
    return records[name]


def form_of(name: str) -> str:
    """Return the form of a batch of an input."""
    return record_of(input_records(), name, "input").form or name


def inputs_from(made: Iterable[str]) -> tuple[str, ...]:
    """Return the inputs `made` and all others that can be made from the same columns of items."""
    known, made = input_records(), tuple(made)
    columns = {known[name].column for name in made if name in known} - {""}
    return (*made, *(name for name in known if name not in made and known[name].column in columns))


def load_file(record: Record) -> ModuleType:
    """Import the file of a record."""
    return import_file(record.file)
