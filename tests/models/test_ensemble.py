"""Models of several splits as one: what members say is averaged, and a damaged folder is refused."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import relatask
from relatask.__main__ import main
from relatask.core.atomic import temporary_beside
from relatask.core.errors import RelataskError
from relatask.core.processes import start_of
from relatask.models.ensemble import write_ensemble
from relatask.models.record import ENSEMBLE
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
    assert found.columns.tolist() == [
        *(name for task in ("task0", "task1", "task2") for name in (task, f"{task}_unc")), "reason",
    ]  # fmt: skip
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


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"format": 9}, "has format 9"),
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
