"""Sources, inputs and schemes of splits: files that say what they are in a literal, found by their folder.

Planning reads the literals from the source text, as `registry` reads those of methods: nothing is imported,
and nothing lists the files. Adding one of them is adding a file.
"""

import ast
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from relatask.core.errors import RelataskError
from relatask.core.kinds import Kind
from relatask.core.registry import suggest

PACKAGE = Path(__file__).parents[1]


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

    form: str = ""  # of a batch, which encoders name in their `inputs`; empty: the name


@dataclass(frozen=True)
class SchemeRecord(Record):
    """How items are split; each field but name and file is a key of its ``SCHEME``."""

    items: tuple[str, ...] | str = "any"  # levels of items that it can split
    holds_out: str = "items"  # "labels": labels of one item are in several folds
    options: Mapping[str, tuple[Any, str]] = field(default_factory=dict)  # key -> default, what it is


R = TypeVar("R", bound=Record)


def read_literal(path: Path, variable: str) -> dict[str, Any]:
    """Return the dictionary that a file assigns to `variable`, without importing the file.

    Raises:
        RelataskError: there is none, or it is not a literal.
    """
    for node in ast.parse(path.read_text(encoding="utf-8"), filename=str(path)).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == variable for target in node.targets
        ):
            try:
                return dict(ast.literal_eval(node.value))
            except (ValueError, TypeError):
                raise RelataskError(
                    f"{path}: {variable} must be a literal dict, because planning reads it without importing "
                    "the file."
                ) from None
    raise RelataskError(f"{path} has no {variable} = {{...}}; see CONTRIBUTING.md for what it holds.")


def _find(folder: str, variable: str, kind: type[R]) -> dict[str, R]:
    """Return name -> record of every file of a folder, or of its subfolders, that assigns `variable`."""
    found = {}
    for path in sorted([*(PACKAGE / folder).glob("*.py"), *(PACKAGE / folder).glob("*/*.py")]):
        if f"\n{variable} = " not in path.read_text(encoding="utf-8"):
            continue
        values = read_literal(path, variable)
        known = {entry.name for entry in fields(kind)} - {"name", "file"}
        if unknown := sorted(set(values) - known):
            raise RelataskError(f"{path}: {variable} has no key {unknown[0]!r}.{suggest(unknown[0], known)}")
        name = path.parent.name if path.stem == "__init__" else path.stem
        found[name] = kind(name=name, file=path.relative_to(PACKAGE).as_posix(), **values)
    return dict(sorted(found.items()))


@lru_cache
def source_records() -> dict[str, SourceRecord]:
    """Return reader -> record of every source."""
    return _find("sources", "SOURCE", SourceRecord)


@lru_cache
def input_records() -> dict[str, InputRecord]:
    """Return name -> record of every input."""
    return _find("inputs", "INPUT", InputRecord)


@lru_cache
def scheme_records() -> dict[str, SchemeRecord]:
    """Return name -> record of every scheme of splits."""
    return _find("data/splits", "SCHEME", SchemeRecord)


def record_of(records: Mapping[str, R], name: str, what: str) -> R:
    """Return the record of a name; an unknown one is a `RelataskError` that says what it is."""
    if name not in records:
        raise RelataskError(f"there is no {what} {name!r}.{suggest(name, records)}")
    return records[name]


def form_of(name: str) -> str:
    """Return the form of a batch of an input."""
    return record_of(input_records(), name, "input").form or name


def load_file(record: Record) -> ModuleType:
    """Import the file of a record."""
    module = record.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return importlib.import_module(f"relatask.{module}")
