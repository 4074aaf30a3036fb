"""The tables that look closer: every task, and every comparison."""

from typing import Any

import pandas as pd

from relatask.core.tables import COLUMNS, read_table
from relatask.evaluation.aggregate import join_plan, per_task
from relatask.evaluation.metrics import METRICS
from relatask.publishing.formatting import (
    NOTHING,
    Bold,
    Table,
    mean_std,
    number,
    p_value,
    scale_of,
    scales_and_directions,
    signed,
)
from relatask.publishing.inputs import Inputs, best_of, marked, records

LEVEL = 0.05
EPISODES_ARE = (
    "all methods are asked the same episodes. The p values speak of more episodes of the networks that were "
    "trained, not of training again; for that see the spread over seeds."
)
KEY = ["dataset", "split", "task_id", "method"]


def _reasons(inputs: Inputs) -> dict[tuple[str, ...], str]:
    """Why test values of the leading metric are undefined, by `KEY`; several reasons are joined."""
    table = inputs.metrics
    lost = table[(table["metric"] == inputs.metric) & (table["fold"] == "test") & table["value"].isna()]
    runs = inputs.plan.drop(columns="method").rename(columns={"label": "method"})
    joined = lost.astype({"run_id": object, "task_id": object}).merge(runs, on="run_id")
    found: dict[tuple[str, ...], set[str]] = {}
    for row in records(joined[[*KEY, "reason"]]):
        found.setdefault(tuple(row[column] for column in KEY), set()).add(row["reason"])
    return {key: ", ".join(sorted(reasons)) for key, reasons in found.items()}


def _per_task_data(inputs: Inputs) -> list[list[dict[str, Any]]]:
    """For each (data set, split, task) of the study the values of all methods."""
    values = {
        tuple(row[column] for column in KEY): row
        for row in records(per_task(join_plan(inputs.plan, inputs.metrics), inputs.metric))
    }
    reasons, lines = _reasons(inputs), []
    for dataset, split in inputs.columns:
        for task in records(read_table("tasks", inputs.results / dataset / "tasks.parquet")):
            shared = {"dataset": dataset, "split": split, "task_id": task["task_id"], "name": task["name"]}
            shared |= {
                "n_labels": task["n_labels"],
                "n_pos": task["n_pos"],
                "metric": inputs.metric,
            }
            line = []
            for method in inputs.methods:
                key = (dataset, split, task["task_id"], method)
                value = values.get(key, {"mean": None, "std": None, "n_seeds": 0})
                line.append({**value, **shared, "method": method, "reason": reasons.get(key)})
            lines.append(line)
    return lines


def per_task_table(inputs: Inputs) -> Table:
    """(Data set, split, task) x method: mean ± std over seeds of the leading metric on the test fold."""
    metric, lines = METRICS[inputs.metric], _per_task_data(inputs)
    body = []
    for line in lines:
        best = best_of([cell["mean"] for cell in line], inputs.metric)
        shown = [marked(mean_std(cell["mean"], cell["std"], metric), cell["mean"], best) for cell in line]
        first = line[0]
        counts = [number(first["n_labels"], 0), number(first["n_pos"], 0)]
        body.append([first["dataset"], first["split"], first["name"], *counts, *shown])
    data = pd.DataFrame([cell for line in lines for cell in line], columns=list(COLUMNS["table_per_task"]))
    notes = [
        f"{metric.label}{' × 100' if metric.percent else ''} on the test fold, mean ± population standard "
        "deviation over the seeds where it is defined; the best of a row is bold.",
        f"labels and active count the whole data set. {NOTHING}: undefined for every seed; the column reason "
        "of the csv file says why.",
        inputs.reduced,
    ]
    header = ["data set", "split", "task", "labels", "active", *inputs.methods]
    return Table("per_task", f"{inputs.study.title}: each task", data, header, body, 3, notes)


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


def significance_table(inputs: Inputs) -> Table:
    """Every method against the baseline, and the study's contrasts: what the p values say."""
    data = inputs.ordered(inputs.comparisons)
    numbers = ["mean_difference", "ci_low", "ci_high", "statistic", "p_value", "p_holm"]
    data = data.astype(dict.fromkeys(numbers, float))
    data["verdict"] = [_verdict(row) for row in records(data)]
    each = METRICS[inputs.metric].each
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
