"""A chemist's own CSV goes through the workflow, and what is wrong with it is told, not dropped."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.helpers.paths import ROOT
from tests.helpers.workflow import jobs_of, run_warm, write_study

BAD_ROWS = ["not a molecule", "[Na+].[Cl-]", "CC", ""]


@pytest.fixture(scope="module")
def table(tiny_results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of 300 molecules x 3 assays with a hostile name, bad molecules, a duplicate and gaps."""
    molecules = pd.read_csv(tiny_results / "results" / "raw" / "planted" / "molecules.csv").iloc[:300, 0]
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"Smiles": [*molecules, *BAD_ROWS, molecules[0]]})
    aromatic = frame["Smiles"].str.count("c").to_numpy() > 9
    for name in ["hERG block", "$(touch pwned)", "<script>alert(1)</script>"]:
        noisy = np.where(rng.random(len(frame)) < 0.1, ~aromatic, aromatic).astype(float)
        frame[name] = np.where(rng.random(len(frame)) < 0.3, np.nan, noisy)
    path = tmp_path_factory.mktemp("user") / "assays.csv"
    frame.to_csv(path, index=False)
    return path


TITLE = "pIC_{50} of a {table}" + " and what else is known of it" * 5000  # braces, and 140 kB in one piece


def _study(table: Path, **source: object) -> dict:
    return {
        "title": "A table of one's own",
        "sources": {"mine": {"reader": "table", "path": str(table), "smiles_column": "Smiles", **source}},
        "datasets": {"assays": {"source": "mine"}},
        "splits": {"schemes": ["random"]},
        "training": {"epochs": 5},
        "methods": [
            {"label": "RF", "method": "random_forest", "options": {"n_estimators": 50}},
            {"label": "MTL", "method": "shared_bottom", "encoder": "fingerprint_mlp"},
        ],
        "baseline": "RF",
        "scales": {"quick": {"seeds": [0]}},
    }


def test_a_table_of_ones_own(table: Path):
    study = write_study(table.parent, _study(table) | {"title": TITLE}, name="mine")
    run_warm(table.parent, "--config", f"study={study}")
    results = table.parent / "results"
    rejected = pd.read_parquet(results / "mine" / "data" / "assays" / "rejected.parquet")
    of_rows = rejected[rejected["row"].notna()].set_index("row")["reason"]
    assert sorted(of_rows.index) == [301, 302, 303, 304, 305]
    assert "not a valid SMILES" in of_rows[301]
    assert of_rows[302] == of_rows[303] == "fewer than 3 heavy atoms"
    assert of_rows[304] == "no SMILES"
    assert of_rows[305] == "duplicate of row 1"
    kept = pd.read_parquet(results / "mine" / "data" / "assays" / "items.parquet")
    assert len(kept) + len(rejected) == 305  # the others lost every label to the gaps
    summary = pd.read_parquet(results / "mine" / "summary.parquet")
    auc = summary.query("method == 'RF' and fold == 'test' and metric == 'roc_auc'")["mean"].iloc[0]
    assert 0.7 < auc < 1.0
    assert not (table.parent / "pwned").exists()
    assert "{50} of a {table}" in (results / "mine" / "tables" / "main.md").read_text()
    for page in (results / "mine" / "tables").glob("*.md"):
        assert "<script>" not in page.read_text()


def test_splits_of_ones_own_are_made_of_their_file_column_and_clusters(table: Path, tmp_path: Path) -> None:
    own, folds = tmp_path / "assays.csv", tmp_path / "folds.json"
    frame = pd.read_csv(table)
    frame.assign(project=[f"p{row % 7}" for row in range(len(frame))]).to_csv(own, index=False)
    folds.write_text(json.dumps([{"train": "0-199", "val": "200-249", "test": ["250-299"]}]))
    variants = {
        "near": {"scheme": "cross_validation", "by": "butina", "cutoff": 0.6},
        "series": {"scheme": "leave_out", "by": "project"},
    }
    splits = {"schemes": ["rows", *variants], "variants": variants, "path": str(folds)}
    settings = ["--config", f"study={write_study(tmp_path, _study(own) | {'splits': splits})}"]
    named = [f"results/tiny/data/assays/splits/{split}-0.parquet" for split in splits["schemes"]]
    run_warm(tmp_path, *named, *settings)
    rows, near, series = (pd.read_parquet(tmp_path / name).set_index("item_id")["fold"] for name in named)
    items = pd.read_parquet(tmp_path / "results/tiny/data/assays/items.parquet").set_index("item_id")
    of_row = pd.read_parquet(tmp_path / "results/tiny/sources/mine/rows.parquet")["item_id"]
    assert of_row.notna().sum() == 301  # row 304 is the molecule of row 0
    for row, fold in {0: "train", 199: "train", 200: "valid", 250: "test", 299: "test"}.items():
        assert rows.get(of_row[row], fold) == fold
    clusters = pd.read_parquet(tmp_path / "results/tiny/data/assays/clusters/0.6.parquet")
    clusters = clusters.set_index("item_id")["cluster"]
    assert (near.groupby(clusters).nunique() == 1).all()
    assert items["project"][series == "test"].nunique() == 1

    folds.write_text(json.dumps([{"train": "0-99", "test": ["250-299"]}]))
    again = jobs_of(run_warm(tmp_path, *named, "--dry-run", *settings).stdout)
    assert again == {"split_items": 1}  # of the rows alone
    folds.unlink()
    done = run_warm(tmp_path, *named, *settings, check=False)
    assert f"splits.path: there is no file {folds}" in done.stdout + done.stderr


def test_braces_in_a_path_are_told_and_not_taken_for_a_wildcard(table: Path, tmp_path: Path) -> None:
    place = tmp_path / "of {x}" / "assays.csv"
    place.parent.mkdir()
    shutil.copy(table, place)
    study = write_study(tmp_path, _study(place))
    done = run_warm(tmp_path, "--dry-run", "--config", f"study={study}", check=False)
    assert done.returncode == 1
    assert (
        f"sources.mine.path: Snakemake takes the braces in {place} for a wildcard"
        in done.stdout + done.stderr
    )


def test_nothing_that_is_shown_names_a_person_a_machine_or_a_secret(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The study and its table lie in a home folder, and a secret is in the environment."""
    home = table.parent
    for name, value in {"HOME": home, "USER": "ada.lovelace", "API_TOKEN": "hunter2hunter2"}.items():
        monkeypatch.setenv(name, str(value))
    place = home / "work"
    place.mkdir()
    settings = ["--config", f"study={write_study(home, _study(table), name='private')}"]
    run_warm(place, "all", "publish", *settings)
    run_warm(place, "--report", "results/.report.html", *settings)
    results = place / "results"
    assert str(home) in (results / ".report.html").read_text()
    command = [sys.executable, "-m", "relatask", "scrub_report", "results/.report.html"]
    subprocess.run(command, cwd=place, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, check=True)
    shown = [results / "private" / "report.html", results / "private" / "manifest.json"]
    shown += [*(results / "published").rglob("*"), *(results / "private" / "tables").glob("*")]
    for path in [path for path in shown if path.suffix in {".html", ".json", ".md", ".csv", ".tex"}]:
        text = path.read_text()
        for word in (str(home), str(ROOT), "lovelace", "hunter2"):
            assert word not in text, f"{path.name} holds {word}"

    # a checkout, which has the published copies and nothing else, makes the study anew
    checkout = place / "checkout"
    shutil.copytree(results / "published", checkout / "results" / "published")
    planned = run_warm(checkout, "-n", "publish", *settings).stdout
    assert "train_shard" in planned
    assert "publish_study" in planned


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ({"smiles_column": "structure"}, "structure"),
        ({"task_columns": ["hERG"]}, "hERG"),
        ({"path": "absent.csv"}, "absent.csv"),
    ],
)
def test_a_mistake_is_one_sentence(table: Path, tmp_path: Path, source: dict, named: str):
    study = write_study(tmp_path, _study(table, **source), name="wrong")
    done = run_warm(tmp_path, "--config", f"study={study}", check=False)
    assert done.returncode != 0
    output = done.stdout + done.stderr
    assert named in output
    assert "Traceback" not in output


def test_a_file_where_the_workflow_runs_is_never_imported(tmp_path: Path):
    for name in ("numpy", "pandas", "yaml", "torch"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w'); raise SystemExit(3)")
    run_warm(tmp_path, "results/raw/planted/molecules.csv")
    assert not (tmp_path / "ran").exists()
