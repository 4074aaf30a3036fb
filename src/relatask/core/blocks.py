"""What every block of the config shares: unknown keys are mistakes, and a mistake is one sentence."""

import difflib
import re
import reprlib
from collections.abc import Collection, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from relatask.core.credentials import hidden
from relatask.core.errors import RelataskError
from relatask.core.records import suggest

NAME = r"^[A-Za-z0-9][A-Za-z0-9_]*$"  # names become folders, wildcards and figure labels
HALF = re.compile("[\ud800-\udfff]")  # one of the two surrogates that stand for a character in UTF-16
T = TypeVar("T", bound=BaseModel)
LONGEST_NAME = 60
Name = Annotated[str, Field(pattern=NAME, max_length=LONGEST_NAME)]


class _Shortened(reprlib.Repr):
    """Values cut short for a message, without the logins of addresses."""

    def repr_str(self, x: str, level: int) -> str:
        return super().repr_str(hidden(x), level)


class Block(BaseModel):
    """A part of the config; unknown keys are mistakes, and values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def unique(values: list[Any]) -> list[Any]:
    """Refuse a list that names something twice."""
    seen: set[Any] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{value!r} is given twice")
        seen.add(value)
    return values


def require_known(what: str, name: str, key: str, known: Collection[str]) -> None:
    """Refuse a name that is not among the `known` ones."""
    if name not in known:
        raise ValueError(f"{key}: there is no {what} {name!r}.{suggest(name, known)}")


def parse(model: type[T], value: Mapping[str, Any], where: str) -> T:
    """Validate `value`; the first mistake becomes a `RelataskError` naming `where` and the key."""
    found: T = parse_as(TypeAdapter(model), value, where)
    return found


def parse_as(adapter: TypeAdapter[Any], value: Any, where: str) -> Any:
    """Validate `value` as any type; the first mistake becomes a `RelataskError`, as with `parse`."""
    _refuse_half_characters(value, where)
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise _explain(error, where, value, adapter.json_schema()) from None


def _refuse_half_characters(value: Any, where: str) -> None:
    """Refuse a text with half of a pair of surrogates, e.g. "\\ud800" of YAML, which no file can hold."""
    todo: list[tuple[tuple[Any, ...], Any]] = [((), value)]
    seen: set[int] = set()  # what aliases repeat is read once
    while todo:
        place, part = todo.pop()
        if isinstance(part, Mapping | list | tuple):
            if id(part) in seen:
                continue
            seen.add(id(part))
        if isinstance(part, Mapping):
            for key, inside in part.items():
                todo += [((*place, key), inside), (place, key)]
        elif isinstance(part, list | tuple):
            todo += [((*place, number), inside) for number, inside in enumerate(part)]
        elif isinstance(part, str) and HALF.search(part):
            said = ": ".join(filter(None, [where, ".".join(ascii(name).strip("'") for name in place)]))
            raise RelataskError(
                f"{said}: {ascii(part)[:200]} holds half of a character (\\ud800 to \\udfff); write the "
                "whole character."
            )


def _explain(error: ValidationError, where: str, value: Any, schema: dict[str, Any]) -> RelataskError:
    """Turn the first finding of pydantic into one sentence that names file and key.

    A key that is missing may be there under a misspelt name, so unknown keys come before missing ones.
    """
    findings = error.errors()
    unknown = (finding for finding in findings if finding["type"] == "extra_forbidden")
    finding = next(unknown, findings[0]) if findings[0]["type"] == "missing" else findings[0]
    place = _place(finding["loc"], value, finding["type"] in {"missing", "extra_forbidden"})
    key = ".".join(str(part) for part in place)
    if finding["type"] == "extra_forbidden":
        parent = ".".join(str(part) for part in place[:-1])
        known = _keys_at(schema, finding["loc"][:-1])
        inside = f" in {parent!r}" if parent else ""
        return RelataskError(f"{where}: unknown key {place[-1]!r}{inside}.{suggest(str(place[-1]), known)}")
    if finding["type"] == "missing":
        return RelataskError(f"{where}: the key {key!r} is missing.")
    if finding["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        return RelataskError(f"{where}: {_wrong_tag(key, finding)}")
    message = finding["msg"].removeprefix("Value error, ")
    if finding["type"] != "value_error":
        message += f" (got {_Shortened().repr(finding['input'])})"
    end = "" if message.endswith((".", "?")) else "."
    return RelataskError(f"{where}: {key + ': ' if key else ''}{message}{end}")


def _place(location: tuple[Any, ...], value: Any, absent: bool) -> list[Any]:
    """Return the keys of `value` that lead to a finding, of which the last may be `absent`.

    Pydantic also lists the members of unions that it tried.
    """
    place: list[Any] = []
    for number, part in enumerate(location):
        inside = isinstance(value, Mapping) and part in value
        inside = inside or (isinstance(value, list | tuple) and isinstance(part, int) and part < len(value))
        if inside:
            value = value[part]
        if inside or (absent and number == len(location) - 1):
            place.append(part)
    return place


def _wrong_tag(key: str, finding: Any) -> str:
    """Say which value tells the members of a union apart, and which it has."""
    tag = finding["ctx"]["discriminator"].strip("'")
    name = f"{key}.{tag}" if key else tag
    if finding["type"] == "union_tag_not_found":
        if misspelt := difflib.get_close_matches(tag, map(str, finding["input"]), n=1):
            inside = f" in {key!r}" if key else ""
            return f"unknown key {misspelt[0]!r}{inside}. Did you mean {tag!r}?"
        return f"the key {name!r} is missing."
    known = [entry.strip("'\" ") for entry in finding["ctx"]["expected_tags"].split(",")]
    given = finding["ctx"]["tag"]
    return f"{name}: there is no {tag} {given!r}.{suggest(str(given), known)}"


def _keys_at(schema: dict[str, Any], path: tuple[Any, ...]) -> list[str]:
    """Names of the keys that the block at `path` may hold."""
    node = _resolved(schema, schema)
    for part in path:
        mapping = node.get("discriminator", {}).get("mapping", {})
        node = (
            ({"$ref": mapping[part]} if part in mapping else None)
            or node.get("properties", {}).get(part)
            or node.get("items")
            or node.get("additionalProperties")
            or next(iter(node.get("patternProperties", {}).values()), None)
            or {}
        )
        node = _resolved(node, schema)
    return list(node.get("properties", {}))


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return the block that a node of the schema refers to, directly or as the only one beside null."""
    for option in [node, *node.get("anyOf", [])]:
        if "$ref" in option:
            found: dict[str, Any] = schema["$defs"][option["$ref"].rsplit("/", 1)[-1]]
            return found
    return node
