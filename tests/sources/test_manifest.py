"""The manifest names every file by digest, changes when one changes, and only then."""

import json

import pytest

from relatask.__main__ import main
from relatask.core.files import sha256_of, write_text
from tests.helpers.study_tables import write_study

STUDY = {
    "title": "Toy",
    "sources": {"toy": {"reader": "table", "path": "toy.csv"}},
    "datasets": {"toy": {"source": "toy"}},
    "splits": {"schemes": ["random"]},
    "methods": [{"label": "RF", "method": "random_forest"}],
    "baseline": "RF",
    "scales": {"quick": {"seeds": [0, 1]}},
}
RECORDS = ("dataset.json", "features/features.json", "splits/random-0.json", "splits/random-1.json")


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (
        "lock.txt",
        "main.md",
        "costs.md",
        *(f"results/demo/data/toy/{record}" for record in RECORDS),
    ):
        write_text(tmp_path / name, name)
    write_study(tmp_path, STUDY, "demo").rename(tmp_path / "study.json")
    return tmp_path


ARGUMENTS = [
    "write_manifest",
    "--study",
    "study.json",
    "--config",
    "0123456789abcdef",
    "--results",
    "results",
]
ARGUMENTS += ["--environment", "lock.txt"]
ARGUMENTS += ["--outputs", "main.md", "--measured", "costs.md", "--out", "manifest.json"]


def manifest(files) -> dict:
    assert main(ARGUMENTS) == 0
    return json.loads((files / "manifest.json").read_text())


def test_every_file_stands_in_its_part(files) -> None:
    found = manifest(files)
    assert found["config"] == {"study": "demo", "scale": "quick", "sha256": "0123456789abcdef"}
    assert found["data"] == {
        f"results/demo/data/toy/{name}": sha256_of(f"results/demo/data/toy/{name}") for name in RECORDS
    }
    assert found["outputs"] == {"main.md": sha256_of("main.md")}
    assert found["measured"] == {"costs.md": sha256_of("costs.md")}
    assert found["environment"]["files"] == {"lock.txt": sha256_of("lock.txt")}
    assert found["environment"]["packages"]["pandas"]
    assert len(found["code"]["evaluation"]) == 16


def test_the_same_inputs_give_the_same_bytes_and_a_measured_file_touches_its_part_only(files) -> None:
    first = manifest(files)
    text = (files / "manifest.json").read_bytes()
    manifest(files)
    assert (files / "manifest.json").read_bytes() == text
    write_text("costs.md", "slower")
    second = manifest(files)
    assert first.pop("measured") != second.pop("measured")
    assert first == second
    write_text("main.md", "better")
    assert manifest(files)["outputs"] != first["outputs"]


def test_no_path_of_the_machine_is_told(files) -> None:
    arguments = [word if word != "main.md" else str(files / "main.md") for word in ARGUMENTS]
    assert main(arguments) == 0
    assert str(files) not in (files / "manifest.json").read_text()
    assert list(json.loads((files / "manifest.json").read_text())["outputs"]) == ["main.md"]


def test_a_missing_file_and_a_file_in_two_parts_are_mistakes(files, capsys) -> None:
    assert main([*ARGUMENTS[:-2], "absent.md", *ARGUMENTS[-2:]]) == 2
    assert "--measured: absent.md does not exist" in capsys.readouterr().err
    assert main([*ARGUMENTS[:-2], "main.md", *ARGUMENTS[-2:]]) == 2
    assert "main.md is given as --outputs and as --measured" in capsys.readouterr().err
