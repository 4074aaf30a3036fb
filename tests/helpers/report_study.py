"""A study's tables with names made to break things, and a small workflow that reports its figures."""

from pathlib import Path

import numpy as np
import pandas as pd

from relatask.config import StudyConfig, table_record
from relatask.core.tables import write_table
from relatask.publishing.inputs import Inputs
from relatask.publishing.outputs import write_caption
from tests.helpers.data_tables import items_table, labels_table, tasks_table, write_records
from tests.helpers.study_tables import make_metrics, make_plan, write_study

HOSTILE = [
    "<script>alert(1)</script>",
    "$(touch pwned)",
    '"><img src=x onerror=alert(1)>',
    "a$b_{c}$ & \x07d",
]
TASKS = [f"task-{number}" for number in range(12)]
TABLES = ("main", "per_task", "statistics", "splits", "significance")  # with a caption each
NAMES = [*HOSTILE, *(f"assay {number}" for number in range(8))]


def write_report_study(results: Path, dataset: str = "toy") -> None:
    """Write the tables that figures are drawn from: below `results`/study and `results`/`dataset`."""
    random = np.random.default_rng(0)
    tables = {
        "tasks": tasks_table(TASKS, name=NAMES, n_pos=10, n_neg=np.arange(12) * 5 + 20),
        "items": items_table(range(60), smiles="CCO", mol_weight=46.0),
        "relations": pd.DataFrame(
            [(TASKS[i], TASKS[j], 0.9, "planted") for i, j in ((0, 1), (0, 2), (1, 10), (3, 4), (4, 5))],
            columns=["task_i", "task_j", "score", "kind"],
        ),
    }
    mol, task = np.nonzero(random.random((60, 12)) < 0.6)
    labels = random.integers(0, 2, len(mol))
    tables["labels"] = labels_table(mol, np.array(TASKS)[task], labels)
    for name, table in tables.items():
        write_table(name, table, results / "study" / "data" / dataset / f"{name}.parquet")
    write_records(results / "study" / "data" / dataset)
    plan = make_plan(methods=("STL", "MTL", "RF"), datasets=(dataset,))
    gains = {"STL": 0.0, "MTL": 0.03, "RF": 0.02}
    metrics = make_metrics(
        plan, TASKS, lambda _, method, seed, task: 0.6 + gains[method] + len(task) / 100 + seed / 200
    )
    history = [
        (run.run_id, None, epoch, 1 / epoch, 0.8 - 0.3 / epoch, 1.0, 100.0)
        for run in plan.itertuples()
        if run.label != "RF"
        for epoch in range(1, 9)
    ]
    columns = ["run_id", "task_id", "epoch", "train_loss", "valid_metric", "seconds", "examples_per_second"]
    write_table("plan", plan, results / "study" / "plan.parquet")
    write_table("metrics", metrics, results / "study" / "metrics.parquet")
    write_table("history", pd.DataFrame(history, columns=columns), results / "study" / "history.parquet")
    write_study(results, STUDY)
    inputs = Inputs(report_study(), "quick", results)
    for name in TABLES:
        write_caption(name, table_record(inputs.study, name), inputs, results / "study")


STUDY = {
    "title": "Toy",
    "sources": {"s": {"reader": "planted"}},
    "datasets": {"toy": {"source": "s", "relations": {"source": "planted"}}},
    "splits": {"schemes": ["random"]},
    "methods": [
        {"label": "STL", "method": "single_task", "encoder": "gin"},
        {"label": "MTL", "method": "shared_bottom", "encoder": "gin"},
        {"label": "RF", "method": "random_forest"},
    ],
    "baseline": "STL",
    "scales": {"quick": {"seeds": [0, 1, 2]}},
}


def report_study() -> StudyConfig:
    """The study of the tables."""
    return StudyConfig.model_validate(STUDY)


SNAKEFILE = """
import sys
from pathlib import Path
sys.path.insert(0, "{root}/src")
from relatask.core.outputs import figure_of
report: "{root}/workflow/report/workflow.rst"
FIGURES = [f"{{kind}}-toy" for kind in ("per_task", "learning_curves", "label_density", "relation_graph")]
FIGURES.append("overview")
TABLES = {tables}

def shown(file, name, category, **labels):
    caption = str(Path("study/captions", f"{{name}}.rst").absolute())
    return report(file, caption=caption, category=category, labels=labels)

rule all:
    input: expand("study/figures/{{name}}.svg", name=FIGURES), expand("tables/{{name}}.html", name=TABLES)

rule draw_figures:
    output:
        [
            shown(
                f"study/figures/{{name}}.svg",
                name,
                figure_of(name)[0].category,
                Figure=figure_of(name)[0].title,
                **({{"Data set": "toy"}} if "-" in name else {{}}),
            )
            for name in FIGURES
        ]
    shell:
        "{python} -m relatask draw_figures --study study/study.json"

rule write_tables:
    output:
        [
            shown(f"tables/{{name}}.html", name, "Tables", Table=name)
            for name in TABLES
        ]
    shell: "for file in {{output}}; do cp page.html $file; done"
"""
