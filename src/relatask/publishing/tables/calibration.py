"""Table `calibration`: whether intervals, sets and calibrated probabilities hold as often as they say."""

import pandas as pd

from relatask.core.tables import columns_of
from relatask.evaluation.coverage import LEVELS, per_task
from relatask.publishing.formatting import NOTHING, Table, number
from relatask.publishing.inputs import Inputs
from relatask.publishing.out_of_fold import checked_out_of_fold, kinds_of

TABLE = {
    "caption": (
        "How often conformal intervals of measured values, and sets of classes, hold the truth, and the "
        "calibration error (ECE) and Brier score of labels before and after calibration, of each method: "
        "means over tasks, in brackets the least and the greatest.\n\n"
        "What is said of a molecule was learned from the predictions out of fold of the other folds, so no "
        "molecule is on both sides. The CSV has a row for each task."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "kind": "string",
        "task_id": "string",
        "n": "int32",  # predictions out of fold of which something is said
        "coverage_80": "float64?",
        "width_80": "float64?",  # mean; of an interval in the unit of the task, of a set its classes
        "coverage_90": "float64?",
        "width_90": "float64?",
        "ece": "float64?",
        "ece_calibrated": "float64?",
        "brier": "float64?",
        "brier_calibrated": "float64?",
    },
    "when": ("uncertainty", "tasks"),
    "needs": ("plan", "predictions", "dataset", "splits", "similarity"),
}
SAID = {"binary": "labels", "real": "values", "class": "classes"}
NEAR = 0.03  # of a level


def make(inputs: Inputs) -> Table:
    """(Data set, split, method, kind of task) x coverage and calibration errors."""
    columns, parts = list(columns_of("table_calibration")), []
    for dataset, split in inputs.columns:
        kinds = kinds_of(inputs, dataset)
        for method in inputs.methods:
            found = per_task(checked_out_of_fold(inputs, dataset, split, method))
            own = {"dataset": dataset, "split": split, "method": method}
            parts.append(found.assign(**own, kind=found["task_id"].map(kinds))[columns])
    data = inputs.ordered(pd.concat(parts, ignore_index=True)) if parts else pd.DataFrame(columns=columns)
    keys = ["dataset", "split", "method", "kind"]
    body = [
        [*map(str, key[:3]), SAID[str(key[3])], str(len(own)), *_cells(own)]
        for key, own in data.groupby(keys, sort=False)
    ]
    levels = [f"{100 * level:g} % held" for level in LEVELS]
    header = [
        *keys[:3],
        "of",
        "tasks",
        *levels,
        "within 3 points",
        "ECE",
        "ECE calibrated",
        "Brier",
        "Brier calibrated",
    ]
    notes = [
        f"{levels[0]}: share of the predictions out of fold whose interval or set of this level holds the "
        "truth; within 3 points: tasks whose shares are that near to both levels.",
        "A task of 100 predictions is off by 3 points or more by chance alone in a third of all cases at "
        "90 %, and in nearly half of them at 80 %.",
        "Tasks with too few labels to calibrate are left out.",
        inputs.reduced,
    ]
    return Table("calibration", f"{inputs.study.title}: calibration", data, header, body, 4, notes)


def _cells(own: pd.DataFrame) -> list[str]:
    """Return the cells of a row of the table."""
    names = [f"coverage_{round(100 * level)}" for level in LEVELS]
    near = [(own[name] - level).abs() <= NEAR for name, level in zip(names, LEVELS, strict=True)]
    held = own[names].notna().all(axis=1)
    within = f"{int((near[0] & near[1]).sum())} of {int(held.sum())}" if held.any() else NOTHING
    errors = ("ece", "ece_calibrated", "brier", "brier_calibrated")
    return [
        *(_spread(own[name], 1, 100) for name in names),
        within,
        *(number(own[name].mean(), 3) for name in errors),
    ]


def _spread(values: pd.Series, digits: int, factor: float) -> str:
    """Return e.g. "90.2 (88.1 to 92.0)"."""
    if not values.notna().any():
        return NOTHING
    mean, low, high = (
        number(factor * value, digits) for value in (values.mean(), values.min(), values.max())
    )
    return f"{mean} ({low} to {high})"
