"""What a reader of means must know of measured values and weights: units, bounds, what was weighed."""

from relatask.core.files import canonical_json
from relatask.evaluation.aggregate import mixed_units
from relatask.evaluation.metrics import METRICS
from relatask.publishing.inputs import Inputs

NAMED = 10  # tasks that a note names


def kind_notes(inputs: Inputs) -> list[str]:
    """Return a footnote for each of these that a study has."""
    datasets = inputs.study.datasets
    return [note for name in datasets for note in (*_values(inputs, name), *_weights(inputs, name))]


def _values(inputs: Inputs, name: str) -> list[str]:
    """Say of measured values in which unit they are, and what became of bounds."""
    if "real" not in inputs.study.sources[inputs.study.datasets[name].source].task_kinds():
        return []
    tasks = inputs.of_dataset(name, "tasks", ["task_id", "name", "kind", "unit", "transform"])
    real = tasks[tasks["kind"] == "real"]
    if inputs.study.items == "series" or real.empty:
        return []
    notes, in_unit = [], [METRICS[metric].label for metric in inputs.study.metrics if METRICS[metric].in_unit]
    units = [str(unit) for unit in real["unit"].dropna().unique()]
    if mixed_units(tasks):
        many = ", ".join([*units, *(["no unit"] if real["unit"].isna().any() else [])])
        notes.append(
            f"{name}: values are in several units ({many}), so {' and '.join(in_unit) or 'errors'} have no "
            "mean over tasks; the table per_task has them in the unit of each."
        )
    elif in_unit and units:
        notes.append(f"{name}: in {units[0]}: {' and '.join(in_unit)}.")
    if done := [str(one) for one in real["transform"].dropna().unique()]:
        notes.append(f"{name}: values were transformed before they were learned ({', '.join(done)}).")
    labels = inputs.of_dataset(name, "labels", ["task_id", "bound"])
    is_bound = labels["bound"] != "="
    if bounded := int(is_bound.sum()):
        only = set(labels.loc[is_bound, "task_id"]) - set(labels.loc[~is_bound, "task_id"])
        alone = sorted(real.loc[real["task_id"].isin(only), "name"])
        more = f" and {len(alone) - NAMED} more" if alone[NAMED:] else ""
        notes.append(
            f"{name}: bounds (< or >) are {bounded:,} of its labels. No metric reads them; networks "
            "learn from them, trees and kernels do not."
            + (f" Nothing but bounds, so in no mean: {', '.join(alone[:NAMED])}{more}." if alone else "")
        )
    return notes


def _weights(inputs: Inputs, name: str) -> list[str]:
    """Say what was weighed in training."""
    weights = inputs.study.datasets[name].weights
    if weights is None:
        return []
    without = [method.label for method in inputs.study.methods if not method.weights]
    but = f"; not {', '.join(without)}" if without else ""
    alone = ""
    if weights.tasks:
        alone = " Weights of tasks change nothing where each task is learned by itself."
    return [f"{name}: trained with weights {canonical_json(weights.given())}{but}; metrics read none.{alone}"]
