"""What becomes of the measurements of one cell, as literal loops and one question after the other."""

import math


def allowed(value: float, bound: str) -> tuple[float, float]:
    """The least and the greatest number that a measurement allows."""
    if bound == "=":
        return value, value
    if bound == ">":
        return math.nextafter(value, math.inf), math.inf
    if bound == ">=":
        return value, math.inf
    if bound == "<":
        return -math.inf, math.nextafter(value, -math.inf)
    return -math.inf, value


def median(values: list[float]) -> float:
    """The value in the middle, or the mean of the two in the middle."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    one, other = ordered[middle - 1], ordered[middle]
    return one + (other - one) / 2


def merged_value(measurements: list[tuple[float, str]]) -> tuple[float, float] | None:
    """The range of values that the measurements of a cell allow together; None: a conflict."""
    values = [value for value, bound in measurements if bound == "="]
    low, high = -math.inf, math.inf
    for value, bound in measurements:
        if bound != "=":
            least, greatest = allowed(value, bound)
            low, high = max(low, least), min(high, greatest)
    if values:
        middle = median(values)
        touches = math.nextafter(middle, math.inf) >= low and math.nextafter(middle, -math.inf) <= high
        return (middle, middle) if touches else None
    return (low, high) if low <= high else None


def label(low: float, high: float, at_least: float | None, at_most: float | None) -> float | None:
    """1 or 0 where all values from low to high are on one side of the threshold."""
    if at_least is not None:
        return 1.0 if low >= at_least else 0.0 if high < at_least else None
    assert at_most is not None
    return 1.0 if high <= at_most else 0.0 if low > at_most else None


def real_label(measurements: list[tuple[float, str]]) -> tuple[float, str] | None:
    """Value and bound of a task of measured values; None: a conflict, or bounds from two sides."""
    found = merged_value(measurements)
    if found is None:
        return None
    low, high = found
    if low == high:
        return low, "="
    if math.isinf(high):
        return low, ">"
    return (high, "<") if math.isinf(low) else None
