"""Methods, loops, encoders and balancing strategies are new files alone: each stands in the tables.

One copy of the project holds all of these additions, which know nothing of each other; a study of them takes
a minute.
"""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.extending.additions import BALANCING, BASELINE, ENCODER, LOOP, NETWORK, SAVED_TABLE, in_project
from tests.helpers.package_copy import extended, run_study
from tests.helpers.workflow import TINY, run_warm, write_study

MTL = {"label": "MTL", "method": "shared_bottom", "encoder": "gin"}
MAML = {"method": "maml", "encoder": "gin"}
ATTENTION = {"method": "task_attention", "encoder": "gin", "encoder_options": {"width": 4, "layers": 1}}
STUDY: dict[str, Any] = {
    **TINY,
    "training": {"epochs": 2, "learning_rate": 0.003},
    "methods": [
        MTL,
        {"label": "Stump", "method": "stump", "options": {"max_depth": 2}},
        {"label": "Attention", **ATTENTION},
        {"label": "AttentionGradNorm", **ATTENTION, "balancing": "gradnorm", "training": {"epochs": 1}},
        {**MTL, "label": "GATv2", "encoder": "gatv2", "encoder_options": {"width": 16}},
        {"label": "MAML", **MAML},
        {"label": "FirstOrder", **MAML, "options": {"first_order": True}},
        {"label": "Bits", "method": "forest_bits"},
        {**MTL, "label": "Slow", "balancing": "slow_first"},
    ],
    "baseline": "MTL",
    "scales": {"quick": {"seeds": [0], "encoders": {"gin": {"width": 16, "layers": 2}}}},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with all additions."""
    additions = (BASELINE, NETWORK, ENCODER, LOOP, SAVED_TABLE, BALANCING)
    return extended(tmp_path_factory.mktemp("methods"), in_project(*additions))


@pytest.fixture(scope="module")
def results(project: Path) -> Path:
    """The study's folder of results."""
    return run_study(project, STUDY) / "mine"


def test_every_row_stands_in_the_main_table_with_a_score_of_its_own(results: Path) -> None:
    summary = pd.read_parquet(results / "summary.parquet")
    found = summary.query("fold == 'test' and metric == 'roc_auc'").set_index("method")["mean"]
    labels = [row["label"] for row in STUDY["methods"]]
    assert sorted(found.index) == sorted(labels)
    assert found.between(0.45, 1).all()
    assert found.nunique() == len(labels)
    text = (results / "tables" / "main.md").read_text()
    assert all(label in text for label in labels)


def test_second_derivatives_change_what_is_learned(results: Path) -> None:
    history = pd.read_parquet(results / "history.parquet")
    plan = pd.read_parquet(results / "plan.parquet").set_index("run_id")
    last = history.groupby("run_id", observed=True)["train_loss"].last()
    by_label = dict(zip(plan.loc[last.index.astype(str), "label"], last, strict=True))
    assert by_label["MAML"] != by_label["FirstOrder"]


def test_a_table_of_a_methods_own_is_merged_and_stands_among_the_tables(results: Path) -> None:
    saved = pd.read_parquet(results / "saved" / "important_bits.parquet")
    plan = pd.read_parquet(results / "plan.parquet")
    assert set(saved["run_id"]) == set(plan.loc[plan["label"] == "Bits", "run_id"])
    assert list(saved.columns) == ["run_id", "task_id", "bit", "importance"]
    assert saved.groupby("task_id", observed=True).size().eq(5).all()
    assert saved["task_id"].nunique() > 20
    assert saved["bit"].between(0, 2047).all()
    table = pd.read_csv(results / "tables" / "saved_important_bits.csv")
    assert list(table.columns) == ["label", "dataset", "split", "seed", "task_id", "bit", "importance"]
    assert len(table) == len(saved)
    assert "Bits" in (results / "tables" / "saved_important_bits.md").read_text()


def test_a_misspelt_option_of_an_addition_is_one_sentence(project: Path) -> None:
    misspelt = [MTL, {"label": "Stump", "method": "stump", "options": {"depth": 2}}]
    study = write_study(project, {**STUDY, "methods": misspelt}, name="misspelt")
    done = run_warm(project, "--dry-run", "--config", f"study={study}", root=project, check=False)
    assert done.returncode != 0
    message = done.stdout + done.stderr
    assert "method 'stump' has no option 'depth'. Did you mean 'max_depth'?" in message
    assert "Traceback" not in message
