"""The content of files is what counts; reading it again is saved only where nobody touched them."""

import os
import shutil
import time
from pathlib import Path

import pytest

from relatask.freshness import file_state
from relatask.freshness.decision import MISSING
from relatask.freshness.file_state import FileState, settled, state_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "assays.csv"
    path.write_text("smiles,active\nCCO,1\n")
    return path


def test_another_content_of_the_same_size_and_date_is_another_state(file: Path, tmp_path: Path) -> None:
    """As mv, cp -p, unzip and rsync leave it."""
    before = state_of([str(file)])
    date = file.stat().st_mtime_ns
    other = tmp_path / "other.csv"
    other.write_text("smiles,active\nCCO,0\n")
    os.utime(other, ns=(date, date))
    other.replace(file)
    assert (file.stat().st_mtime_ns, file.stat().st_size) == (date, 20)
    assert state_of([str(file)], before).digest != before.digest


def test_an_older_date_or_a_copy_of_the_same_content_is_no_change(file: Path, tmp_path: Path) -> None:
    before = state_of([str(file)])
    os.utime(file, (1, 1))
    assert state_of([str(file)], before).digest == before.digest
    copied = Path(shutil.copy(file, tmp_path / "copy.csv"))
    assert state_of([str(copied)], before).digest == before.digest


def test_an_untouched_file_is_not_read_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state_of([str(file)])
    monkeypatch.setattr(file_state, "sha256_of", lambda path: pytest.fail("it was read"))
    assert state_of([str(file)], before) is before


def test_a_file_in_place_of_another_one_is_seen_although_its_date_was_set_back(file: Path) -> None:
    date = file.stat().st_mtime_ns
    before = state_of([str(file)])
    time.sleep(0.02)  # file systems count changes in steps of milliseconds
    with file.open("r+") as handle:
        handle.seek(file.stat().st_size - 2)
        handle.write("0")
    os.utime(file, ns=(date, date))
    assert state_of([str(file)], before).digest != before.digest


def test_a_state_of_a_moment_ago_is_not_relied_on(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_of([str(file)])
    assert settled([str(file)], state) == FileState(state.digest, "")
    monkeypatch.setattr(file_state, "SETTLING", 0)
    assert settled([str(file)], state) == state


def test_a_folder_is_the_names_and_contents_of_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    (folder / "cat").mkdir(parents=True)
    (folder / "cat" / "1.png").write_bytes(b"one")
    (folder / "2.png").write_bytes(b"two")
    before = state_of([str(folder)])
    moved = folder.rename(tmp_path / "pictures")
    assert state_of([str(moved)]).digest == before.digest
    (moved / "2.png").rename(moved / "3.png")
    assert state_of([str(moved)]).digest != before.digest


def test_one_missing_file_of_several_is_a_missing_state(file: Path) -> None:
    assert state_of([str(file), f"{file}.gone"]).digest == MISSING


def test_a_folder_holds_what_its_links_lead_to(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "images"
    outside.mkdir()
    folder.mkdir()
    (outside / "1.png").write_bytes(b"one")
    (folder / "cat").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    before = state_of([str(folder)])
    (folder / ".#lock").symlink_to("nobody@nowhere")  # as an editor leaves it
    assert state_of([str(folder)]).digest == before.digest
    (outside / "1.png").write_bytes(b"two")
    assert state_of([str(folder)], before).digest != before.digest
