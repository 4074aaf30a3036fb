"""A small study of graphs, nodes and links made by hand: tasks of three levels and rows that train some."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from relatask.config import StudyConfig
from relatask.core.registry import complete_options
from relatask.core.tables import write_table
from relatask.publishing.inputs import Inputs
from relatask.publishing.published_values import Published
from tests.helpers.data_tables import tasks_table, write_records
from tests.helpers.study_tables import make_metrics, make_plan, write_dataset

TASKS = {  # task -> level, kind, metric
    "g": ("graph", "class", "accuracy"),
    "n1": ("node", "class", "accuracy"),
    "n2": ("node", "class", "accuracy"),
    "l": ("pair", "binary", "roc_auc"),
}
GCN = {"encoder": "residual_gcn"}
SINGLE = [
    {
        "label": f"Cl_{level}",
        "method": "joint",
        **GCN,
        "options": {"trains": level},
        "published": "Cl",
    }
    for level in ("graph", "node", "pair")
]
ROWS: list[dict[str, Any]] = [
    {"label": "iSAME", "method": "same", **GCN, "published": "iSAME"},
    {
        "label": "iSAME_node",
        "method": "same",
        **GCN,
        "options": {"trains": "node"},
        "published": "iSAME",
    },
    {"label": "Cl_both", "method": "joint", **GCN, "options": {"trains": "graph_node"}, "published": "Cl"},
    *SINGLE,
    {"label": "Attributes", "method": "attributes"},
]


BASE = {"g": 0.5, "n1": 0.7, "n2": 0.9, "l": 0.8}
BETTER = {"iSAME": 1.1, "iSAME_node": 1.2, "Cl_both": 0.9, "Attributes": 0.8}
SEEDS = 0.01


def level_value(label: str, seed: int, task: str) -> float:
    """Single-task rows know their own level, and of the others two thirds of it."""
    own = {"Cl_graph": "g", "Cl_node": "n1 n2", "Cl_pair": "l"}
    factor = BETTER.get(label, 1.0 if task in own.get(label, "").split() else 2 / 3)
    return BASE[task] * factor + SEEDS * seed


def level_inputs(
    folder: Path,
    value: Callable[[str, int, str], float],
    rows: list[dict[str, Any]] | None = None,
    seeds: tuple[int, ...] = (0, 1, 2),
    metrics: tuple[str, ...] = ("accuracy", "macro_f1", "roc_auc"),
    published: list[Published] | None = None,
    **study: Any,
) -> Inputs:
    """Return inputs where the test value of each cell is `value(row's label, seed, task)`."""
    config = StudyConfig.model_validate(
        {
            "title": "Levels",
            "paper": "same",
            "sources": {"toy": {"reader": "tudataset"}},
            "datasets": {"toy": {"source": "toy", "published": "ENZYMES"}},
            "splits": {"schemes": ["random"]},
            "methods": rows or ROWS,
            "baseline": (rows or ROWS)[0]["label"],
            "metrics": list(metrics),
            "scales": {"quick": {"seeds": list(seeds)}},
            **study,
        }
    )
    plan = make_plan([row.label for row in config.methods], seeds=seeds)
    of_label = {row.label: row for row in config.methods}
    plan["method"] = [of_label[label].method for label in plan["label"]]
    plan["encoder"] = [of_label[label].encoder for label in plan["label"]]
    plan["hyperparameters"] = [
        json.dumps({"method": complete_options("methods", row.method, row.options)})
        for row in map(of_label.get, plan["label"])
    ]
    parts = [
        make_metrics(
            plan, [task], lambda _, label, seed, task: value(label, seed, task), metrics=(metric, *other)
        )
        for task, (_, kind, metric) in TASKS.items()
        for other in [("macro_f1",) if kind == "class" else ()]
        if metric in metrics
    ]
    write_dataset(folder / "study" / "data" / "toy", list(TASKS), seeds=seeds)
    level, kind, metric = (list(names) for names in zip(*TASKS.values(), strict=True))
    tasks = tasks_table(list(TASKS), level=level, kind=kind, metric=metric)
    write_table("tasks", tasks, folder / "study" / "data" / "toy" / "tasks.parquet")
    write_records(folder / "study" / "data" / "toy")
    known = {"plan": plan, "metrics": pd.concat(parts, ignore_index=True)}
    return Inputs(config, "quick", folder, known=known, published=published or [])
