"""Records of what made a file lie in the results and are read as they were written."""

import os
from pathlib import Path

import pytest

from relatask.freshness.file_state import FileState
from relatask.freshness.ledger import Ledger, Record

OUTPUT = "results/demo/tables/main.html"
RECORD = Record({"title": "a"}, {"assays.csv": FileState("b", "")}, {OUTPUT: FileState("c", "d")})


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.chdir(tmp_path)
    return Ledger(Path("results"))


def test_a_record_is_read_as_it_was_written(ledger: Ledger) -> None:
    ledger.write(OUTPUT, RECORD)
    assert ledger.read(OUTPUT) == RECORD
    assert Path("results/.made/demo/tables/main.html.json").is_file()


def test_a_forgotten_record_is_gone_and_may_be_forgotten_twice(ledger: Ledger) -> None:
    ledger.write(OUTPUT, RECORD)
    ledger.forget(OUTPUT)
    ledger.forget(OUTPUT)
    assert ledger.read(OUTPUT) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", "{}", '{"version": 1}', "\udc80"),
        '{"version": 0, "options": {}, "inputs": {}, "outputs": {}}',
        '{"version": 1, "options": [], "inputs": {}, "outputs": {}}',
        '{"version": 1, "options": {}, "inputs": {"a": "b"}, "outputs": {}}',
    ],
)
def test_a_broken_record_is_none(ledger: Ledger, text: str) -> None:
    """Then the job runs again; a broken record must not stop the workflow."""
    path = Path("results/.made/demo/tables/main.html.json")
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert ledger.read(OUTPUT) is None


def test_what_lies_in_the_place_of_a_record_and_is_no_file_is_replaced(ledger: Ledger) -> None:
    path = Path("results/.made/demo/tables/main.html.json")
    (path / "inside").mkdir(parents=True)
    assert ledger.read(OUTPUT) is None
    ledger.write(OUTPUT, RECORD)
    assert ledger.read(OUTPUT) == RECORD
    path.unlink()
    os.mkfifo(path)
    assert ledger.read(OUTPUT) is None, "and does not wait for a writer"
    ledger.write(OUTPUT, RECORD)
    assert ledger.read(OUTPUT) == RECORD
