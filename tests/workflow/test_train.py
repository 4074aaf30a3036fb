"""`relatask train` of an installed package, from a table to a verdict and a model, also after a kill."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.own_table import write_own_table
from tests.helpers.package_copy import LEFT_OUT, PARTS
from tests.helpers.paths import ROOT
from tests.helpers.workflow import run_snakemake, run_warm, warm

SENTENCE = "is best: mean of ROC-AUC and R² "


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as pip installs it, and nothing else of the project."""
    folder = tmp_path_factory.mktemp("installed")
    for part in (*PARTS, "setup.py", "pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / "clone" / part, ignore=shutil.ignore_patterns(*LEFT_OUT))
        else:
            (folder / "clone").mkdir(exist_ok=True)
            shutil.copy(ROOT / part, folder / "clone" / part)
    build = [sys.executable, "setup.py", "-q", "build_py", "--build-lib", str(folder / "site")]
    subprocess.run(build, cwd=folder / "clone", check=True, capture_output=True)
    shutil.rmtree(folder / "clone")
    return folder / "site"


def start(site: Path, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(warm()), "-m", "relatask", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(site), "SOURCE_DATE_EPOCH": "0"},  # no day ends in between
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ended(site: Path, folder: Path, *arguments: str) -> tuple[int, str, str]:
    process = start(site, folder, *arguments)
    out, err = process.communicate(timeout=1200)
    return process.returncode, out, err


def test_a_table_becomes_a_verdict_and_a_model_also_after_a_kill(site: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
        write_own_table(folder)
    code, out, err = ended(site, whole, "train", "assays.csv", "--tiny", "--cores", "2")
    assert code == 0, err
    assert out.count("\n") == 1
    assert SENTENCE in out
    assert "learning together " in out
    table, report = "results/assays/tables/main.md", "results/assays/report.html"
    assert out.rstrip().endswith(f"its model is models/assays. Table: {table}. Report: {report}.")
    assert str(tmp_path) not in (whole / report).read_text()
    said = [line.split(":")[0] for line in err.splitlines()]
    stages = ["reading and preparing", "training", "evaluating", "writing tables and figures"]
    assert [line for line in said if line in stages] == stages
    assert len(err.splitlines()) < 12
    process = start(site, killed, "train", "-i", "assays.csv", "--tiny", "--cores", "2")
    while not any((killed / "results" / "assays" / "runs").glob("*/run.json")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (killed / "models").exists()
    code, again, err = ended(site, killed, "train", "assays.csv", "--tiny", "--cores", "2")
    assert code == 0, err
    assert again == out
    models = [folder / "models" / "assays" / "ensemble.json" for folder in (whole, killed)]
    assert models[0].read_bytes() == models[1].read_bytes()
    assert len(json.loads(models[0].read_text())["members"]) == 3
    predict_new(site, whole)


def predict_new(site: Path, folder: Path) -> None:
    pd.DataFrame({"structure": ["CCCO", "no molecule"], "note": ["a", "b"]}).to_csv(folder / "new.csv")
    options = ["--model-path", "models/assays", "-i", "new.csv", "--smiles-columns", "structure"]
    code, _, err = ended(site, folder, "predict", *options, "-o", "out.csv")
    assert code == 0, err
    found = pd.read_csv(folder / "out.csv")
    labels = [
        name
        for task in ("kinase", "hERG")
        for name in (task, f"{task}_unc", f"{task}_calibrated", f"{task}_error")
    ]
    tasks = [*labels, *(f"logD{suffix}" for suffix in ("", "_unc", "_low", "_high", "_error"))]
    rows = ["nearest", "similarity", "domain"]
    assert found.columns.tolist()[-len(tasks) - 4 :] == [*tasks, *rows, "reason"]
    assert found.loc[0, [*tasks, *rows]].notna().all()
    assert found.loc[1, [*tasks, *rows]].isna().all()
    card = (folder / "models" / "assays" / "card.md").read_text()
    assert "* **trained on**: assays.csv: " in card
    assert "* **trained**: 1970-01-01" in card
    assert "| logD | " in card
    assert "not a valid SMILES" in found.loc[1, "reason"]


def test_a_mistake_is_one_sentence_and_the_rest_is_in_a_file(site: Path, tmp_path: Path) -> None:
    write_own_table(tmp_path, 40)
    assert ended(site, tmp_path, "init", "assays.csv", "--tiny")[0] == 0
    study = tmp_path / "assays.yaml"
    study.write_text(study.read_text().replace("smiles_column: SMILES", "smiles_column: SMILE"))
    code, out, err = ended(site, tmp_path, "train", "assays.yaml")
    assert (code, out) == (2, "")
    log = "results/logs/train/assays.log"
    assert err.splitlines()[-1] == (
        "error: assays.csv has no column 'SMILE' (smiles_column). Did you mean 'SMILES'? "
        f"(All that was said: {log})"
    )
    assert len(err.splitlines()) == 2
    assert "RuleException" in (tmp_path / log).read_text() or "Error in rule" in (tmp_path / log).read_text()
    code, _, err = ended(site, tmp_path, "train", "assays.csv", "--tiny")
    assert code == 2
    assert "assays.yaml is there and differs from what would be written" in err


def test_plain_snakemake_ends_with_the_sentence_and_says_first_what_the_papers_scale_takes(
    site: Path, tmp_path: Path
) -> None:
    write_own_table(tmp_path, 40)
    assert ended(site, tmp_path, "init", "assays.csv", "--tiny")[0] == 0
    study = tmp_path / "assays.yaml"
    paper = study.read_text() + "  paper:\n    seeds: [0, 1, 2, 3, 4]\n    training: {epochs: 100000}\n"
    study.write_text(paper)
    done = run_warm(tmp_path, "plan_runs", "--config", f"study={study}", "scale=paper")
    assert "scale: paper: 15 runs are left, predicted to take " in done.stderr
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "assays.yaml").write_text(f"{paper}# changed\n")
    refused = run_warm(tmp_path, "plan_runs", "--config", "study=other/assays.yaml", check=False)
    assert refused.returncode == 1
    assert "study assays.yaml, and other/assays.yaml has the same name and would replace" in refused.stderr
    study.write_text(paper.replace("smiles_column: SMILES", "smiles_column: SMILE"))
    failed = run_snakemake(tmp_path, "--config", f"study={study}", check=False)
    assert failed.returncode == 1
    assert "scale: paper" not in failed.stderr
    error, logs = failed.stdout.strip().splitlines()[-2:]
    assert error == "error: assays.csv has no column 'SMILE' (smiles_column). Did you mean 'SMILES'?"
    assert logs.startswith("Logs of the steps: results/logs/")
