"""The sentence that a study ends with, and the winner's models as one."""

from pathlib import Path
from typing import Any

import pandas as pd

from relatask.config import StudyAtScale, StudyConfig, read_study
from relatask.config.study import KIND_SAID
from relatask.core.errors import RelataskError
from relatask.core.kinds import Kind
from relatask.core.layout import in_study
from relatask.core.tables import read_table
from relatask.evaluation.aggregate import join_plan, runs_of
from relatask.evaluation.looks import looks_of
from relatask.evaluation.metrics import METRICS
from relatask.evaluation.verdict import MEASURES, Difference, Verdict, verdict

ALONE, SHARED = "single_task", "shared_bottom"


def sentence_of(folder: Path, models: Path) -> str:
    """Write the model of a finished study, and return what came out in one sentence.

    Args:
        folder: of the study's results.
        models: folder to write the models to, see `model_places`.

    Raises:
        RelataskError: nothing was evaluated, or the models were not kept.
    """
    chosen = read_study(folder / in_study("study"))
    study = chosen.study
    plan = runs_of(read_table("plan", folder / in_study("plan")), None)
    metrics = read_table("metrics", folder / in_study("metrics"))
    cells = join_plan(plan, metrics[metrics["run_id"].isin(plan["run_id"])])
    looks, kinds = looks_of(folder.parent, chosen), _kinds(plan, metrics)
    cells = looks.once(cells)
    places, said = model_places(study, models), []
    for (dataset, split), place in places.items():
        own = cells[(cells["dataset"] == dataset) & (cells["split"] == split)]
        ratio = looks.test_to_train[dataset, split]
        found = verdict(own, kinds, str(study.baseline), ratio, _together(study))
        if found is None:
            raise RelataskError(
                f"no task of {dataset} could be measured on the test folds ({split}); see "
                f"{folder / in_study('tables')}: each needs labels that differ in every fold."
            )
        own = plan[(plan["label"] == found.winner) & (plan["dataset"] == dataset) & (plan["split"] == split)]
        _keep(own.sort_values(["seed", "run_id"]), chosen, dataset, split, folder, place)
        said.append(_said(found, f"on {dataset} ({split}) " if len(places) > 1 else "", place))
    table = folder / in_study("table", name="main", suffix="md")
    return f"{'; '.join(said)}. Table: {table}."


def model_places(study: StudyConfig, models: Path) -> dict[tuple[str, str], Path]:
    """Return (data set, split) -> the folder of its model: `models`, or of several one inside."""
    columns = [(dataset, split) for dataset in study.datasets for split in study.splits.schemes]
    if len(columns) == 1:
        return {columns[0]: models}
    return {(dataset, split): models / f"{dataset}-{split}" for dataset, split in columns}


def require_measures(study: StudyConfig, file: Path) -> None:
    """Refuse a study whose metrics lack what the sentence compares tasks by: they would not count in it.

    Raises:
        RelataskError: they do.
    """
    for kind in sorted(study.kinds):
        if (measure := MEASURES[kind]) not in study.metrics:
            raise RelataskError(
                f"{file}: metrics: relatask train compares {KIND_SAID[kind]} by {measure}, which is not "
                f"listed; add it, or run the study by snakemake --config study={file}."
            )


def _together(study: StudyConfig) -> tuple[str, str] | None:
    """Return the labels of a shared network and of the same for each task alone, if both are there."""
    rows = [row for row in study.methods if row.method in {ALONE, SHARED} and row.balancing == "equal"]
    for shared in rows:
        for alone in rows:
            alike = shared.encoder == alone.encoder and shared.encoder_options == alone.encoder_options
            if alike and (shared.method, alone.method) == (SHARED, ALONE):
                return shared.label, alone.label
    return None


def _kinds(plan: pd.DataFrame, metrics: pd.DataFrame) -> dict[str, Kind]:
    """Return task_id -> kind of its labels, by the metrics that it has."""
    of_metric = {metric: kind for kind, metric in MEASURES.items()}
    named = metrics[["task_id", "metric"]].astype(str).drop_duplicates()
    kinds = named.assign(kind=named["metric"].map(of_metric)).dropna()
    return dict(zip(kinds["task_id"], kinds["kind"], strict=True))


def _keep(
    runs: pd.DataFrame, chosen: StudyAtScale, dataset: str, split: str, folder: Path, models: Path
) -> None:
    """Put the models of the winner, one for each of its runs, into one folder, with what they are worth."""
    from relatask.commands._kept import kept_files
    from relatask.journal.journal import MODEL
    from relatask.models.ensemble_folder import write_ensemble

    members = [folder / in_study("runs") / run / MODEL for run in runs["run_id"]]
    facts: dict[str, Any] = {
        "study": folder.name,
        "dataset": dataset,
        "split": split,
        "label": str(runs["label"].iloc[0]),
        "runs": list(runs["run_id"]),
    }
    write_ensemble(models, members, facts, kept_files(folder, chosen, dataset, split, runs))


def _said(found: Verdict, where: str, models: Path) -> str:
    measures = [METRICS[MEASURES[kind]].label for kind in found.kinds]
    measure = measures[0] if len(measures) == 1 else f"mean of {', '.join(measures[:-1])} and {measures[-1]}"
    n = found.n_splits
    parts = [
        f"{where}{found.winner} is best: {measure} {found.mean:.3f} over {n} split{'s' if n > 1 else ''}"
    ]
    if found.runner_up:
        parts.append(_ahead(found.runner_up, "the runner-up"))
    if found.baseline:
        parts.append(_ahead(found.baseline, "the baseline"))
    if found.together:
        parts.append(_learned_together(found.together))
    return f"{', '.join(parts)}; its model is {models}"


def _ahead(difference: Difference, what: str) -> str:
    return f"{difference.mean:+.3f} to {what} {difference.other} ({difference.said}{_interval(difference)})"


def _learned_together(difference: Difference) -> str:
    words = {
        "better": "helped",
        "worse": "did harm",
        "equal": "made no difference that matters",
        "undecided": "made no difference that can be told",
    }
    compared = f"{difference.method} {difference.mean:+.3f} to {difference.other}{_interval(difference)}"
    return f"learning together {words[difference.said]} ({compared})"


def _interval(difference: Difference) -> str:
    low, high = difference.low, difference.high
    return "" if low != low else f", 95 % interval {low:+.3f} to {high:+.3f}"
