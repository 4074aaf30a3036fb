"""A random forest per task on ECFP4 bits (Breiman, 2001): the baseline that reviewers ask for first."""

from typing import Any

from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

CAPABILITIES = {
    "summary": "random forest per task on ECFP4",
    "label": "RF",
    "paper": "breiman_2001",
    "inputs": ("ecfp", "vectors"),
    "loop": "estimator",
    "per_task": True,
    "kinds": ("binary", "real", "class"),
    "weights": ("items", "classes"),
    "encoders": "none",
    "cost_in_tasks": "O(T)",
    "microseconds": 1800.0,
    "cost_options": ("n_estimators",),
    "options": {"n_estimators": 300, "min_samples_leaf": 1, "max_features": "sqrt", "class_weight": ""},
    "choices": {"max_features": ("sqrt", "log2"), "class_weight": ("", "balanced", "balanced_subsample")},
    "limits": {"n_estimators": (1, 1_000_000), "min_samples_leaf": (1, 1_000_000)},
    "space": {
        "min_samples_leaf": {"least": 1, "greatest": 16, "log": True},
        "max_features": {"values": ["sqrt", "log2"]},
    },
}


def build(
    seed: int, n_estimators: int, min_samples_leaf: int, max_features: str, class_weight: str
) -> RandomForestClassifier:
    """Return the untrained classifier of one task; an empty `class_weight` weighs all items alike."""
    return RandomForestClassifier(
        n_estimators=n_estimators,
        min_samples_leaf=min_samples_leaf,
        max_features=max_features,
        class_weight=class_weight or None,
        random_state=seed,
        n_jobs=1,
    )


def build_for(
    kind: str, seed: int, class_weight: str, **options: Any
) -> RandomForestClassifier | RandomForestRegressor:
    """Return the untrained estimator of a task of kind real or class; `class_weight` is of classes alone."""
    if kind == "class":
        return build(seed, class_weight=class_weight, **options)
    return RandomForestRegressor(**options, random_state=seed, n_jobs=1)
