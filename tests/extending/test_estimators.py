"""An estimator of groups is one new file."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relatask.plan.task_sets import task_set_id
from tests.extending.additions import ESTIMATOR, in_project
from tests.helpers.package_copy import extended, run_study
from tests.helpers.workflow import TINY, run_warm, write_study

TASKS = ["F1P2_binding", "F1P4_binding", "F3P2_binding"]
STRATEGIES = [
    {"label": "HOA", "estimator": "hoa"},
    {"label": "Best", "estimator": "best_partner", "options": {"discount": 0.5}},
]
STUDY = {
    **TINY,
    "datasets": {"planted3": {**TINY["datasets"]["tiny_planted"], "densify": {"tau": 1, "tasks": TASKS}}},
    "methods": [{"label": "MTL", "method": "shared_bottom", "encoder": "fingerprint_mlp"}],
    "baseline": "MTL",
    "training": {"epochs": 1},
    "grouping": {
        "gains": {
            "three": {"dataset": "planted3", "method": "MTL", "tasks": TASKS, "task_sets": {"select": "all"}}
        },
        "strategies": STRATEGIES,
    },
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with the file, in which the study ran."""
    root = extended(tmp_path_factory.mktemp("estimators"), in_project(ESTIMATOR))
    run_study(root, STUDY)
    return root


def test_a_new_estimator_chooses_groups_and_is_in_the_tables(root: Path) -> None:
    folder = root / "results" / "mine"
    gains = pd.read_parquet(folder / "gains" / "three.parquet").query("fold == 'valid'")
    known = gains.set_index(["task_set_id", "task_id"])["gain"]
    found = pd.read_parquet(folder / "estimates" / "three" / "Best.parquet")
    found = found.set_index(["task_set_id", "task_id"])["estimate"]
    everything = task_set_id(TASKS)
    for task in TASKS:
        pairs = [task_set_id(pair) for pair in combinations(TASKS, 2) if task in pair]
        assert found[everything, task] == pytest.approx(0.5 * max(known[pair, task] for pair in pairs))
    table = pd.read_parquet(folder / "tables" / "grouping.parquet")
    assert set(table["strategy"]) == {"HOA", "Best"}
    assert np.isfinite(table["mean"]).all()
    errors = pd.read_parquet(folder / "tables" / "estimation_errors.parquet")
    assert "Best" in set(errors["strategy"])


def test_a_wrong_option_of_it_is_refused_when_planning(root: Path) -> None:
    wrong = [STRATEGIES[0], {**STRATEGIES[1], "options": {"discuont": 0.5}}]
    study = {**STUDY, "grouping": {**STUDY["grouping"], "strategies": wrong}}
    path = write_study(root, study, "wrong")
    done = run_warm(root, "--dry-run", "--config", f"study={path}", root=root, check=False)
    assert done.returncode != 0
    message = done.stdout + done.stderr
    assert "estimator 'best_partner' has no option 'discuont'. Did you mean 'discount'?" in message
    assert "Traceback" not in message
