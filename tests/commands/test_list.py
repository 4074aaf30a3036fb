"""`relatask list` and `relatask estimate` say what the records and the plan say."""

from pathlib import Path

import pytest

from relatask.__main__ import main
from relatask.config import load_study
from relatask.core.registry import catalogue
from relatask.plan.plan import plan_runs


def test_every_method_is_a_line_with_its_own_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "methods"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0]: line.split(maxsplit=1)[1] for line in lines} == {
        name: ability.summary for name, ability in catalogue("methods").items()
    }


def test_all_kinds_are_listed_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = [line.rstrip(":") for line in lines if line and not line.startswith(" ")]
    assert heads == ["methods", "encoders", "inputs", "balancing", "sources", "splits", "studies"]
    names = {line.split()[0] for line in lines if line.startswith("  ")}
    assert {"random_forest", "gin", "table", "scaffold", "moleculenet"} <= names
    assert main(["list", "method"]) == 2
    assert "there is no kind 'method'. Did you mean 'methods'?" in capsys.readouterr().err


def test_an_estimate_is_the_plans_before_anything_runs(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["estimate", "moleculenet", "--scale", "paper"]) == 0
    said = capsys.readouterr().out
    runs = plan_runs(load_study(root / "config" / "studies" / "moleculenet.yaml"), "paper")
    minutes = sum(run.minutes for run in runs)
    assert (
        f"moleculenet at scale paper: {len(runs)} runs, about {int(minutes / 60)} h" in said.splitlines()[-1]
    )
    assert "GB of memory" in said
    assert "GB of disk" in said
    assert sum(line.startswith("MTL_GIN ") for line in said.splitlines()) == 1
    assert main(["estimate", "moleculnet"]) == 2
    assert "Did you mean 'moleculenet'?" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
