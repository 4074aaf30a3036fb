"""`relatask predict --known`: known results stay as they are, and the other tasks are predicted by them."""

from pathlib import Path

import pandas as pd
import pytest

from relatask.__main__ import main
from relatask.data.standardise import standardise_all
from tests.helpers.prepared_dataset import make_spec
from tests.models.molecule_data import train, write_molecules

SPECS = {"metalink": make_spec("metalink"), "shared_bottom": make_spec()}
NEW = ["OCC", "c1ccccc1O", "not one", "CCN"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Name of a method -> folder of its run, each of three tasks."""
    results = tmp_path_factory.mktemp("known") / "results"
    write_molecules(results / "small")
    study = train(results, list(SPECS.values()))
    return {name: study / "runs" / spec.run_id for name, spec in SPECS.items()}


def predicted(run: Path, folder: Path, known: str = "") -> pd.DataFrame:
    """What the command writes of `NEW`."""
    pd.DataFrame({"smiles": NEW}).to_csv(folder / "new.csv", index=False)
    options = []
    if known:
        (folder / "known.csv").write_text(known)
        options = ["--known", str(folder / "known.csv")]
    out = folder / "out.csv"
    assert main(["predict", str(run), str(folder / "new.csv"), "-o", str(out), *options]) == 0
    return pd.read_csv(out)


@pytest.mark.parametrize("name", SPECS)
def test_known_results_stay_and_the_rest_is_predicted(
    runs: dict[str, Path], tmp_path: Path, name: str
) -> None:
    before = predicted(runs[name], tmp_path)
    after = predicted(runs[name], tmp_path, "smiles,task1\nCCO,1\nCCN,\nCCCC,0\n")
    assert after.task1[0] == 1  # OCC is CCO
    assert after.task1[3] == before.task1[3]
    assert after.iloc[2].isna().sum() == 3
    changed = (after[["task0", "task2"]] != before[["task0", "task2"]]).iloc[[0, 1, 3]].any(axis=1)
    assert changed.tolist() == [name == "metalink", False, False]


def test_contradictions_and_rows_without_a_molecule_are_told(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = "smiles,task0,task1\nCCO,1,1\nOCC,0,1\nxx,1,1\n"
    after = predicted(runs["shared_bottom"], tmp_path, known)
    said = capsys.readouterr().err
    assert "known.csv: 1 rows hold no molecule or text, e.g. not a valid SMILES" in said
    assert "known.csv: 1 results contradict another row of their molecule and are left out" in said
    assert 0 < after.task0[0] < 1
    assert after.task1[0] == 1


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ("smiles,tusk1\nCCO,1\n", "known.csv names no task of the model in its header; it has task0, task1"),
        ("smiles,task1\nCCO,1\nCCN,0.5\n", "known.csv, line 3, column 'task1': '0.5' is not 0 or 1"),
    ],
)
def test_what_is_no_result_is_refused(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], known: str, message: str
) -> None:
    (tmp_path / "known.csv").write_text(known)
    (tmp_path / "new.csv").write_text("smiles\nCCO\n")
    command = ["predict", str(runs["metalink"]), str(tmp_path / "new.csv"), "-o", str(tmp_path / "out.csv")]
    assert main([*command, "--known", str(tmp_path / "known.csv")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


def test_a_molecule_is_standardised_once_to_find_its_results_and_to_predict_it(
    runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def counted(texts: list[str], *arguments: object, **options: object) -> object:
        seen.extend(texts)
        return standardise_all(texts, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("relatask.data.standardise.standardise_all", counted)
    predicted(runs["shared_bottom"], tmp_path, "smiles,task1\nCCO,1\n")
    assert seen == ["CCO", *NEW]
