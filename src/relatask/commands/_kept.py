"""What a folder of models holds beside its members: calibration.json and card.md, from a study's results."""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from relatask.config import StudyAtScale
from relatask.core.errors import RelataskError
from relatask.core.files import read_fields
from relatask.core.layout import dataset_file, in_study
from relatask.core.workflow_files import workflow_folder
from relatask.evaluation.calibration import Calibration, calibration_of
from relatask.evaluation.coverage import LEVELS, per_task
from relatask.evaluation.metrics import METRICS
from relatask.journal.journal_entry import read_record as read_entry
from relatask.models.calibration import CALIBRATION, content_of
from relatask.models.card import CARD, Card, TaskRow, card_text
from relatask.publishing.inputs import Inputs
from relatask.publishing.out_of_fold import checked_out_of_fold, kinds_of
from relatask.sources.dataset_sheet import read_sheet


def kept_files(
    folder: Path, chosen: StudyAtScale, dataset: str, split: str, runs: pd.DataFrame
) -> dict[str, bytes]:
    """Return name -> content of the files.

    Args:
        folder: of the study's results.
        chosen: the study.
        dataset: that the models were trained on.
        split: scheme of their splits.
        runs: rows of the plan that trained them, all of one row of the study.
    """
    inputs = Inputs(chosen.study, chosen.scale, folder.parent, folder.name)
    method = str(runs["label"].iloc[0])
    frame = checked_out_of_fold(inputs, dataset, split, method)
    found, checked = calibration_of(frame, kinds_of(inputs, dataset)), per_task(frame)
    card = _card(inputs, dataset, split, runs, found, checked)
    return {CALIBRATION: content_of(found, checked), CARD: card_text(card).encode()}


def _card(
    inputs: Inputs, dataset: str, split: str, runs: pd.DataFrame, found: Calibration, checked: pd.DataFrame
) -> Card:
    described = read_fields(inputs.results / dataset_file("dataset", inputs.name, dataset))
    tasks = inputs.of_dataset(dataset, "tasks")
    records = [read_entry(inputs.results / inputs.name / in_study("runs") / run) for run in runs["run_id"]]
    block, label = inputs.study.datasets[dataset], str(runs["label"].iloc[0])
    row = next(row for row in inputs.study.methods if row.label == label)
    files = ", ".join(map(str, inputs.study.sources[block.source].own_files().values()))
    facts = {
        "trained on": f"{files or block.source}: {described['items']:,} {inputs.items}, "
        f"{described['labels']:,} labels, {len(tasks):,} tasks",
        "licence of the data": _licences(inputs, dataset),
        "standardised": _standardised(described),
        "method": f"{row.method}{f', encoder {row.encoder}' if row.encoder else ''} (row {label})",
        "splits": f"{split}, seeds {', '.join(map(str, sorted(set(runs['seed']))))}: a member for each run, "
        f"{len(runs)} in all",
        "domain": _domain(found),
        "trained": _date(records),
        "made with": ", ".join(f"{name} {one}" for name, one in _versions(records).items()),
        "digest of the data": str(described["digest"]),
    }
    leading = [name for name in inputs.leading if name in set(inputs.metrics["metric"])]
    said = ", ".join(METRICS[name].label for name in leading)
    rows = list(_task_rows(inputs, runs, tasks, leading, found, checked))
    return Card(inputs.study.title, facts, said, rows, list(_errors(found)), LIMITS)


LIMITS = (
    "Intervals, sets and calibrated probabilities were made of molecules that members had not trained on, "
    "drawn as the splits draw them. They hold as often as they say for molecules like these; of another "
    "series they may hold less often, which `similarity` and `domain` tell.",
    "Labels that are bounds, such as >10, count in training where the method can, and not in what is said of "
    "errors.",
)


def _task_rows(
    inputs: Inputs,
    runs: pd.DataFrame,
    tasks: pd.DataFrame,
    leading: Sequence[str],
    found: Calibration,
    checked: pd.DataFrame,
) -> Iterator[TaskRow]:
    metrics = inputs.metrics
    own = metrics[(metrics["fold"] == "test") & metrics["run_id"].isin(runs["run_id"])]
    values = own[own["metric"].isin(leading)].groupby("task_id", observed=True)["value"]
    means, spreads = values.mean(), values.std(ddof=1)
    held = checked.set_index("task_id").to_dict("index")
    for task in tasks.to_dict("records"):
        name = task["task_id"]
        positives = f" ({task['n_pos']:,} of label 1)" if task["kind"] == "binary" else ""
        unit = [task["unit"] if pd.notna(task["unit"]) else "", task["transform"]]
        mean = means.get(name)
        yield TaskRow(
            str(task["name"]),
            f"{task['n_labels']:,}{positives}",
            ", ".join(str(part) for part in unit if pd.notna(part) and part),
            "" if mean is None or pd.isna(mean) else f"{mean:.3f} ± {spreads[name]:.3f}",
            _holds(held.get(name), found.tasks[name].lacks(max(LEVELS))),
        )


def _holds(row: Mapping[Any, Any] | None, why_not: str) -> str:
    """Return how well what is said of a task holds, in words."""
    if row is None:
        return why_not or "too few labels to check"
    parts = [
        f"{row[f'coverage_{percent}']:.1%} in {percent} %"
        for percent in (round(100 * level) for level in LEVELS)
        if pd.notna(row[f"coverage_{percent}"])
    ]
    if pd.notna(row["ece"]):
        parts.append(f"ECE {row['ece']:.3f}, calibrated {row['ece_calibrated']:.3f}")
    return f"{', '.join(parts)} (n {row['n']:,})"


def _errors(found: Calibration) -> Iterator[tuple[str, str, str]]:
    if (bins := found.against_mean) is None:
        return
    for low, mean, ratio, n in zip(bins.low, bins.similarity, bins.ratio, bins.n, strict=True):
        yield f"from {low:.2f}, mean {mean:.2f}", f"{ratio:.2f}", f"{n:,}"


def _domain(found: Calibration) -> str:
    if found.limit is None:
        return ""
    if found.limit > 1:
        return "none: predictions out of fold were nowhere better than the mean of their task"
    return f"molecules whose similarity to training (Tanimoto, ECFP4) is {found.limit:.2f} or more"


def _standardised(described: Mapping[str, Any]) -> str:
    found = described.get("source", {}).get("standardisation", {}).get("standardised", {})
    return ", ".join(f"{what} {how}" for what, how in sorted(found.items()))


def _licences(inputs: Inputs, dataset: str) -> str:
    """Return the licences that config/datasets.tsv names; a user's own file is in no such list."""
    names = {name for key, name in inputs.study.in_sheet() if dataset in key or "sources" in key}
    if not names:
        return "not known to relatask"
    sheet = read_sheet(workflow_folder() / "config" / "datasets.tsv")
    return ", ".join(sorted({entry.licence for name in names for entry in sheet.get(name, ())}))


def _date(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the day of the last training, or SOURCE_DATE_EPOCH's; not that of writing, which differs."""
    if epoch := os.environ.get("SOURCE_DATE_EPOCH", ""):
        try:
            return datetime.fromtimestamp(int(epoch), UTC).date().isoformat()
        except (ValueError, OverflowError, OSError):
            raise RelataskError(f"SOURCE_DATE_EPOCH is {epoch!r}; set it to seconds since 1970.") from None
    return max(str(record["measured"].get("finished", ""))[:10] for record in records)


def _versions(records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    from relatask import __version__

    found: dict[str, set[str]] = {}
    for record in records:
        for name, version in record["measured"].get("libraries", {}).items():
            found.setdefault(name, set()).add(version)
    return {"relatask": __version__, **{name: " and ".join(sorted(found[name])) for name in sorted(found)}}
