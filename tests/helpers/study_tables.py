"""A small study made by hand: plan, predictions and the files around them, for tests of evaluation."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relatask.config import StudyAtScale, StudyConfig
from relatask.core.files import write_json, write_text
from relatask.core.layout import study_file
from relatask.core.tables import COLUMNS, columns_of, write_table
from relatask.evaluation.aggregate import join_plan, summarise, without_mean
from relatask.evaluation.comparisons import compare
from relatask.evaluation.metrics import METRICS
from relatask.plan.spec import Component, RunSpec
from relatask.publishing.inputs import Inputs
from tests.helpers.data_tables import NO_RELATIONS, tasks_table, write_records

FOLDS = {"train": 160, "valid": 20, "test": 20}  # items of each, of 200


def make_plan(
    methods: Sequence[str] = ("STL", "MTL"),
    datasets: Sequence[str] = ("toy",),
    seeds: Sequence[int] = (0, 1, 2),
    split: str = "random",
    parts: dict[str, int] | None = None,
) -> pd.DataFrame:
    """A `plan` of methods x data sets x seeds; `parts` cuts a method's tasks into runs."""
    rows = []
    for dataset in datasets:
        for method in methods:
            n_parts = (parts or {}).get(method, 1)
            for seed in seeds:
                for part in range(n_parts):
                    tasks: Any = "all" if n_parts == 1 else {"part": part, "of": n_parts}
                    spec = RunSpec(
                        dataset, Component(method.lower()), None, split, seed, tasks=tasks, label=method
                    )
                    rows.append(
                        {
                            "run_id": spec.run_id,
                            "label": method,
                            "dataset": dataset,
                            "method": spec.method.name,
                            "encoder": None,
                            "balancing": "equal",
                            "split": split,
                            "seed": seed,
                            "restart": 0,
                            "tasks": json.dumps(tasks),
                            "collection": None,
                            "hyperparameters": "{}",
                            "predicted_minutes": 1.0,
                            "cost_factor": 1.0,
                            "shard": 0,
                            "spec": spec.canonical(),
                        }
                    )
    return pd.DataFrame(rows)


def write_study(folder: Path, study: dict[str, Any], name: str = "study", scale: str = "quick") -> Path:
    """The study.json of a study in its folder below `folder`, which steps read, and what its splits leak."""
    path = folder / name / "study.json"
    checked = StudyConfig.model_validate(study)
    write_text(path, StudyAtScale(name, scale, checked).text())
    for dataset in checked.datasets:
        write_table(
            "leaks", leaks_table(dataset, checked), folder / study_file("leaks", name, dataset=dataset)
        )
    return path


def leaks_table(dataset: str, study: StudyConfig) -> pd.DataFrame:
    """Table "leaks" of the random splits of a data set."""
    seeds = study.scales["quick"].seeds
    counts = {"test": 20, "compared": 20, "near_twins": 3, "equal_fingerprints": 2, "same_skeleton": 1}
    labels = {"median_similarity": 0.5, "test_labels": 0, "repeated_labels": 0}
    rows = [{"dataset": dataset, "split": "random", "seed": seed, **counts, **labels} for seed in seeds]
    return pd.DataFrame(rows)


def make_metrics(
    plan: pd.DataFrame,
    tasks: Sequence[str],
    value: Callable[[str, str, int, str], float],
    metrics: Sequence[str] = ("roc_auc",),
    folds: Sequence[str] = ("test",),
) -> pd.DataFrame:
    """A `metrics` table where each cell is `value(dataset, method label, seed, task)`; NaN = undefined."""
    rows = []
    for run in plan.itertuples():
        chosen = json.loads(run.tasks)
        own = tasks if chosen == "all" else tasks[chosen["part"] :: chosen["of"]]
        for task in own:
            for fold in folds:
                for metric in metrics:
                    found = value(run.dataset, run.label, run.seed, task)
                    reason = "no positive" if np.isnan(found) else None
                    rows.append((run.run_id, task, fold, metric, found, 10, 5, reason))
    return pd.DataFrame(rows, columns=list(COLUMNS["metrics"]))


def write_dataset(
    folder: Path, tasks: Sequence[str], names: Sequence[str] | None = None, seeds: Sequence[int] = (0, 1, 2)
) -> None:
    """The files of a prepared data set that tables read: tasks, relations, dataset.json and random splits."""
    frame = tasks_table(tasks, name=list(names or tasks), n_pos=25, n_neg=75)
    write_table("tasks", frame, folder / "tasks.parquet")
    write_table("relations", NO_RELATIONS, folder / "relations.parquet")
    write_json(
        folder / "dataset.json",
        {
            "items": 200,
            "tasks": len(tasks),
            "labels": 100 * len(tasks),
            "edges": 3,
            "positive_rate": 0.25,
            "labelled_share": 0.5,
            "digest": "d" * 64,
        },
    )
    for seed in seeds:
        split = pd.DataFrame(
            {
                "item_id": np.arange(200),
                "task_id": None,
                "fold": np.repeat(list(FOLDS), list(FOLDS.values())),
            }
        )
        write_table("split", split, folder / "splits" / f"random-{seed}.parquet")
        write_json(
            folder / "splits" / f"random-{seed}.json",
            {
                "scheme": "random",
                "seed": seed,
                "digest": f"{seed}" * 64,
                "folds": {fold: {"labels": 100 * len(tasks) * n // 200} for fold, n in FOLDS.items()},
            },
        )
    write_records(folder)


HOSTILE = [
    "$(touch x)",
    "<script>alert(1)</script>",
    "a|b",
    "100%_&",
    "`rm -rf`",
    "two\nlines",
    "[x](javascript:y)",
]
TASKS = [f"t{i}" for i in range(7)]
BASE = {("STL", 0): 0.70, ("STL", 1): 0.72, ("MTL", 0): 0.75, ("MTL", 1): 0.79}


METHOD_OF = {"STL": "single_task", "RF": "random_forest"}


def study_of(datasets=("toy",), methods=("STL", "MTL"), metrics=("roc_auc",), schemes=("random",)) -> dict:
    return {
        "title": "Toy & co",
        "sources": {"toy": {"reader": "table", "path": "toy.csv"}},
        "datasets": {name: {"source": "toy"} for name in datasets},
        "splits": {"schemes": list(schemes)},
        "methods": [{"label": label, "method": METHOD_OF.get(label, "shared_bottom")} for label in methods],
        "baseline": "STL",
        "metrics": list(metrics),
        "scales": {"quick": {"seeds": [0, 1], "reduced": ["5 epochs instead of 200"]}},
    }


def value_of(dataset: str, method: str, seed: int, task: str) -> float:
    return BASE[method, seed] + 0.01 * (int(task[1]) - 3)


NO_INTERVALS = pd.DataFrame({name: pd.Series(dtype=object) for name in columns_of("item_intervals")})


def compared_of(cells: pd.DataFrame, config: StudyConfig) -> pd.DataFrame:
    """Return the comparisons of a study whose splits test a third of what they train on."""
    ratios = {(dataset, split): 1 / 3 for dataset in config.datasets for split in config.splits.schemes}
    margins = {name: METRICS[name].margin for name in config.metrics}
    return compare(cells, "STL", config.pairs, test_to_train=ratios, margins=margins)


def results_of(config: StudyConfig, plan: pd.DataFrame, metrics: pd.DataFrame, mixed=()) -> dict:
    """Return the tables that a study makes of its plan and metrics; `mixed` have values in several units."""
    cells = join_plan(plan, metrics)
    return {
        "plan": plan,
        "metrics": metrics,
        "summary": summarise(cells, "STL", mixed),
        "comparisons": compared_of(cells[~without_mean(cells, mixed)], config),
        "item_intervals": NO_INTERVALS,
    }


def make_inputs(
    folder: Path, value=value_of, study: dict | None = None, published=(), seeds=(0, 1), **tables
) -> Inputs:
    config = StudyConfig.model_validate(study or study_of())
    datasets, methods = list(config.datasets), [method.label for method in config.methods]
    plan = make_plan(methods, datasets, seeds=seeds)
    metrics = make_metrics(plan, TASKS, value, metrics=config.metrics)
    for dataset in datasets:
        write_dataset(folder / "study" / "data" / dataset, TASKS, names=HOSTILE, seeds=seeds)
    known = results_of(config, plan, metrics)
    return Inputs(config, "quick", folder, known={**known, **tables}, published=published)
