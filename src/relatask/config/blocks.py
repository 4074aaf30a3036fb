"""What every block of the config shares: unknown keys are mistakes, and a mistake is one sentence."""

import reprlib
from collections.abc import Collection, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from relatask.core.errors import RelataskError
from relatask.core.records import suggest

NAME = r"^[A-Za-z0-9][A-Za-z0-9_]*$"  # names become folders, wildcards and figure labels
T = TypeVar("T", bound=BaseModel)
Name = Annotated[str, Field(pattern=NAME, max_length=60)]


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
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _explain(error, where, model) from None


def _explain(error: ValidationError, where: str, model: type[BaseModel]) -> RelataskError:
    """Turn the first finding of pydantic into one sentence that names file and key."""
    finding = error.errors()[0]
    key = ".".join(str(part) for part in finding["loc"])
    if finding["type"] == "extra_forbidden":
        parent = ".".join(str(part) for part in finding["loc"][:-1])
        known = _keys_at(model, finding["loc"][:-1])
        place = f" in {parent!r}" if parent else ""
        return RelataskError(
            f"{where}: unknown key {finding['loc'][-1]!r}{place}.{suggest(str(finding['loc'][-1]), known)}"
        )
    if finding["type"] == "missing":
        return RelataskError(f"{where}: the key {key!r} is missing.")
    message = finding["msg"].removeprefix("Value error, ")
    if finding["type"] != "value_error":
        message += f" (got {reprlib.repr(finding['input'])})"
    end = "" if message.endswith((".", "?")) else "."
    return RelataskError(f"{where}: {key + ': ' if key else ''}{message}{end}")


def _keys_at(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    """Names of the keys that the block at `path` may hold."""
    schema: dict[str, Any] = model.model_json_schema()
    node = schema
    for part in path:
        node = (
            node.get("properties", {}).get(part)
            or node.get("items")
            or node.get("additionalProperties")
            or {}
        )
        for option in [node, *node.get("anyOf", [])]:
            if "$ref" in option:
                node = schema["$defs"][option["$ref"].rsplit("/", 1)[-1]]
                break
    return list(node.get("properties", {}))
