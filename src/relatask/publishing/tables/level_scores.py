"""Table `level_scores`: what each row is worth for graphs, nodes and links, trained for them or not."""

from typing import Any

import pandas as pd

from relatask.core.tables import columns_of
from relatask.evaluation.metrics import METRICS
from relatask.evaluation.spread import spread_by
from relatask.publishing.formatting import NOTHING, Table, mean_std, printed_label, scale_of
from relatask.publishing.inputs import Inputs, best_of, marked, records
from relatask.publishing.levels import (
    NAMES,
    RESULT,
    level_means,
    level_values,
    levels_of,
    printed,
    rows_of,
    short_of,
)

TABLE = {
    "caption": (
        "Each method at each level, graphs, nodes and links: mean over the level's tasks, then mean ± "
        "standard deviation over seeds, in the metric of these tasks. What a method did not train is marked: "
        "there a linear classifier reads its embeddings. Beside rows of one level stand the paper's numbers."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "level": "string",
        "metric": "string",
        "trained": "bool",  # whether the method trains this level
        "mean": "float64?",
        "std": "float64?",
        "n_seeds": "int32",
        "n_tasks": "int32",
        "n_undefined": "int32",  # (task, seed) cells that are left out
        "published": "float64?",  # on the metric's own scale, as `mean`
        "published_std": "float64?",
    },
    "when": ("levels",),
    "needs": ("plan", "metrics", "dataset"),
}
MARK = "†"


def scores(inputs: Inputs) -> pd.DataFrame:
    """Return a row for each (data set, split, method, level); a study's order."""
    values = level_values(inputs)
    found = spread_by(level_means(values), RESULT).rename(columns={"count": "n_seeds"})
    groups = values.groupby(RESULT, sort=False)
    found = found.reindex(groups.size().index)
    found["n_seeds"] = found["n_seeds"].fillna(0)
    found["metric"], found["n_tasks"] = groups["metric"].first(), groups["task_id"].nunique()
    found["n_undefined"] = groups["value"].agg(lambda value: value.isna().sum())
    table = found.reset_index()
    of_row, notes = {row.label: row for row in rows_of(inputs)}, []
    for line in records(table):
        row, there = of_row[line["method"]], levels_of(inputs, line["dataset"])
        levels, factor = row.trained(there), scale_of(METRICS[line["metric"]])[0]
        paper = None
        if levels == (line["level"],):
            paper = printed(inputs, line["dataset"], row, levels, line["metric"])
        spread = paper.spread / factor if paper and paper.spread else None
        notes.append((line["level"] in levels, paper.value / factor if paper else None, spread))
    columns = ["trained", "published", "published_std"]
    table[columns] = pd.DataFrame(notes, columns=columns, index=table.index)
    table = table.astype({"trained": bool, "published": float, "published_std": float})
    return inputs.ordered(table)[list(columns_of("table_level_scores"))]


def make(inputs: Inputs) -> Table:
    """Methods x (data set, split, level): mean ± std over seeds, and the paper's numbers."""
    data, schemes = scores(inputs), inputs.study.splits.schemes
    cells = {tuple(row[name] for name in RESULT): row for row in records(data)}
    header, body = ["method"], [[method] for method in inputs.methods]
    for dataset, split in inputs.columns:
        for level in levels_of(inputs, dataset):
            column = [cells.get((dataset, split, method, level)) for method in inputs.methods]
            header.append(" ".join([dataset, *([split] if len(schemes) > 1 else []), NAMES[level]]))
            best = _best(column)
            for line, row in zip(body, column, strict=True):
                line.append(_cell(row, best))
            if split == schemes[-1] and any(row and pd.notna(row["published"]) for row in column):
                header.append(f"{dataset} {short_of([level])} published")
                for line, row in zip(body, column, strict=True):
                    line.append(_number(row, "published", "published_std") if row else NOTHING)
    return Table(
        "level_scores",
        f"{inputs.study.title}: graphs, nodes and links",
        data,
        header,
        body,
        1,
        _notes(inputs, data),
    )


def _best(column: list[dict[str, Any] | None]) -> float | None:
    rows = [row for row in column if row]
    return best_of([row["mean"] for row in rows], rows[0]["metric"]) if rows else None


def _cell(row: dict[str, Any] | None, best: float | None) -> str:
    if row is None:
        return NOTHING
    text = _number(row, "mean", "std")
    if not row["trained"] and text != NOTHING:
        text += f" {MARK}"
    return marked(text, row["mean"], best)


def _number(row: dict[str, Any], mean: str, std: str) -> str:
    return mean_std(row[mean], row[std], METRICS[row["metric"]])


def _notes(inputs: Inputs, data: pd.DataFrame) -> list[str]:
    metrics = {level: data.loc[data["level"] == level, "metric"].unique() for level in NAMES}
    said = "; ".join(
        f"{NAMES[level]}: {' and '.join(printed_label(METRICS[name]) for name in names)}"
        for level, names in metrics.items()
        if len(names)
    )
    heads = [row.label for row in rows_of(inputs) if row.reads_heads]
    notes = [
        f"{said}; on the test fold, mean over the level's tasks, then mean ± sample standard deviation "
        "over seeds; the best of a column is bold.",
        f"{MARK}: the method did not train this level."
        + (f" Heads of their own score the levels that these trained: {', '.join(heads)}." if heads else "")
        + " All else is scored by a linear classifier on frozen embeddings.",
    ]
    if lost := int(data["n_undefined"].sum()):
        notes.append(
            f"{lost} undefined (method, task, seed) cells are left out; the csv file has them by row."
        )
    if data["published"].notna().any():
        notes.append(f"published: as printed in {inputs.study.paper} (config/published.csv).")
    return [*notes, inputs.reduced]
