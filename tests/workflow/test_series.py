"""A table of series of one's own through the workflow: sets of series are trained and compared."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from relatask.plan.task_sets import task_set_id
from tests.helpers.workflow import run_warm

TASKS = ["flow", "load", "oil"]
MLP = {"series": 3, "window": 12, "width": 8, "layers": 1}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a study of three waves, two seeds of gains apart."""
    folder = tmp_path_factory.mktemp("series")
    time = np.arange(600)
    waves = np.sin(time[:, None] / [5, 7, 11]) + 0.1 * np.random.default_rng(0).normal(size=(600, 3))
    pd.DataFrame(waves, columns=TASKS).assign(date=time).to_csv(folder / "mine.csv", index=False)
    method = {"method": "forecaster", "options": {"horizon": 6}}
    one = {"dataset": "waves", "method": "MTL", "tasks": TASKS, "task_sets": {"select": "all"}}
    study = {
        "title": "Waves",
        "sources": {"mine": {"reader": "series", "path": "mine.csv", "first": 500}},
        "datasets": {"waves": {"source": "mine", "size": {"items": 500, "tasks": 3}}},
        "splits": {"schemes": ["chronological"], "fractions": [0.6, 0.2, 0.2]},
        "methods": [{"label": "MTL", **method, "encoder": "series_mlp", "encoder_options": MLP}],
        "baseline": "MTL",
        "metrics": ["mae"],
        "grouping": {
            "gains": {"one": {**one, "seeds": [0]}, "other": {**one, "seeds": [1]}},
            "strategies": [
                {"label": "Oracle", "estimator": "oracle"},
                {"label": "TAG", "estimator": "tag"},
            ],
            "budgets": 2,
        },
        "scales": {"quick": {"seeds": [0, 1], "training": {"epochs": 3, "learning_rate": 0.01}}},
    }
    (folder / "forecast.yaml").write_text(yaml.safe_dump(study))
    run_warm(folder, "--config", "study=forecast.yaml")
    return folder / "results"


def test_gains_are_how_much_smaller_the_error_is_than_of_the_series_alone(results: Path) -> None:
    gains = pd.read_parquet(results / "forecast/gains/one.parquet")
    sets = [chosen for size in (1, 2, 3) for chosen in combinations(TASKS, size)]
    assert set(gains["task_set_id"]) == {task_set_id(chosen) for chosen in sets}
    plan = pd.read_parquet(results / "forecast/plan.parquet").query("collection == 'one'")
    runs = {tuple(json.loads(row.tasks)): row.run_id for row in plan.itertuples()}
    predictions = pd.read_parquet(results / "forecast/collections/one/predictions.parquet")
    error = {}
    for chosen in (("load",), tuple(TASKS)):
        own = predictions[(predictions["run_id"] == runs[chosen]) & (predictions["task_id"] == "load")]
        own = own[own["fold"] == "test"]
        assert own["item_id"].tolist() == list(range(400, 500))
        error[chosen] = np.abs(own["score"] - own["label"]).mean()
    found = gains.query("task_id == 'load' and fold == 'test'").set_index("task_set_id")["gain"]
    expected = 1 - error[tuple(TASKS)] / error["load",]
    assert found[task_set_id(TASKS)] == pytest.approx(expected, rel=1e-5)


def test_tables_are_of_errors_and_say_whether_gains_agree(results: Path) -> None:
    main = (results / "forecast/tables/main.md").read_text()
    assert "mean absolute error" in main
    assert "lower is better" in main
    agreement = pd.read_parquet(results / "forecast/tables/gain_agreement.parquet")
    assert agreement["fold"].tolist() == ["valid", "test"]
    assert (agreement["gains"] == 9).all()
    assert agreement["correlation"].between(-1, 1).all()


def test_labels_are_the_values_on_the_scale_of_training(results: Path) -> None:
    values = pd.read_csv(results.parent / "mine.csv")[TASKS].iloc[:500]
    labels = pd.read_parquet(results / "forecast/data/waves/labels.parquet")
    found = labels.pivot(index="item_id", columns="task_id", values="value")[TASKS].to_numpy()
    train = values.iloc[:300]
    np.testing.assert_allclose(found, (values - train.mean()) / train.std(ddof=0), atol=1e-5)


def test_a_second_run_has_nothing_to_do(results: Path) -> None:
    study = results.parent / "forecast.yaml"
    done = run_warm(results.parent, "--dry-run", "--config", f"study={study.name}")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_what_series_have_not_is_refused_in_one_sentence(results: Path) -> None:
    study = yaml.safe_load((results.parent / "forecast.yaml").read_text())
    study["methods"][0] |= {"method": "shared_bottom", "encoder": "fingerprint_mlp", "encoder_options": {}}
    del study["methods"][0]["options"]
    (results.parent / "wrong.yaml").write_text(yaml.safe_dump(study))
    done = run_warm(results.parent, "--dry-run", "--config", "study=wrong.yaml", check=False)
    assert done.returncode
    assert "method 'shared_bottom' does not learn from series; name another." in done.stdout + done.stderr
