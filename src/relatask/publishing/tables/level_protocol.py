"""Table `level_protocol`: links as SAME's released code measures them, beside links that are held out."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pandas as pd

from relatask.config.conditions import released_twins
from relatask.core.layout import study_file
from relatask.core.tables import columns_of, read_batches
from relatask.evaluation.spread import over_seeds
from relatask.publishing.figure_data import with_plan
from relatask.publishing.formatting import Table, number, signed
from relatask.publishing.inputs import Inputs, records
from relatask.publishing.levels import level_values

TABLE = {
    "caption": (
        "What the released protocol of SAME changes for links: there edges that are asked about carry "
        "messages, and links are trained through a second sigmoid. ROC-AUC and accuracy (a score above 0.5 "
        "is a link) of rows that differ in the option `protocol` alone, and the difference."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "method": "string",  # as released
        "other": "string",  # the row with links held out
        "metric": "string",
        "released": "float64?",  # mean over links' tasks, then over seeds
        "released_std": "float64?",
        "held_out": "float64?",
        "held_out_std": "float64?",
        "difference": "float64?",  # released - held_out, by seed
        "difference_std": "float64?",
        "n_seeds": "int32",
    },
    "when": ("levels", "released_protocol"),
    "needs": ("plan", "metrics", "predictions", "dataset"),
}
METRICS = {"roc_auc": "ROC-AUC", "accuracy": "accuracy"}
RESULT = ["dataset", "split", "method", "metric"]


def _accuracies(inputs: Inputs, methods: list[str], tasks: set[str]) -> Iterator[pd.DataFrame]:
    """Yield the share of test labels of each run and link task that a score above 0.5 tells.

    Accuracy of tasks of labels 0 and 1 is no metric of the project, so it is counted from predictions, some
    runs at a time.
    """
    inputs.require("predictions")
    plan = inputs.plan
    runs = set(plan.loc[plan["label"].isin(methods), "run_id"])
    path = inputs.results / study_file("predictions", inputs.name)
    for batch in read_batches("predictions", path, by="run_id"):
        chosen = (batch["fold"] == "test") & batch["run_id"].isin(runs) & batch["task_id"].isin(tasks)
        rows = batch.loc[chosen, ["run_id", "task_id", "label", "score"]].astype(
            {"run_id": str, "task_id": str}
        )
        right = (rows["score"] > 0.5) == (rows["label"] > 0.5)
        yield right.groupby([rows["run_id"], rows["task_id"]]).mean().rename("value").reset_index()


def differences(inputs: Inputs) -> pd.DataFrame:
    """Return a row for each (data set, split, released row, metric)."""
    values = level_values(inputs)
    values = values[(values["level"] == "pair") & (values["metric"] == "roc_auc")]
    twins, links = released_twins(inputs.study), values[["dataset", "task_id"]].drop_duplicates()
    counted = pd.concat(_accuracies(inputs, [*twins, *twins.values()], set(links["task_id"])))
    accuracy = with_plan(counted, inputs.plan).merge(links).assign(metric="accuracy")
    both = pd.concat([one[[*RESULT, "seed", "value"]] for one in (values, accuracy)], ignore_index=True)
    by_row = dict(list(both.groupby(RESULT)))
    found = []
    for dataset, split in inputs.columns:
        for (released, held_out), metric in product(twins.items(), METRICS):
            rows = [by_row.get((dataset, split, method, metric)) for method in (released, held_out)]
            if rows[0] is not None and rows[1] is not None:
                names = {"dataset": dataset, "split": split, "method": released, "other": held_out}
                found.append({**names, "metric": metric, **_compared(rows[0], rows[1])})
    columns = columns_of("table_level_protocol")
    numbers = [name for name, kind in columns.items() if kind.startswith("float")]
    return pd.DataFrame(found, columns=list(columns)).astype(dict.fromkeys(numbers, float))


def _compared(released: pd.DataFrame, held_out: pd.DataFrame) -> dict[str, Any]:
    """Means over tasks, then over the seeds that both have, and their difference."""
    parts = {"released": released, "held_out": held_out}
    pairs = pd.DataFrame(
        {name: rows.groupby("seed")["value"].mean() for name, rows in parts.items()}
    ).dropna()
    pairs["difference"] = pairs["released"] - pairs["held_out"]
    row: dict[str, Any] = {"n_seeds": len(pairs)}
    for name in (*parts, "difference") if len(pairs) else ():
        row[name], row[f"{name}_std"] = over_seeds(pairs[name])
    return row


def make(inputs: Inputs) -> Table:
    """(Data set, split, row, metric): as released, held out, and the difference."""
    data, body = differences(inputs), []
    for row in records(data):
        words = [row["dataset"], row["split"], row["method"], row["other"], METRICS[row["metric"]]]
        cells = [
            show(100 * row[name], 2) + _spread(row[f"{name}_std"])
            for name, show in (("released", number), ("held_out", number), ("difference", signed))
        ]
        body.append([*words, *cells, number(row["n_seeds"], 0)])
    notes = [
        "Links of the test fold, × 100, mean ± sample standard deviation over seeds; difference: "
        "released − held out, by seed. accuracy: share of links and other pairs that a score above 0.5 "
        "tells.",
        "held out: edges that are asked about carry no messages, in training and in test.",
        inputs.reduced,
    ]
    if not body:
        notes.insert(0, "No task of links has values for two rows that differ in the protocol alone.")
    header = ["data set", "split", "released", "held out", "metric", "released", "held out", "difference"]
    title = f"{inputs.study.title}: links as released and held out"
    return Table("level_protocol", title, data, [*header, "seeds"], body, 5, notes)


def _spread(std: float) -> str:
    return "" if pd.isna(std) else f" ± {number(100 * std, 2)}"
