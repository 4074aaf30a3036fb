"""A method is one file: dropped into `methods/`, it appears in the tables and nothing else is edited."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.workflow.conftest import ROOT, run_snakemake, write_study

PREVALENCE = '''"""A new method of a method author: a random forest of one shallow tree."""

from sklearn.tree import DecisionTreeClassifier

CAPABILITIES = {
    "summary": "one shallow tree per task",
    "label": "stump",
    "inputs": ("ecfp",),
    "loop": "estimator",
    "per_task": True,
    "uses_encoder": False,
    "cost_in_tasks": "O(T)",
    "microseconds": 5.0,
    "options": {"max_depth": 1},
}


def build(seed, max_depth):
    """Return the classifier of one task."""
    return DecisionTreeClassifier(max_depth=max_depth, random_state=seed)
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project to which one file was added."""
    folder = tmp_path_factory.mktemp("project")
    for name in ["Snakefile", "config.yaml", "config", "workflow", "profiles", "envs", "src"]:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(source, folder / name)
    (folder / "src" / "relatask" / "methods" / "stump.py").write_text(PREVALENCE)
    return folder


def test_a_new_method_is_one_file(project: Path, tiny_study: dict):
    methods = [tiny_study["methods"][1], {"label": "Stump", "method": "stump", "options": {"max_depth": 2}}]
    study = write_study(project, {**tiny_study, "methods": methods, "baseline": "MTL"})
    run_snakemake(project, "--config", f"study={study}", root=project)
    summary = pd.read_parquet(project / "results" / "tiny" / "summary.parquet")
    found = summary.query("method == 'Stump' and fold == 'test' and metric == 'roc_auc'")
    assert len(found) == 1
    assert 0.5 < found["mean"].iloc[0] < 0.9
    assert "Stump" in (project / "results" / "tiny" / "tables" / "main.md").read_text()


def test_a_misspelt_option_of_a_method_is_one_sentence(project: Path, tiny_study: dict):
    methods = [tiny_study["methods"][1], {"label": "Stump", "method": "stump", "options": {"depth": 2}}]
    study = write_study(project, {**tiny_study, "methods": methods, "baseline": "MTL"}, name="misspelt")
    done = run_snakemake(project, "--dry-run", "--config", f"study={study}", root=project, check=False)
    assert done.returncode != 0
    message = done.stdout + done.stderr
    assert "method 'stump' has no option 'depth'. Did you mean 'max_depth'?" in message
    assert "Traceback" not in message
