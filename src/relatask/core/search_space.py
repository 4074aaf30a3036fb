"""Which values of an option a search may choose: what files of methods and encoders, and studies, say of it.

A range is `{"least": 1, "greatest": 4}`, with `"log": True` where its logarithm is drawn evenly; a list is
`{"values": ["sum", "mean"]}`. Both are plain values, so that they may stand in a literal, in YAML and in a
run's spec.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from relatask.core.errors import RelataskError
from relatask.core.records import Options, checked_options, suggest

Space = dict[str, dict[str, Any]]  # option -> its range or list
FORMS = "{least: 1, greatest: 4}, with `log: true` where its logarithm is drawn, or {values: [1, 2]}"
MOST_VALUES = 1000


def checked_range(where: str, given: Any, check: Callable[[Any], Any]) -> dict[str, Any]:
    """Return a range or a list of values of an option, each value as `check` returns it.

    Args:
        where: what messages call it.
        given: what a file says.
        check: returns a value as the option's type; raises RelataskError for one that it cannot have.

    Raises:
        RelataskError: it is neither, holds nothing to choose, or a value that the option cannot have.
    """
    keys = {*given} if isinstance(given, Mapping) else set()
    if keys == {"values"}:
        values = given["values"]
        if not isinstance(values, list | tuple) or not 2 <= len(values) <= MOST_VALUES:
            raise RelataskError(f"{where}: values: list 2 to {MOST_VALUES} of them, not {values!r}.")
        found = [check(value) for value in values]
        if len({repr(value) for value in found}) < len(found):
            raise RelataskError(f"{where}: values: one of {list(values)} is given twice.")
        return {"values": found}
    if not {"least", "greatest"} <= keys <= {"least", "greatest", "log"}:
        raise RelataskError(f"{where}: write {FORMS}, not {given!r}.")
    least, greatest, log = check(given["least"]), check(given["greatest"]), given.get("log", False)
    if not (_is_number(least) and _is_number(greatest)):
        raise RelataskError(f"{where}: only numbers have a range; list `values` instead.")
    if not least < greatest:
        raise RelataskError(f"{where}: least, {least}, must be below greatest, {greatest}.")
    if log is not False and (log is not True or least <= 0):
        raise RelataskError(f"{where}: log is true or false, and true only where least is above 0.")
    return {"least": least, "greatest": greatest, **({"log": True} if log else {})}


def checked_space(owner: str, known: Options, given: Mapping[str, Any]) -> Space:
    """Return which values of options may be chosen, after refusing what these cannot have.

    Args:
        owner: what messages call the one whose options they are.
        known: its options.
        given: option -> its range or list, see `relatask.core.search_space`.

    Raises:
        RelataskError: there is no such option, or it cannot have such a value.
    """
    found = {}
    for name, allowed in given.items():
        if name not in known.options:
            raise RelataskError(f"{owner} has no option {name!r}.{suggest(str(name), known.options)}")

        def value_of(value: Any, name: str = name) -> Any:
            return checked_options(owner, known, {name: value})[name]

        found[name] = checked_range(f"{owner}: {name}", allowed, value_of)
    return found


def contains(allowed: Mapping[str, Any], value: Any) -> bool:
    """Whether a value is one that a range or list allows."""
    if "values" in allowed:
        return value in allowed["values"]
    return bool(allowed["least"] <= value <= allowed["greatest"])


def mean_of(allowed: Mapping[str, Any]) -> Any:
    """Return the mean of what is drawn from a range, for predictions of time; of other values the first."""
    if "values" in allowed:
        values = allowed["values"]
        return sum(values) / len(values) if all(map(_is_number, values)) else values[0]
    least, greatest = allowed["least"], allowed["greatest"]
    if allowed.get("log"):
        return (greatest - least) / math.log(greatest / least)
    return (least + greatest) / 2


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
