"""Few-shot learning of drawings of one's own through the workflow, to tables over episodes."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.helpers.class_layouts import write_omniglot
from tests.helpers.workflow import run_warm, write_study

STUDY: dict[str, Any] = {
    "title": "Characters",
    "sources": {"mine": {"reader": "omniglot", "path": "drawings", "image_size": 16}},
    "datasets": {
        "few": {"source": "mine", "episodes": {"ways": 3, "shots": 2, "queries": 3, "evaluated": 30}},
    },
    "splits": {"schemes": ["grouped"], "fractions": [0.5, 0.25, 0.25]},
    "training": {"epochs": 2, "batch_size": 4, "learning_rate": 0.003},
    "methods": [
        {"label": "Prototypes", "method": "prototypes", "encoder": "resnet"},
        {"label": "MetaLink", "method": "prototypes", "encoder": "resnet", "options": {"layers": 1}},
    ],
    "baseline": "Prototypes",
    "metrics": ["accuracy"],
    "scales": {
        "quick": {
            "seeds": [0, 1],
            "encoders": {"resnet": {"depth": 12, "width": 2}},
            "methods": {"prototypes": {"episodes": 16, "pretraining": 1}},
        }
    },
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a study of four alphabets."""
    folder = tmp_path_factory.mktemp("few_shot")
    write_omniglot(folder / "drawings")
    write_study(folder, STUDY, "characters")
    run_warm(folder, "--config", "study=characters.yaml")
    return folder / "results"


def test_tables_are_means_over_the_episodes_of_saved_predictions(results: Path) -> None:
    predictions = pd.read_parquet(results / "characters/predictions.parquet")
    test = predictions[predictions["fold"] == "test"]
    assert len(test) == 4 * 30 * 3 * 3
    plan = pd.read_parquet(results / "characters/plan.parquet").set_index("run_id")
    right = (test["label"] == test["score"]).groupby(test["run_id"].astype(str)).mean()
    main = pd.read_parquet(results / "characters/tables/main.parquet").set_index("method")["mean"]
    for method, mean in right.groupby(plan["label"]).mean().items():
        assert main[method] == pytest.approx(mean)
    episodes = pd.read_parquet(results / "characters/tables/episodes.parquet")
    assert episodes["n_episodes"].tolist() == [30] * 4
    assert episodes[["ways", "shots", "queries"]].drop_duplicates().to_numpy().tolist() == [[3, 2, 3]]
    for row in episodes.itertuples():
        (run,) = plan.index[(plan["label"] == row.method) & (plan["seed"] == row.seed)]
        assert row.mean == pytest.approx(right[run])
        assert row.least <= row.lower <= row.median <= row.upper <= row.greatest
        own = test[test["run_id"] == run]
        by_episode = (own["label"] == own["score"]).groupby(own["task_id"].astype(str)).mean()
        assert row.half_interval == pytest.approx(1.96 * by_episode.std() / 30**0.5)


def test_no_table_or_figure_has_a_row_for_each_episode(results: Path) -> None:
    tables = {path.stem for path in (results / "characters/tables").glob("*.md")}
    assert {"main", "episodes", "significance"} <= tables
    assert not {"per_task", "gain_by_task"} & tables
    for path in (results / "characters/tables").glob("*.md"):
        assert len(path.read_text().splitlines()) < 60, path
        assert "episode00" not in path.read_text(), path
    figures = {path.stem for path in (results / "characters/figures").glob("*.png")}
    assert figures == {"overview", "learning_curves-few"}
    text = (results / "characters/tables/main.md").read_text()
    assert "accuracy × 100 (higher is better): mean over episodes" in text
    assert "ROC-AUC" not in (results / "characters/figures/learning_curves-few.svg").read_text()


def test_methods_are_asked_the_same_of_classes_that_they_have_not_seen(results: Path) -> None:
    predictions = pd.read_parquet(results / "characters/predictions.parquet")
    plan = pd.read_parquet(results / "characters/plan.parquet")
    classes = pd.read_parquet(results / "characters/data/few/labels.parquet").set_index("item_id")["value"]
    for seed in (0, 1):
        runs = plan[plan["seed"] == seed]["run_id"]
        asked = [
            predictions[predictions["run_id"] == run].drop(columns=["run_id", "score"]).reset_index(drop=True)
            for run in runs
        ]
        assert asked[0].equals(asked[1])
        split = pd.read_parquet(results / f"characters/data/few/splits/grouped-{seed}.parquet").set_index(
            "item_id"
        )["fold"]
        assert (asked[0]["item_id"].map(split).astype(str) == asked[0]["fold"].astype(str)).all()
        assert split.groupby(classes).nunique().max() == 1


def test_a_second_run_has_nothing_to_do(results: Path) -> None:
    done = run_warm(results.parent, "--dry-run", "--config", "study=characters.yaml")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_images_that_are_not_there_are_told_in_one_sentence(results: Path) -> None:
    study = "study=metalink_imagenet"
    done = run_warm(results.parent, "--dry-run", "--config", study, check=False)
    assert done.returncode
    told = done.stdout + done.stderr
    assert "sources.miniimagenet.path: there is no file miniimagenet; give its full path" in told
