"""Table `significance`: which methods are ahead of which, and how surely."""

from typing import Any

from relatask.evaluation.comparisons import FAMILY
from relatask.evaluation.metrics import METRICS
from relatask.publishing.formatting import (
    NOTHING,
    Bold,
    Table,
    number,
    scale_of,
    scales_and_directions,
    signed,
)
from relatask.publishing.inputs import Inputs, records

TABLE = {
    "caption": (
        "Each method against the baseline, and further pairs: mean difference over the splits' test folds "
        "with its simultaneous 95 % interval, and what it says: better, worse, equal within the margin, or "
        "undecided."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "metric": "string",
        "method": "string",
        "baseline": "string",
        "n_methods": "int32",
        "n_folds": "int32",
        "n_tasks": "int32",
        "mean_difference": "float64?",
        "ci_low": "float64?",
        "ci_high": "float64?",
        "item_low": "float64?",  # by drawing molecules and tasks anew; null of metrics that are no means
        "item_high": "float64?",
        "margin": "float64?",
        "verdict": "string",  # better, worse, equal, undecided
        "reason": "string?",  # why there is no interval
    },
    "when": ("always",),
    "needs": ("comparisons", "item_intervals", "dataset"),
}


NUMBERS = ("mean_difference", "ci_low", "ci_high", "item_low", "item_high")


def _comparison(row: dict[str, Any]) -> list[str]:
    """The cells of one comparison."""
    metric = METRICS[row["metric"]]
    factor, digits = scale_of(metric)
    shown = {key: signed(row[key] * factor, digits) for key in NUMBERS}
    ends = ((shown["ci_low"], shown["ci_high"]), (shown["item_low"], shown["item_high"]))
    over_splits, over_items = (NOTHING if low == NOTHING else f"{low} to {high}" for low, high in ends)
    told = row["reason"] if isinstance(row["reason"], str) else row["verdict"]
    words = [row["dataset"], row["split"], metric.label, row["method"], row["baseline"]]
    return [
        *words,
        Bold(told) if told in {"better", "worse"} else told,
        number(row["n_folds"], 0),
        number(row["n_tasks"], 0),
        shown["mean_difference"],
        over_splits,
        over_items,
        number(row["margin"] * factor, digits),
    ]


def make(inputs: Inputs) -> Table:
    """Every method against the baseline, the study's contrasts and twins: what the intervals say."""
    drawn = inputs.item_intervals.rename(columns={"low": "item_low", "high": "item_high"})
    key = [*FAMILY, "method", "baseline"]
    data = inputs.ordered(inputs.comparisons.merge(drawn, on=key, how="left"))
    data = data.astype(dict.fromkeys((*NUMBERS, "margin"), float))
    each = inputs.study.each
    metrics = scales_and_directions([METRICS[name] for name in inputs.study.metrics])
    twins = {row.label: row.twin_of for row in inputs.study.methods if row.twin_of}
    again = "; ".join(f"{label} is {row} with other random numbers" for label, row in twins.items())
    notes = [
        f"Difference on the test fold: mean over {each}s, then over splits, of which each is one look; "
        "trainings that are tested on the same items are one.",
        "Interval: 95 %, simultaneous for all methods of a data set, split and metric (Tukey), with the "
        "variance of folds that share training items (Nadeau and Bengio, 2003). margin: a difference up to "
        "it makes none in practice. better, worse: the interval has one sign; equal: it lies within the "
        "margin; undecided: neither. "
        f"{metrics}" + (", so that there a negative difference is better." if "lower" in metrics else "."),
        "molecules and tasks: the interval of the difference when both are drawn anew, with replacement "
        "(Owen, 2007); it is no part of the verdict, and of metrics that are no means there is none.",
        f"A/A control: {again}."
        if again
        else "No row is a twin of another, so nothing here shows what random numbers alone do (`twin_of`).",
        inputs.reduced,
    ]
    header = ["data set", "split", "metric", "method", "against", "verdict", "splits", f"{each}s"]
    return Table(
        "significance",
        f"{inputs.study.title}: which methods are ahead",
        data,
        [*header, "difference", "95 % interval", "molecules and tasks", "margin"],
        [_comparison(row) for row in records(data)],
        6,
        notes,
    )
