"""Known labels through the whole workflow: tables, figures, what was known, and the cells without a label."""

from pathlib import Path

import pandas as pd
import pytest
import yaml
from sklearn.metrics import roc_auc_score

from tests.helpers.coco_layout import write_layout
from tests.helpers.workflow import TINY, run_warm

ROWS = [
    {"label": "MTL", "method": "shared_bottom"},
    {"label": "Known_1", "method": "metalink", "options": {"layers": 1, "known_ratio": 0.5}},
    {"label": "Known_2", "method": "metalink", "options": {"layers": 2, "known_ratio": 0.5}},
    {"label": "Known_80", "method": "metalink", "options": {"layers": 2, "known_ratio": 0.8}},
    {"label": "MF", "method": "matrix_factorisation", "options": {"known_ratio": 0.5}},
]
TABLES = {"main": {"title": "M", "methods": ["MTL", "Known"], "best_of": {"Known": ["Known_1", "Known_2"]}}}


def study_of(encoder: str, **more: object) -> dict:
    rows = [row | ({} if row["label"] == "MF" else {"encoder": encoder}) for row in ROWS]
    return {**TINY, "methods": rows, "baseline": "MTL", "tables": TABLES, **more}


@pytest.fixture(scope="module")
def molecules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a study of planted molecules."""
    folder = tmp_path_factory.mktemp("known")
    study = study_of("fingerprint_mlp", imputation=["MTL", "Known_2", "MF"])
    (folder / "known.yaml").write_text(yaml.safe_dump(study))
    run_warm(folder, "--config", "study=known.yaml")
    return folder / "results"


def test_validation_chooses_the_row_of_the_main_table(molecules: Path) -> None:
    summary = pd.read_parquet(molecules / "known/summary.parquet").query("metric == 'roc_auc'")
    means = summary.set_index(["fold", "method"])["mean"]
    best = max(["Known_1", "Known_2"], key=lambda label: means["valid", label])
    main = pd.read_parquet(molecules / "known/tables/main.parquet").set_index("method")
    assert main.loc["Known", "chosen"] == best
    assert main.loc["Known", "mean"] == pytest.approx(means["test", best])


def test_metrics_recompute_from_cells_that_were_not_known(molecules: Path) -> None:
    plan = pd.read_parquet(molecules / "known/plan.parquet")
    metrics = pd.read_parquet(molecules / "known/metrics.parquet").query(
        "metric == 'roc_auc' and fold == 'test'"
    )
    columns, shown = ["fold", "item_id", "task_id", "predicted_in", "known_in"], []
    for run in plan.query("seed == 0 and label in ['Known_2', 'MF']").itertuples():
        entry = molecules / "known/runs" / run.run_id
        known = pd.read_parquet(entry / "known_labels.parquet").astype({"task_id": str, "fold": str})
        own = known[known["predicted_in"] >= 0].astype({"predicted_in": int, "known_in": int})
        assert not (own["known_in"].to_numpy() >> own["predicted_in"].to_numpy() & 1).any()
        shown.append(known.loc[known["fold"] != "train", columns].reset_index(drop=True))
        saved = metrics[metrics["run_id"] == run.run_id].set_index("task_id")["value"].dropna()
        cells = pd.read_parquet(entry / "predictions.parquet").query("fold == 'test'").set_index("task_id")
        found = {
            task: roc_auc_score(*cells.loc[[task], ["label", "score"]].to_numpy().T) for task in saved.index
        }
        assert found == pytest.approx(saved.to_dict())
    pd.testing.assert_frame_equal(*shown)  # all methods are told the same


def test_every_cell_without_a_label_has_a_score(molecules: Path) -> None:
    labels = pd.read_parquet(molecules / "known/data/tiny_planted/labels.parquet")
    items = pd.read_parquet(molecules / "known/data/tiny_planted/items.parquet")
    tasks = pd.read_parquet(molecules / "known/data/tiny_planted/tasks.parquet")
    for label in ("MTL", "Known_2", "MF"):
        imputed = pd.read_parquet(molecules / f"known/imputed/tiny_planted-{label}.parquet")
        assert len(imputed) == len(items) * len(tasks) - len(labels)
        both = imputed.astype({"task_id": str}).merge(
            labels.astype({"task_id": str}), on=["item_id", "task_id"]
        )
        assert both.empty
        assert imputed["score"].between(0, 1).all()
        assert imputed["spread"].notna().all()


def test_tables_and_figures_of_known_labels_are_there(molecules: Path) -> None:
    names = {path.stem for path in (molecules / "known/figures").glob("*.png")}
    assert {"known_ratio", "label_correlation-tiny_planted"} <= names
    drawn = pd.read_parquet(molecules / "known/figures/known_ratio.parquet")
    assert drawn.query("method == 'Known_2'")["ratio"].tolist() == [0.5, 0.8]
    assert (molecules / "known/tables/correlated_tasks.md").exists()


def test_cells_can_be_held_out_instead_of_molecules(tmp_path: Path) -> None:
    study = study_of("fingerprint_mlp", splits={"schemes": ["cells"]}, imputation=["Known"], tables={})
    study["methods"] = [*(row for row in study["methods"] if row["label"] in {"MTL", "MF"})]
    study["methods"].append({"label": "Known", "method": "metalink", "encoder": "fingerprint_mlp"})
    (tmp_path / "cells.yaml").write_text(yaml.safe_dump(study))
    run_warm(tmp_path, "--config", "study=cells.yaml")
    results = tmp_path / "results"
    predictions = pd.read_parquet(results / "cells/predictions.parquet").astype({"task_id": str, "fold": str})
    run_id = predictions["run_id"].iloc[0]
    seed = pd.read_parquet(results / "cells/plan.parquet").set_index("run_id")["seed"][run_id]
    split = pd.read_parquet(results / f"cells/data/tiny_planted/splits/cells-{seed}.parquet")
    held_out = split[split["fold"] != "train"].astype({"task_id": str, "fold": str})
    own = predictions[predictions["run_id"] == run_id].rename(columns={"item_id": "item_id"})
    assert len(own.merge(held_out, on=["item_id", "task_id", "fold"])) == len(own) == len(held_out)
    assert "of a split of cells, labels" in (results / "cells/tables/splits.md").read_text()
    assert (results / "cells/imputed/tiny_planted-Known.parquet").exists()
    assert not (results / "cells/figures/known_ratio.png").exists()


def test_images_go_the_same_way(tmp_path: Path) -> None:
    write_layout(tmp_path / "coco")
    tiny = {"encoders": {"resnet": {"depth": 12, "width": 4}}, "seeds": [0], "reduced": ["a test"]}
    study = study_of(
        "resnet",
        sources={"coco": {"reader": "coco", "path": "coco", "image_size": 32}},
        datasets={"coco": {"source": "coco", "size": {"items": 26, "tasks": 3}, "whole": 123287}},
        splits={"schemes": ["given"]},
        training={"epochs": 1, "augmentation": "crop_flip"},
        metrics=["average_precision"],
        imputation=[],
        scales={"quick": tiny},
    )
    (tmp_path / "images.yaml").write_text(yaml.safe_dump(study))
    run_warm(tmp_path, "--config", "study=images.yaml")
    main = (tmp_path / "results/images/tables/main.md").read_text()
    assert "average precision" in main
    assert "(smoke run on 26 items of coco)" in main
    drawn = (tmp_path / "results/images/figures/overview.svg").read_text()
    assert "smoke run on 26 items of coco" in drawn
    statistics = (tmp_path / "results/images/tables/statistics.md").read_text()
    assert "images" in statistics
    assert "molecule" not in statistics
