"""The sentence that a study ends with, and the winner's models as one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from relatask.config import StudyAtScale, StudyConfig, read_study
from relatask.core.errors import RelataskError
from relatask.core.files import read_json
from relatask.core.kinds import Kind
from relatask.core.layout import in_study
from relatask.core.tables import read_table
from relatask.evaluation.aggregate import join_plan, runs_of
from relatask.evaluation.metrics import METRICS
from relatask.evaluation.verdict import MEASURES, Difference, Verdict, verdict

ALONE, SHARED = "single_task", "shared_bottom"


def sentence_of(folder: Path, models: Path) -> str:
    """Write the model of a finished study, and return what came out in one sentence.

    Args:
        folder: of the study's results.
        models: folder to write the models to: of the first data set and split, and where there are others
            of each in a folder of its own inside.

    Raises:
        RelataskError: nothing was evaluated, or the models were not kept.
    """
    chosen = read_study(folder / in_study("study"))
    study = chosen.study
    plan = runs_of(read_table("plan", folder / in_study("plan")), None)
    metrics = read_table("metrics", folder / in_study("metrics"))
    cells = join_plan(plan, metrics[metrics["run_id"].isin(plan["run_id"])])
    splits, kinds = _splits(folder, chosen), _kinds(plan, metrics)
    columns = [(dataset, split) for dataset in study.datasets for split in study.splits.schemes]
    said = []
    for dataset, split in columns:
        own = cells[(cells["dataset"] == dataset) & (cells["split"] == split)]
        files = splits[dataset, split]
        if _same_test(files):  # seeds train again, or draw validation, and are tested on the same items
            key = [name for name in own if name not in {"seed", "value"}]
            own = own.groupby(key, observed=True)["value"].mean().reset_index().assign(seed=0)
        folds = read_json(files[0])["folds"]
        ratio = folds["test"]["items"] / max(1, folds["train"]["items"])
        found = verdict(own, kinds, str(study.baseline), ratio, _together(study))
        if found is None:
            raise RelataskError(
                f"no task of {dataset} could be measured on the test folds ({split}); see "
                f"{folder / in_study('tables')}: each needs labels that differ in every fold."
            )
        several = len(columns) > 1
        place = models / f"{dataset}-{split}" if several else models
        _keep(plan, found, dataset, split, folder, place)
        said.append(_said(found, f"on {dataset} ({split}) " if several else "", place))
    table = folder / in_study("table", name="main", suffix="md")
    return f"{'; '.join(said)}. Table: {table}."


def _together(study: StudyConfig) -> tuple[str, str] | None:
    """Return the labels of a shared network and of the same for each task alone, if both are there."""
    rows = [row for row in study.methods if row.method in {ALONE, SHARED} and row.balancing == "equal"]
    for shared in rows:
        for alone in rows:
            alike = shared.encoder == alone.encoder and shared.encoder_options == alone.encoder_options
            if alike and (shared.method, alone.method) == (SHARED, ALONE):
                return shared.label, alone.label
    return None


def _splits(folder: Path, chosen: StudyAtScale) -> dict[tuple[str, str], list[Path]]:
    """Return (data set, split) -> the files of records of its splits, one for each seed."""
    study, seeds = chosen.study, chosen.study.scales[chosen.scale].seeds  # type: ignore[index]
    names = [(dataset, split) for dataset in study.datasets for split in study.splits.schemes for _ in seeds]
    found: dict[tuple[str, str], list[Path]] = {}
    for key, file in zip(names, chosen.data_records()[-len(names) :], strict=True):
        found.setdefault(key, []).append(folder.parent / file)
    return found


def _same_test(records: Sequence[Path]) -> bool:
    """Whether the splits of all these records test the same items, or cells."""
    first: pd.DataFrame | None = None
    if len({read_json(path)["digest"] for path in records}) == 1:
        return True
    for path in records:
        split = read_table("split", path.with_suffix(".parquet"))
        tested = split[split["fold"] == "test"][["item_id", "task_id"]].astype(str)
        tested = tested.sort_values(["item_id", "task_id"], ignore_index=True)
        if first is not None and not tested.equals(first):
            return False
        first = tested
    return True


def _kinds(plan: pd.DataFrame, metrics: pd.DataFrame) -> dict[str, Kind]:
    """Return task_id -> kind of its labels, by the metrics that it has."""
    of_metric = {metric: kind for kind, metric in MEASURES.items()}
    named = metrics[["task_id", "metric"]].astype(str).drop_duplicates()
    kinds = named.assign(kind=named["metric"].map(of_metric)).dropna()
    return dict(zip(kinds["task_id"], kinds["kind"], strict=True))


def _keep(plan: pd.DataFrame, found: Verdict, dataset: str, split: str, folder: Path, models: Path) -> None:
    """Put the models of the winner, one for each seed, into one folder."""
    from relatask.journal.journal import MODEL
    from relatask.models.ensemble import write_ensemble

    own = plan[(plan["label"] == found.winner) & (plan["dataset"] == dataset) & (plan["split"] == split)]
    own = own.sort_values(["seed", "run_id"])
    members = [folder / in_study("runs") / run / MODEL for run in own["run_id"]]
    facts: dict[str, Any] = {
        "study": folder.name,
        "dataset": dataset,
        "split": split,
        "label": found.winner,
        "runs": list(own["run_id"]),
    }
    write_ensemble(models, members, facts)


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
    return f"{difference.mean:+.3f} to {what} {difference.other} ({difference.said}{_p(difference)})"


def _learned_together(difference: Difference) -> str:
    words = {"better": "helped", "worse": "did harm", "not told apart": "made no difference that can be told"}
    compared = f"{difference.method} {difference.mean:+.3f} to {difference.other}{_p(difference)}"
    return f"learning together {words[difference.said]} ({compared})"


def _p(difference: Difference) -> str:
    return "" if difference.p != difference.p else f", p {difference.p:.2g}"
