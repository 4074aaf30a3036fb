"""Which methods of a study differ in the share of known labels alone; pure Python, as figures' names are."""

from collections.abc import Iterable, Mapping
from typing import Any

from relatask.core.files import canonical_json

RATIO = "known_ratio"


def ratio_families(methods: Iterable[tuple[str, Mapping[str, Any], Any]]) -> dict[str, tuple[str, float]]:
    """Return method -> the first one that differs from it in the ratio alone, and its own ratio.

    Methods that no other differs from in this way have no entry.

    Args:
        methods: label, options, and whatever else two methods must have in common.
    """
    found, first, ratios = dict[str, tuple[str, float]](), dict[str, str](), dict[str, set[float]]()
    for label, options, other in methods:
        if RATIO in options and options.get("setting") != "standard":  # which is told nothing
            rest = {name: value for name, value in options.items() if name != RATIO}
            family = first.setdefault(canonical_json([rest, other]), label)
            found[label] = (family, float(options[RATIO]))
            ratios.setdefault(family, set()).add(found[label][1])
    return {label: pair for label, pair in found.items() if len(ratios[pair[0]]) > 1}
