"""A study of two data sets, two schemes of splits and three methods, for tests of the plan."""

from typing import Any

METHODS = [
    {"label": "STL", "method": "single_task", "encoder": "gin", "parts": 3},
    {"label": "MTL", "method": "shared_bottom", "encoder": "gin", "training": {"epochs": 9}},
    {"label": "RF", "method": "random_forest", "options": {"n_estimators": 7}},
]
MTL = {"method": "shared_bottom", "encoder": "gin"}


def study(**changes: Any) -> dict[str, Any]:
    return {
        "title": "t",
        "sources": {"s": {"reader": "planted"}},
        "datasets": {"a": {"source": "s"}, "b": {"source": "s", "size": {"items": 9000, "tasks": 12}}},
        "splits": {"schemes": ["scaffold", "random"]},
        "methods": METHODS,
        "baseline": "STL",
        "scales": {"quick": {"seeds": [0, 1], "encoders": {"gin": {"width": 8}}}},
        **changes,
    }
