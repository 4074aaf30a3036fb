"""Models of several splits as one: what members say is averaged, and a damaged folder is refused."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import relatask
from relatask.__main__ import main
from relatask.core.atomic import temporary_beside
from relatask.core.errors import RelataskError
from relatask.core.processes import start_of
from relatask.evaluation.calibration import calibration_of
from relatask.models.calibration import CALIBRATION, content_of, read_calibration
from relatask.models.ensemble import Ensemble
from relatask.models.ensemble_folder import write_ensemble
from relatask.models.record import ENSEMBLE
from relatask.models.wanted import Wanted
from tests.helpers.out_of_fold import values
from tests.helpers.prepared_dataset import make_spec
from tests.models.molecule_data import train, write_molecules

FOREST = make_spec("random_forest", None)
SPECS = [FOREST, replace(FOREST, method=FOREST.method.with_options(n_estimators=4))]
SMILES = ["CCO", "no molecule", "c1ccccc1O"]


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The models of two runs."""
    results = tmp_path_factory.mktemp("ensemble") / "results"
    write_molecules(results / "small")
    study = train(results, SPECS)
    return [study / "runs" / spec.run_id / "model" for spec in SPECS]


@pytest.fixture
def folder(members: list[Path], tmp_path: Path) -> Path:
    write_ensemble(tmp_path / "models" / "mine", members, {"label": "RF"})
    return tmp_path / "models" / "mine"


def test_an_ensemble_says_the_mean_of_its_members_and_how_much_they_differ(
    folder: Path, members: list[Path]
) -> None:
    model = relatask.load(str(folder))
    found = model.predict(SMILES)
    apart = np.stack([relatask.load(str(member)).predict(SMILES)["task0"] for member in members])
    assert found.columns.tolist() == model.columns() == [
        *(name for task in ("task0", "task1", "task2") for name in (task, f"{task}_unc")),
        *("nearest", "similarity", "reason"),
    ]  # fmt: skip
    assert "holds no calibration.json" in model.caveats()[0]
    np.testing.assert_allclose(found["task0"], apart.mean(0), rtol=1e-6)
    np.testing.assert_allclose(found["task0_unc"], apart.std(0, ddof=1), rtol=1e-5)
    assert found["task0_unc"].max() > 0
    assert found["reason"].isna().tolist() == [True, False, True]


def test_the_command_reads_models_and_data_by_their_usual_flags(folder: Path, tmp_path: Path) -> None:
    new, out = tmp_path / "new.csv", tmp_path / "out.csv"
    new.write_text("structure\nCCO\n")
    flags = ["--model-path", str(folder), "-i", str(new), "--smiles-columns", "structure"]
    assert main(["predict", *flags, "-o", str(out)]) == 0
    first = out.read_bytes()
    assert main(["predict", str(folder), "-o", str(out), str(new), "--column", "structure"]) == 0
    assert out.read_bytes() == first
    with out.open(newline="") as source:
        header, row = csv.reader(source)
    assert header[:3] == ["structure", "task0", "task0_unc"]
    assert 0 <= float(row[1]) <= 1


def test_a_model_and_a_file_must_be_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for given in ([str(folder)], ["--model-path", str(folder)], [str(folder), "a.csv", "b.csv"]):
        assert main(["predict", *given, "-o", "out.csv"]) == 2
        assert "name a model and a file" in capsys.readouterr().err


def test_another_ensemble_takes_its_place_and_anything_else_is_left_alone(
    folder: Path, members: list[Path], tmp_path: Path
) -> None:
    write_ensemble(folder, members[:1], {})
    assert len(json.loads((folder / ENSEMBLE).read_text())["members"]) == 1
    assert [path.name for path in folder.parent.iterdir()] == ["mine"]
    (tmp_path / "notes").mkdir()
    with pytest.raises(RelataskError, match=r"notes is there and holds no model of relatask.*-o"):
        write_ensemble(tmp_path / "notes", members, {})


def test_what_a_killed_process_left_is_removed(folder: Path, members: list[Path]) -> None:
    """Its name says which process wrote it; the number of one that has ended stands for a killed one."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    mine = temporary_beside(folder).name
    dead = mine.replace(f"-{os.getpid()}-{start_of(os.getpid())}-", f"-{process.pid}-1-")
    for name in (mine, dead):
        (folder.parent / name / "members").mkdir(parents=True)
    write_ensemble(folder, members, {})
    assert sorted(path.name for path in folder.parent.iterdir()) == sorted([mine, "mine"])


@pytest.fixture
def calibrated(members: list[Path], tmp_path: Path) -> Path:
    """With what predictions out of fold of a binary, a real and a class task might have taught."""
    rng = np.random.default_rng(0)
    frame = values(200)
    score = rng.random(200)
    frames = [
        frame.assign(task_id="task0", label=(rng.random(200) < score) * 1.0, score=score),
        frame.assign(task_id="task1"),
        frame.head(5).assign(task_id="task2", label=0.0, score=0.5),
    ]
    found = calibration_of(pd.concat(frames), {"task0": "binary", "task1": "real", "task2": "binary"})
    folder = tmp_path / "calibrated"
    write_ensemble(folder, members, {}, {CALIBRATION: content_of(found, pd.DataFrame({"task_id": []}))})
    return folder


def asked(folder: Path, members: list[Path]) -> Ensemble:
    """The ensemble as if the second task were of measured values."""
    model = Ensemble(folder, [relatask.load(member) for member in members], read_calibration(folder))
    model.tasks["task1"] = replace(model.tasks["task1"], kind="real")
    return model


def test_a_calibrated_ensemble_says_how_right_it_may_be(calibrated: Path, members: list[Path]) -> None:
    model = asked(calibrated, members)
    trained = pd.read_parquet(members[0] / "items.parquet")["smiles"].iloc[3]
    found = model.predict([*SMILES, trained])
    assert found.columns.tolist() == model.columns()
    assert found.columns.tolist() == [
        *("task0", "task0_unc", "task0_calibrated", "task0_error"),
        *("task1", "task1_unc", "task1_low", "task1_high", "task1_error"),
        *("task2", "task2_unc", "task2_calibrated", "task2_error"),
        *("nearest", "similarity", "domain", "reason"),
    ]
    assert found.loc[1].drop("reason").isna().all()
    assert (found["nearest"].iloc[3], found["similarity"].iloc[3]) == (trained, 1.0)
    assert found["domain"].iloc[3] == "in"
    there = found.loc[[0, 2, 3]]
    assert there["task0_calibrated"].between(0, 1).all()
    middle = (there["task1_low"] + there["task1_high"]) / 2
    np.testing.assert_allclose(middle.astype(float), there["task1"], rtol=1e-6)
    widths, near = there["task1_high"] - there["task1_low"], there["similarity"].astype(float)
    assert widths[near.idxmin()] > widths[near.idxmax()] > 0
    assert there["task1_error"][near.idxmin()] > there["task1_error"][near.idxmax()] > 0
    assert found["task2_calibrated"].isna().all()
    assert model.caveats() == ["task2: too few labels to calibrate: 0 of label 1, 10 are needed."]


def test_what_is_wanted_decides_the_columns_and_the_width(calibrated: Path, members: list[Path]) -> None:
    model = asked(calibrated, members)
    plain, wide = Wanted(0.5, nearest=False, members=True), Wanted(0.95, nearest=False)
    found = model.predict(SMILES, wanted=plain)
    assert found.columns.tolist() == model.columns(plain)
    assert [name for name in found if name.startswith("task0")] == [
        *("task0", "task0_unc", "task0_calibrated", "task0_000", "task0_001"),
    ]
    assert "similarity" not in found
    np.testing.assert_allclose(found[["task0_000", "task0_001"]].mean(axis=1), found["task0"])
    narrow = found["task1_high"] - found["task1_low"]
    assert (model.predict(SMILES, wanted=wide).eval("task1_high - task1_low") > narrow).loc[[0, 2]].all()
    too_few = model.predict(SMILES, wanted=Wanted(0.999))
    assert too_few[["task1_low", "task1_high"]].isna().all(axis=None)
    assert too_few["task1"].notna().any()


def test_a_known_result_is_its_own_interval_and_an_unknown_task_is_refused(
    calibrated: Path, members: list[Path]
) -> None:
    model = asked(calibrated, members)
    known = pd.DataFrame({"task0": [np.nan, 1, 1.0], "task1": [np.nan, np.nan, 0.0]})
    found = model.predict(SMILES, known)
    own = ["task0", "task0_calibrated", "task0_error", "task1", "task1_low", "task1_high", "task1_unc"]
    assert found.loc[2, own].tolist() == [1, 1, 0, 0, 0, 0, 0]
    assert found.loc[0, "task0_calibrated"] != 1
    assert found.loc[1].drop("reason").isna().all()
    with pytest.raises(RelataskError, match="no task 'task9'"):
        model.predict(SMILES, pd.DataFrame({"task9": [1.0, 1.0, 1.0]}))
    with pytest.raises(RelataskError, match="known has 1 rows for 3 items"):
        model.predict(SMILES, known.head(1))


def test_a_calibration_of_another_model_is_refused(calibrated: Path, members: list[Path]) -> None:
    path = calibrated / CALIBRATION
    content = path.read_bytes()
    path.write_bytes(content.replace(b"task0", b"task9"))
    with pytest.raises(RelataskError, match=r"calibration.json is not the file that .*ensemble.json names"):
        relatask.load(calibrated)
    write_ensemble(calibrated, members, {}, {CALIBRATION: path.read_bytes()})
    with pytest.raises(RelataskError, match="does not say of 'task0' what a task of kind binary needs"):
        relatask.load(calibrated)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"format": 9}, "has format 9"),
        ({"files": []}, "'files' is no object"),
        ({"members": [{"folder": "../../x", "sha256": ""}]}, "no part of its folder; do not trust it"),
        ({"members": [{"folder": "members/000", "sha256": "0"}]}, "is not the model that"),
        ({"members": []}, "names no model"),
        ({"members": ["members/000"]}, "no part of its folder"),
    ],
)
def test_a_damaged_folder_is_one_sentence(folder: Path, damage: dict, said: str) -> None:
    content = json.loads((folder / ENSEMBLE).read_text())
    (folder / ENSEMBLE).write_text(json.dumps({**content, **damage}))
    with pytest.raises(RelataskError, match=said):
        relatask.load(str(folder))


def test_a_run_whose_model_was_not_kept_is_named(tmp_path: Path) -> None:
    with pytest.raises(RelataskError, match="keep_models: all"):
        write_ensemble(tmp_path / "mine", [tmp_path / "run" / "model"], {})
    assert list(tmp_path.iterdir()) == []
