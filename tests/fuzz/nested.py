"""Parts of nested values, and changes to them."""

from copy import deepcopy
from typing import Any


def places(value: Any, prefix: tuple = ()) -> list[tuple]:
    """The paths of all parts of a nested value."""
    found = [prefix] if prefix else []
    for key, part in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    ):
        found += places(part, (*prefix, key))
    return found


def change(value: Any, path: tuple, how: str, odd: Any) -> None:
    """Set, drop, rename or double one part in place; a path that is no more changes nothing."""
    for key in path[:-1]:
        if not isinstance(value, dict | list) or key not in (
            value if isinstance(value, dict) else range(len(value))
        ):
            return
        value = value[key]
    key, odd = path[-1], deepcopy(odd)  # set twice, one object could come to hold itself
    if isinstance(value, dict) and key in value:
        if how == "set":
            value[key] = odd
        else:
            kept = value.pop(key)
            if how == "rename":
                value[f"{key}_new"] = kept
    elif isinstance(value, list) and isinstance(key, int) and key < len(value):
        if how == "set":
            value[key] = odd
        elif how == "drop":
            del value[key]
        else:
            value.append(value[key])
