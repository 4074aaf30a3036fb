"""Files that say what they are in one literal, read without importing them.

The plan is made while Snakemake parses the workflow, where importing torch or pandas would cost seconds
and 650 MB. So a method, a source, a table or an estimator states its facts in a literal such as
``TABLE = {...}``; this module reads it from the source text. Adding such a thing is adding a file: nothing
lists them.
"""

import ast
import difflib
import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from relatask.core.errors import RelataskError

PACKAGE = Path(__file__).parents[1]
DERIVED = frozenset({"name", "file"})  # fields of a record that are no keys: the file's name and its path
R = TypeVar("R")


@dataclass(frozen=True)
class Options:
    """What options an entry has, and what values they may take."""

    options: Mapping[str, Any] = field(default_factory=dict)  # name -> default, which also fixes the type
    choices: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)  # option -> its only values
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # option -> least, greatest value


def _statement(text: str, literal: str) -> str:
    """The part of a module's text that assigns to the name `literal`; all of it where no part is found.

    To parse it takes a tenth of the time of parsing the module, and planning reads sixty of them.
    """
    lines = text.splitlines(keepends=True)
    starts = (f"{literal} =", f"{literal}:")
    first = next((number for number, line in enumerate(lines) if line.startswith(starts)), None)
    if first is None or lines[first].rstrip().endswith("}"):
        return text if first is None else lines[first]
    last = next((number for number in range(first, len(lines)) if lines[number].startswith("}")), None)
    return text if last is None else "".join(lines[first : last + 1])


def read_literal(path: Path, literal: str) -> dict[str, Any]:
    """Return the dict that the module at `path` assigns to the name `literal`, without importing it.

    Raises:
        RelataskError: there is none, or it is not a literal dict.
    """
    text = path.read_text(encoding="utf-8")
    try:
        body = ast.parse(_statement(text, literal)).body
    except SyntaxError:
        body = ast.parse(text, filename=str(path)).body
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == literal for target in targets):
            try:
                found = ast.literal_eval(node.value)  # type: ignore[attr-defined]
            except (ValueError, TypeError):
                found = None
            if not isinstance(found, dict):
                raise RelataskError(
                    f"{path}: {literal} must be a literal dict, because planning reads it without importing "
                    "the file."
                )
            return found
    raise RelataskError(f"{path} has no {literal} = {{...}}; see CONTRIBUTING.md for what it holds.")


def read_record(path: Path, literal: str, kind: type[R], derived: frozenset[str] = DERIVED) -> R:
    """Return the literal of a module as a `kind`, a dataclass whose fields are the keys it may have.

    Args:
        path: of the module.
        literal: the name it assigns.
        kind: the dataclass.
        derived: fields that are no keys. `name` is the file's, or its folder's for an `__init__.py`; `file`
            is the path from the package's folder.

    Raises:
        RelataskError: as `read_literal`, or a key is unknown or missing.
    """
    values = read_literal(path, literal)
    known = {entry.name for entry in fields(kind)} - derived  # type: ignore[arg-type]
    if unknown := sorted(set(values) - known):
        raise RelataskError(f"{path}: {literal} has no key {unknown}; {sorted(known)} exist.")
    if "name" in derived:
        values["name"] = path.parent.name if path.stem == "__init__" else path.stem
    values["file"] = path.relative_to(PACKAGE).as_posix()
    try:
        return kind(**values)
    except TypeError as error:  # a key without a default is missing
        raise RelataskError(f"{path}: {literal} is not complete: {error}.") from None


@lru_cache
def records(
    folder: str, literal: str, kind: type[R], derived: frozenset[str] = DERIVED, helpers: bool = False
) -> Mapping[str, R]:
    """Return name -> record of the files of a folder of the package, by name.

    Files of the folder itself must have the literal, but for those that start with an underscore or, with
    `helpers`, all others that lack it. In a subfolder those that have it count.
    """
    found = {}
    for path in [*(PACKAGE / folder).glob("*.py"), *(PACKAGE / folder).glob("*/*.py")]:
        in_folder = path.parent == PACKAGE / folder
        required = in_folder and not helpers and not path.name.startswith("_")
        if required or f"\n{literal} = " in path.read_text(encoding="utf-8"):
            record: Any = read_record(path, literal, kind, derived)
            found[record.name] = record
    return dict(sorted(found.items()))


def import_file(file: str) -> ModuleType:
    """Import a module of the package by its path, e.g. methods/sgnn/sgnn_ebm.py."""
    module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return importlib.import_module(f"relatask.{module}")


def suggest(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" where a known name is close, else the list of known names."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {close[0]!r}?" if close else f" Known: {', '.join(known)}."


def checked_options(owner: str, known: Options, given: Mapping[str, Any], inside: str = "") -> dict[str, Any]:
    """Return the defaults of all options overridden by `given`: the one validator of options.

    An option whose default is a mapping has options of its own; `choices` and `limits` call them
    "outer.inner".

    Args:
        owner: what messages call the one whose options they are, e.g. "method 'sgnn'".
        known: its options.
        given: name -> value.
        inside: "outer." for the options inside `outer`.

    Raises:
        RelataskError: an option is unknown, of another type than its default, or none of its values.
    """
    defaults: Any = known.options
    for part in filter(None, inside.split(".")):
        defaults = defaults[part]
    chosen = dict(defaults)
    for key, value in given.items():
        if key not in defaults:
            raise RelataskError(f"{owner} has no option {key!r}.{suggest(str(key), defaults)}")
        where = inside + key
        if isinstance(defaults[key], Mapping) and isinstance(value, Mapping):
            chosen[key] = checked_options(owner, known, value, f"{where}.")
        else:
            chosen[key] = _checked(f"option {where!r} of {owner}", known, where, defaults[key], value)
    return chosen


def _checked(what: str, known: Options, key: str, default: Any, value: Any) -> Any:
    """Return the value of an option as its default's type."""
    number = isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool)
    if default is not None and not number and type(value) is not type(default):
        raise RelataskError(f"{what} must be {type(default).__name__}, not {value!r}.")
    if number and abs(value) > 2**1000:
        raise RelataskError(f"{what} must be float, not {value!r}.")
    if value not in known.choices.get(key, (value,)):
        raise RelataskError(f"{what} cannot be {value!r}.{suggest(str(value), map(str, known.choices[key]))}")
    if key in known.limits and value is not None:
        least, greatest = known.limits[key]
        if not isinstance(value, int | float) or not least <= value <= greatest:
            raise RelataskError(f"{what} must be from {least} to {greatest}, not {value!r}.")
    return float(value) if number else value
