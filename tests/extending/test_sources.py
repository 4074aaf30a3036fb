"""A source with its input is two new files, a scheme of splits one: nothing else is edited."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from relatask.core.files import read_json
from tests.extending.additions import LEVELS_AND_KINDS, NODES, SPLIT, TEXTS, in_project
from tests.helpers.package_copy import extended, run_study
from tests.helpers.workflow import TINY, run_warm, write_study

MLP = {"method": "shared_bottom", "encoder": "mlp"}
SCALES = {"quick": {"seeds": [0, 1], "reduced": ["a test"]}}


def study_of(source: dict[str, Any], features: int, **changes: Any) -> dict[str, Any]:
    """A study of one source with two networks."""
    options = {"encoder_options": {"features": features, "width": 16}}
    return {
        "title": "Added",
        "sources": {"added": source},
        "datasets": {"added": {"source": "added", "size": {"items": 200, "tasks": 3}}},
        "splits": {"schemes": ["random"], "fractions": [0.6, 0.2, 0.2]},
        "training": {"epochs": 30, "learning_rate": 0.01, "batch_size": 32},
        "methods": [
            {"label": "MTL", **MLP, **options},
            {"label": "STL", **MLP, **options, "method": "single_task"},
        ],
        "baseline": "STL",
        "scales": SCALES,
        **changes,
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with all additions."""
    additions = (NODES, TEXTS, LEVELS_AND_KINDS, SPLIT)
    return extended(tmp_path_factory.mktemp("sources"), in_project(*additions))


def roc_auc_of(results: Path, name: str) -> pd.Series:
    """Method -> mean ROC-AUC of the test fold."""
    summary = pd.read_parquet(results / name / "summary.parquet")
    found = summary.query("fold == 'test' and metric == 'roc_auc'").set_index("method")["mean"]
    assert set(found.index) == {"MTL", "STL"}
    return found


def test_nodes_of_a_graph_are_learned_from_their_friends(project: Path) -> None:
    results = run_study(project, study_of({"reader": "club"}, features=4), name="nodes")
    assert (roc_auc_of(results, "nodes") > 0.85).all()
    items = pd.read_parquet(results / "nodes" / "data" / "added" / "items.parquet")
    assert items["level"].unique().tolist() == ["node"]
    assert items["friends"].map(len).eq(5).all()
    assert "nodes" in (results / "nodes" / "tables" / "statistics.md").read_text()


def test_texts_are_learned_from_their_words(project: Path) -> None:
    study = study_of({"reader": "reviews", "texts": 150}, features=64)
    study["sources"] = {"texts": study["sources"]["added"]}
    study["datasets"] = {"texts_of_films": {**study["datasets"]["added"], "source": "texts"}}
    results = run_study(project, study, name="words")
    assert (roc_auc_of(results, "words") > 0.9).all()
    labels = pd.read_parquet(results / "words" / "data" / "texts_of_films" / "labels.parquet")
    assert 0.7 < len(labels) / (150 * 3) < 0.9


def test_tasks_of_a_graph_of_its_nodes_and_of_pairs_stand_in_one_table(project: Path) -> None:
    source = {"reader": "motifs", "tasks": ["dense", "hub", "linked"]}
    study = study_of(source, features=4)
    study["sources"] = {"motifs": source}
    study["datasets"] = {"levels": {**study["datasets"]["added"], "source": "motifs"}}
    results = run_study(project, study, name="motif_levels")
    assert (roc_auc_of(results, "motif_levels") > 0.6).all()
    folder = results / "motif_levels" / "data" / "levels"
    items = pd.read_parquet(folder / "items.parquet").set_index("item_id")
    assert items["level"].astype(str).loc[items["parent"].dropna().astype(int)].unique().tolist() == ["graph"]
    tasks = pd.read_parquet(folder / "tasks.parquet").set_index("task_id")
    assert tasks["level"].to_dict() == {"dense": "graph", "hub": "node", "linked": "pair"}
    labels = pd.read_parquet(folder / "labels.parquet")
    of_item = labels["item_id"].map(items["level"].astype(str))
    assert (of_item == labels["task_id"].astype(str).map(tasks["level"])).all()
    table = (results / "motif_levels" / "tables" / "per_task.md").read_text()
    assert all(name in table for name in ("dense", "hub", "linked"))


def test_tasks_of_three_kinds_and_levels_are_learned_side_by_side(project: Path) -> None:
    study = study_of({"reader": "motifs", "graphs": 150}, features=4, metrics=["roc_auc", "mae", "accuracy"])
    study["sources"] = {"kinds": study["sources"]["added"]}
    study["datasets"] = {"kinds": {**study["datasets"]["added"], "source": "kinds"}}
    results = run_study(project, study, name="motif_kinds")
    metrics = pd.read_parquet(results / "motif_kinds" / "metrics.parquet")
    test = metrics[(metrics["fold"] == "test") & metrics["value"].notna()]
    found = test.groupby("metric", observed=True)["task_id"].agg(lambda tasks: sorted(set(tasks.astype(str))))
    assert found.to_dict() == {
        "roc_auc": ["dense", "hub", "linked"],
        "mae": ["degree"],
        "accuracy": ["size"],
    }
    means = test.groupby("metric", observed=True)["value"].mean()
    assert means["accuracy"] > 0.5  # of three sizes, which the vector of a graph holds
    assert means["mae"] < 1.2
    table = (results / "motif_kinds" / "tables" / "all_metrics.md").read_text()
    assert all(name in table for name in ("ROC-AUC", "mean absolute error", "accuracy"))
    study["methods"] = [{**study["methods"][0], "label": "SGNN", "method": "sgnn"}]
    path = write_study(project, {**study, "baseline": "SGNN"}, "refused")
    done = run_warm(project, "-n", "--config", f"study={path}", root=project, check=False)
    assert done.returncode
    assert "does not learn labels of kind" in done.stdout + done.stderr


SIZES = {
    "schemes": ["by_size", "small_2"],
    "variants": {"small_2": {"scheme": "by_size", "smallest_last": True}},
}


def test_a_scheme_of_splits_is_one_file_with_its_options(project: Path) -> None:
    study = {**TINY, "splits": SIZES, "training": {"epochs": 1}}
    study["methods"] = [
        TINY["methods"][1],
        {"label": "RF", "method": "random_forest", "options": {"n_estimators": 5}},
    ]
    study["baseline"] = "RF"
    results = run_study(project, study, name="sizes")
    folder = results / "sizes" / "data" / "tiny_planted"
    size = pd.read_parquet(folder / "items.parquet").set_index("item_id")["n_heavy_atoms"]
    for name, smaller, larger in (("by_size", "train", "test"), ("small_2", "test", "train")):
        path = folder / "splits" / f"{name}-0.parquet"
        fold = pd.read_parquet(path).set_index("item_id")["fold"]
        assert size[fold == smaller].max() <= size[fold == larger].min()
        assert read_json(path.with_suffix(".json"))["scheme"] == "by_size"
    plan = pd.read_parquet(results / "sizes" / "plan.parquet")
    assert plan.groupby("split", observed=True)["run_id"].nunique().to_dict() == {"by_size": 4, "small_2": 4}
    table = (results / "sizes" / "tables" / "main.md").read_text()
    assert r"by\_size" in table
    assert r"small\_2" in table
    wrong = write_study(project, {**study, "splits": {"schemes": ["by_sise"]}}, "wrong")
    done = run_warm(project, "-n", "--config", f"study={wrong}", root=project, check=False)
    assert "splits.schemes.0: there is no split scheme 'by_sise'. Did you mean 'by_size'?" in (
        done.stdout + done.stderr
    )
