"""An option of a step holds JSON or names its place in a file, for studies longer than a command line."""

from pathlib import Path

import pytest

from relatask.core.errors import RelataskError
from relatask.core.files import json_option, write_json


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.json"
    write_json(path, {"study": {"sources": {"mine": {"reader": "table"}}, "densify": None}})
    return path


def test_json_is_read_as_it_stands() -> None:
    assert json_option('{"path": "a#/b.csv"}', "--source-config") == {"path": "a#/b.csv"}
    assert json_option("null", "--densify-config") is None


def test_a_place_in_a_file_is_looked_up(study: Path) -> None:
    assert json_option(f"{study}#/study/sources/mine", "--source-config") == {"reader": "table"}
    assert json_option(f"{study}#/study/densify", "--densify-config") is None


def test_a_mistake_is_one_sentence(study: Path) -> None:
    with pytest.raises(RelataskError, match=r"--source-config: .* holds no 'yours' at 'study/sources/yours'"):
        json_option(f"{study}#/study/sources/yours", "--source-config")
    with pytest.raises(RelataskError, match=r"gone\.json does not exist"):
        json_option(f"{study.with_name('gone.json')}#/study", "--source-config")
    with pytest.raises(RelataskError, match="--source-config is not JSON"):
        json_option("{reader: table}", "--source-config")
