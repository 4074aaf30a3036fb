"""Files that say what they are in one literal, read without importing them.

The plan is made while Snakemake parses the workflow, where importing torch or pandas would cost seconds. So a
method, a table or an estimator states its facts in a literal such as ``TABLE = {...}``; this module reads it
from the source text. Adding such a thing is adding a file: nothing lists them.
"""

import ast
import difflib
import importlib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from relatask.core.errors import RelataskError

PACKAGE = Path(__file__).parents[1]
Record = TypeVar("Record")


def _statement(text: str, literal: str) -> str:
    """The part of a module's text that assigns to the name `literal`; all of it where no part can be told.

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
            except ValueError:
                found = None
            if not isinstance(found, dict):
                raise RelataskError(
                    f"{path}: {literal} must be a literal dict, because planning reads it without importing "
                    "the file."
                )
            return found
    raise RelataskError(f"{path} has no {literal} = {{...}}; see CONTRIBUTING.md for what it holds.")


def read_record(path: Path, literal: str, kind: type[Record]) -> Record:
    """Return the literal of a module as a `kind`, a dataclass whose fields are the keys it may have.

    The fields `name` and `file` are no keys: they are the file's name and its path from the package's folder.

    Raises:
        RelataskError: as `read_literal`, or a key is unknown or missing.
    """
    values = read_literal(path, literal)
    entries = {entry.name for entry in fields(kind)} - {"name", "file"}  # type: ignore[arg-type]
    if unknown := set(values) - entries:
        raise RelataskError(f"{path}: {literal} has no key {sorted(unknown)}; {sorted(entries)} exist.")
    values |= {"name": path.stem, "file": path.relative_to(PACKAGE).as_posix()}
    try:
        return kind(**values)
    except TypeError as error:  # a key without a default is missing
        raise RelataskError(f"{path}: {literal} is not complete: {error}.") from None


@lru_cache
def records(folder: str, literal: str, kind: type[Record]) -> Mapping[str, Record]:
    """Return name -> record of every file of a folder of the package; helpers start with an underscore."""
    files = sorted((PACKAGE / folder).glob("[!_]*.py"))
    return {path.stem: read_record(path, literal, kind) for path in files}


def import_file(file: str) -> ModuleType:
    """Import a module of the package by its path, e.g. methods/sgnn/sgnn_ebm.py."""
    return importlib.import_module(f"relatask.{file.removesuffix('.py').replace('/', '.')}")


def suggest(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" where a known name is close, else the list of known names."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {close[0]!r}?" if close else f" Known: {', '.join(known)}."


def checked_options(owner: str, record: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the default options of a record overridden by `given`.

    Args:
        owner: what a message calls it, e.g. "method 'metalink'".
        record: has `options` (name -> default, which fixes the type), `choices` and `limits`.
        given: name -> value.

    Raises:
        RelataskError: an option is unknown, of another type than its default, or none of its values.
    """
    found = dict(record.options)
    for key, value in given.items():
        if key not in record.options:
            raise RelataskError(f"{owner} has no option {key!r}.{suggest(key, record.options)}")
        default = record.options[key]
        number = isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool)
        if default is not None and not number and type(value) is not type(default):
            raise RelataskError(f"option {key!r} of {owner} must be {type(default).__name__}, not {value!r}.")
        if value not in record.choices.get(key, (value,)):
            raise RelataskError(
                f"option {key!r} of {owner} cannot be {value!r}.{suggest(value, record.choices[key])}"
            )
        least, greatest = record.limits.get(key, (value, value))
        if not least <= value <= greatest:
            raise RelataskError(
                f"option {key!r} of {owner} must be from {least} to {greatest}, not {value!r}."
            )
        found[key] = float(value) if number else value
    return found
