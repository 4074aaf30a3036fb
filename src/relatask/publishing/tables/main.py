"""Table `main`: the leading metric of each method, beside what papers report.

A study may name further tables of some methods; they have the same columns.
"""

from typing import Any

import pandas as pd

from relatask.config import TableConfig
from relatask.core.files import read_fields
from relatask.core.layout import dataset_file
from relatask.data.tasks import left_out_said
from relatask.evaluation.metrics import METRICS
from relatask.publishing.formatting import (
    NOTHING,
    Table,
    mean_std,
    printed_label,
    scale_of,
    signed,
)
from relatask.publishing.inputs import Inputs, best_of, marked, records
from relatask.publishing.kind_notes import kind_notes
from relatask.publishing.published_values import lookup
from relatask.publishing.search_notes import search_notes

TABLE = {
    "caption": (
        "The main table: mean ± standard deviation over seeds of the mean over tasks (of few-shot "
        "learning: episodes), for each data set, split and method, and the difference to the "
        "baseline over the cells that are defined in both.\n\n"
        "Cells that are undefined because a test fold has one class only are left out and counted. "
        "Scale of this study: ``{scale}``; the notes of the table say what that makes smaller than "
        "in the papers."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "metric": "string",
        "mean": "float64?",
        "std": "float64?",
        "delta": "float64?",
        "n_seeds": "int32",
        "n_tasks": "int32",
        "n_undefined": "int32",
        "published": "float64?",  # on the metric's own scale, as `mean`
        "published_std": "float64?",
        "difference_in_spreads": "float64?",  # (mean - published) / published_std
        "chosen": "string?",  # the method that stands in the row, where validation chose among several
    },
    "when": ("always",),
    "needs": ("plan", "metrics", "summary", "dataset"),
}


def _main_data(inputs: Inputs, metric: str) -> pd.DataFrame:
    """The summary of a leading metric beside what papers report, on the metric's own scale."""
    summary = inputs.test_summary()
    summary = summary[summary["metric"] == metric].reset_index(drop=True)
    factor, _ = scale_of(METRICS[metric])
    printed = lookup(inputs.published, inputs.study.paper, metric)
    rows = {method.label: method.published for method in inputs.study.methods}
    found = [
        printed.get((rows[row["method"]], _published_column(inputs, row["dataset"], row["split"])))
        for row in records(summary)
    ]
    summary["published"] = [p.value / factor if p else None for p in found]
    summary["published_std"] = [p.spread / factor if p and p.spread else None for p in found]
    summary = summary.astype({"published": float, "published_std": float})
    gap = (summary["mean"] - summary["published"]) / summary["published_std"]
    summary["difference_in_spreads"] = gap if len(inputs.study.splits.schemes) == 1 else float("nan")
    return summary


def _published_column(inputs: Inputs, dataset: str, split: str) -> str | None:
    """What the sheet of published numbers calls a data set under a split."""
    name, setting = inputs.study.datasets[dataset].published, inputs.study.splits.published_of(split)
    return f"{name} {setting}" if name and setting else name


def _best_rows(
    inputs: Inputs, data: pd.DataFrame, rows: dict[str, list[str]], metric: str
) -> list[pd.DataFrame]:
    """Return, for each row and column, what the main table says of the member that is best on validation."""
    valid = inputs.summary[(inputs.summary["fold"] == "valid") & (inputs.summary["metric"] == metric)]
    sign = 1 if METRICS[metric].higher_is_better else -1
    key = ["dataset", "split", "method"]
    ranked = data.merge(valid[[*key, "mean"]], on=key, suffixes=("", "_valid"))
    ranked = ranked.assign(rank=sign * ranked["mean_valid"]).sort_values(
        "rank", ascending=False, kind="stable"
    )
    found = []
    for name, members in rows.items():
        best = ranked[ranked["method"].isin(members)].drop_duplicates(["dataset", "split"])
        found.append(best.assign(chosen=best["method"], method=name)[[*data.columns, "chosen"]])
    return found


def _cell(row: dict[str, Any] | None, inputs: Inputs, best: float | None) -> str:
    """A cell of the main table: mean ± std and, in brackets, the delta to the baseline."""
    if row is None:
        return NOTHING
    metric = METRICS[row["metric"]]
    factor, digits = scale_of(metric)
    text = mean_std(row["mean"], row["std"], metric)
    if row["method"] != inputs.study.baseline and pd.notna(row["delta"]):
        text += f" ({signed(row['delta'] * factor, digits)})"
    if pd.notna(row["chosen"]):
        text += f" [{row['chosen']}]"
    return marked(text, row["mean"], best)


def make(inputs: Inputs) -> Table:
    """Methods x (data set, split): mean ± std over seeds of the leading metric, and the delta.

    Where tasks are of several kinds, each kind has columns of its own, of the first metric of its kind: no
    mean goes across kinds. Where the study says what its paper calls data set and method (`published`), a
    column prints the paper's numbers, and one says how many published spreads ours differs, where the two can
    be compared.
    """
    chosen = inputs.study.tables.get("main")
    *others, last = (METRICS[name].label for name in inputs.leading)
    said = f"{', '.join(others)} and {last}" if others else last
    title = f"{inputs.study.title}: test {said} of each method"
    return methods_table(inputs, "main", chosen or TableConfig(title=title, methods=inputs.methods))


def methods_table(inputs: Inputs, name: str, chosen: TableConfig) -> Table:
    """The rows of the main table that a table of the study names, in its order."""
    methods = chosen.methods
    header, body = ["method"], [[method] for method in methods]
    blocks = [_block(inputs, metric, chosen, header, body) for metric in inputs.leading]
    notes = _main_notes(inputs, blocks)
    return Table(name, chosen.title, pd.concat(blocks, ignore_index=True), header, body, 1, notes, "main")


def _block(
    inputs: Inputs, metric: str, chosen: TableConfig, header: list[str], body: list[list[str]]
) -> pd.DataFrame:
    """Add the columns of a leading metric to `header` and `body`, and return their data."""
    data = _main_data(inputs, metric)
    data = pd.concat([data.assign(chosen=None), *_best_rows(inputs, data, chosen.best_of, metric)])
    data = data[data["method"].isin(chosen.methods)].reset_index(drop=True)
    comparable, schemes = inputs.comparable, inputs.study.splits.schemes
    cells = {(row["method"], row["dataset"], row["split"]): row for row in records(data)}
    of_kind = {name for name in inputs.study.datasets if metric in inputs.leading_of(name)}
    for dataset, split in inputs.columns:
        if dataset not in of_kind:
            continue
        column = [cells.get((method, dataset, split)) for method in chosen.methods]
        best = best_of([row["mean"] for row in column if row], metric)
        header.append(_heading(inputs, metric, dataset, split))
        for line, row in zip(body, column, strict=True):
            line.append(_cell(row, inputs, best))
        own = inputs.study.splits.published_of(split)
        shown = own or split == schemes[-1]
        if not shown or not any(row and pd.notna(row["published"]) for row in column):
            continue
        header += [f"{dataset} {own} published" if own else f"{dataset} published"] + (
            ["in spreads"] if comparable else []
        )
        for line, row in zip(body, column, strict=True):
            said = mean_std(row["published"], row["published_std"], METRICS[metric]) if row else NOTHING
            line.append(said)
            if comparable:
                line.append(signed(row["difference_in_spreads"], 1) if row else NOTHING)
    return data


def _heading(inputs: Inputs, metric: str, dataset: str, split: str) -> str:
    """What stands above a column: the metric and its unit only where there are others."""
    unit = inputs.unit_of(dataset, metric)
    words = [f"{dataset} {split}", METRICS[metric].label if inputs.leading[1:] else ""]
    return " ".join(filter(None, [*words, f"({unit})" if unit else ""]))


def _main_notes(inputs: Inputs, blocks: list[pd.DataFrame]) -> list[str]:
    data = pd.concat(blocks)
    seeds = sorted(set(inputs.plan["seed"]))
    seed_word = "seed" if len(seeds) == 1 else "seeds"
    each = inputs.study.each
    notes = [
        f"{', '.join(_direction(name) for name in inputs.leading)}: mean over {each}s, "
        f"then mean ± sample standard deviation over {len(seeds)} {seed_word} "
        f"({', '.join(map(str, seeds))}); the best mean of a column is bold.",
        f"In brackets: difference to {inputs.study.baseline} over the (seed, {each}) cells defined in both.",
    ]
    for metric, block in zip(inputs.leading, blocks, strict=True):
        of = f"{METRICS[metric].label}: " if len(blocks) > 1 else ""
        notes += [f"{of}{note}" for note in _undefined_notes(inputs, block, metric)]
    notes += [*_left_out_notes(inputs), *kind_notes(inputs), *search_notes(inputs)]
    if data["chosen"].notna().any():
        notes.append("In square brackets: the method whose mean on validation was best, out of several.")
    if data["published"].notna().any():
        spreads = ""
        if inputs.comparable:
            spreads = "; in spreads: (ours − published) / published standard deviation"
        notes.append(f"published: as printed in {inputs.study.paper} (config/published.csv){spreads}.")
    elif inputs.study.paper:
        notes.append(f"{inputs.study.paper} has no number for these rows on these data sets.")
    return [*notes, inputs.reduced]


def _direction(name: str) -> str:
    """A metric as tables print it, and which direction is better."""
    metric = METRICS[name]
    return f"{printed_label(metric)} ({'higher' if metric.higher_is_better else 'lower'} is better)"


def _undefined_notes(inputs: Inputs, data: pd.DataFrame, metric: str) -> list[str]:
    """A note for each data set and split where cells are undefined, else one that says that none is."""
    reasons, notes, each = _reasons(inputs, metric), [], inputs.study.each
    for (dataset, split), rows in data.groupby(["dataset", "split"], sort=False):
        lost = {}
        for row in records(rows):
            why = reasons.get((dataset, split, row["method"] if pd.isna(row["chosen"]) else row["chosen"]))
            if row["n_undefined"]:
                lost[row["method"]] = (row["n_undefined"], f" ({why})" if why else "")
        if not lost:
            continue
        said = ", ".join(f"{count} of {method}{why}" for method, (count, why) in lost.items())
        if len(lost) == len(rows) and len(set(lost.values())) == 1:
            count, why = next(iter(lost.values()))
            said = f"{count} of each method{why}"
        notes.append(f"Undefined (seed, {each}) cells, left out, on {dataset} ({split} split): {said}.")
    return notes or [f"No (seed, {each}) cell is undefined."]


def _left_out_notes(inputs: Inputs) -> list[str]:
    """A note for each data set of which tasks were left out."""
    notes = []
    for dataset in inputs.study.datasets:
        counts = read_fields(inputs.results / dataset_file("dataset", inputs.name, dataset))
        if counts.get("tasks_left_out"):
            said = left_out_said(inputs.of_dataset(dataset, "rejected_tasks"))
            notes.append(f"Of {dataset} {said}.")
    return notes


def _reasons(inputs: Inputs, metric: str) -> dict[tuple[Any, ...], str]:
    """(Data set, split, method) -> e.g. "1 no label, 2 no positive", of its test cells without a value."""
    lost = inputs.undefined_cells_of(metric)
    counts = lost.groupby(["dataset", "split", "method", "reason"], sort=True).size()
    found: dict[tuple[Any, ...], list[str]] = {}
    for dataset, split, method, reason, count in counts.reset_index().itertuples(index=False):
        found.setdefault((dataset, split, method), []).append(f"{count} {reason}")
    return {key: ", ".join(reasons) for key, reasons in found.items()}
