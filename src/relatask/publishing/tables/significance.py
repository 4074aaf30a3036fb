"""Table `significance`: which differences between methods are more than chance."""

from typing import Any

from relatask.evaluation.metrics import METRICS
from relatask.publishing.formatting import (
    NOTHING,
    Bold,
    Table,
    number,
    p_value,
    scale_of,
    scales_and_directions,
    signed,
)
from relatask.publishing.inputs import Inputs, records

TABLE = {
    "caption": (
        "Each method against the baseline, paired by task, or by episode of few-shot learning (mean "
        "over seeds): mean difference with its 95 % bootstrap interval (these resampled), Wilcoxon "
        "signed-rank test, and the p value after Holm's correction for the methods compared on one "
        "data set, split and metric."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "metric": "string",
        "method": "string",
        "baseline": "string",
        "n_pairs": "int32",
        "mean_difference": "float64?",
        "ci_low": "float64?",
        "ci_high": "float64?",
        "statistic": "float64?",
        "p_value": "float64?",
        "p_holm": "float64?",
        "verdict": "string",  # better, worse, not told apart, or why there is no test
    },
    "when": ("always",),
    "needs": ("comparisons", "dataset"),
}
LEVEL = 0.05
EPISODES_ARE = (
    "all methods are asked the same episodes. The p values speak of more episodes of the networks that were "
    "trained, not of training again; for that see the spread over seeds."
)


def _verdict(row: dict[str, Any]) -> str:
    """What the corrected test says in words, or why there is none."""
    if isinstance(row["reason"], str):
        return row["reason"]
    if row["p_holm"] >= LEVEL:
        return "not told apart"
    gained = (row["mean_difference"] > 0) == METRICS[row["metric"]].higher_is_better
    return "better" if gained else "worse"


def _comparison(row: dict[str, Any]) -> list[str]:
    """The cells of one comparison."""
    metric = METRICS[row["metric"]]
    factor, digits = scale_of(metric)
    difference, low, high = (
        signed(row[key] * factor, digits) for key in ("mean_difference", "ci_low", "ci_high")
    )
    interval = NOTHING if low == NOTHING else f"{low} to {high}"
    verdict = Bold(row["verdict"]) if row["verdict"] in {"better", "worse"} else row["verdict"]
    words = [row["dataset"], row["split"], metric.label, row["method"], row["baseline"], verdict]
    return [
        *words,
        number(row["n_pairs"], 0),
        difference,
        interval,
        number(row["statistic"], 0),
        p_value(row["p_value"]),
        p_value(row["p_holm"]),
    ]


def make(inputs: Inputs) -> Table:
    """Every method against the baseline, and the study's contrasts: what the p values say."""
    data = inputs.ordered(inputs.comparisons)
    numbers = ["mean_difference", "ci_low", "ci_high", "statistic", "p_value", "p_holm"]
    data = data.astype(dict.fromkeys(numbers, float))
    data["verdict"] = [_verdict(row) for row in records(data)]
    each = inputs.study.each
    metrics = scales_and_directions([METRICS[name] for name in inputs.study.metrics])
    notes = [
        f"Difference on the test fold, one pair per {each} (mean over seeds): "
        + (EPISODES_ARE if each == "episode" else "seeds share the data, so they are no pairs of their own.")
        + " Wilcoxon signed-rank test (statistic W), Holm's correction over the comparisons of one data set, "
        f"split and metric; 95 % BCa bootstrap interval of the mean over {each}s.",
        f"The test asks on how many {each}s, by rank, a method is ahead; the interval is about the mean. "
        f"Where a few {each}s differ much from the others, the two may disagree.",
        f"better, worse: p (Holm) < {LEVEL}. {metrics}, so that there a negative difference is better."
        if "lower" in metrics
        else f"better, worse: p (Holm) < {LEVEL}. {metrics}.",
        inputs.reduced,
    ]
    header = ["data set", "split", "metric", "method", "against", "verdict", f"{each}s", "difference"]
    return Table(
        "significance",
        f"{inputs.study.title}: which differences are more than chance",
        data,
        [*header, "95 % interval", "W", "p", "p (Holm)"],
        [_comparison(row) for row in records(data)],
        6,
        notes,
    )
