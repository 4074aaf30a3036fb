"""What a label can be, and the metric that leads the tables of tasks with such labels."""

from typing import Literal

Kind = Literal["binary", "real", "class"]  # 0 or 1; a measured value; one of several classes, counted from 0
KINDS: tuple[Kind, ...] = ("binary", "real", "class")
LEADING_METRIC: dict[Kind, str] = {"binary": "roc_auc", "real": "mae", "class": "accuracy"}
METRICS_OF: dict[Kind, tuple[str, ...]] = {
    "binary": (
        *("roc_auc", "average_precision", "precision_above_prevalence", "bedroc", "enrichment_1"),
        *("enrichment_5", "threshold_mcc", "threshold_balanced_accuracy", "brier", "ece", "adaptive_ece"),
    ),
    "real": ("mae", "rmse", "nrmse", "r2", "spearman", "pearson"),
    "class": ("accuracy", "balanced_accuracy", "macro_f1"),
}
# Of a study that names none. The first of a kind leads, and its mean over tasks must mean something: errors
# of tasks in several units have none.
DEFAULT_METRICS: dict[Kind, tuple[str, ...]] = {
    "binary": ("roc_auc", "average_precision", "brier", "ece"),
    "real": ("r2", "spearman", "rmse", "mae"),
    "class": ("accuracy", "balanced_accuracy", "macro_f1"),
}
WEIGHTS = ("items", "classes", "tasks")  # by which a label can count more or less in training
BOUNDS = ("=", "<", ">")  # the value itself; less than the value; more than the value
BOUND_SIGN = {"=": 0, "<": -1, ">": 1}  # of a bound in the matrix of bounds
