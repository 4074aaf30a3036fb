"""The code that runs is the code that its digest describes."""

import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

from relatask.core import code_at_start
from relatask.core.errors import RelataskError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(code_at_start, "_SEALS", {})
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "method.py").write_text("SEED = 1\n")
    return folder


def imported(package: Path) -> str:
    code = "import method; print(method.SEED)"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=package, capture_output=True, text=True, check=True
    ).stdout.strip()


def replace_with_same_date_and_size(source: Path) -> None:
    """As cp -p, rsync and tar leave it."""
    date = source.stat()
    source.write_text("SEED = 2\n")
    os.utime(source, ns=(date.st_atime_ns, date.st_mtime_ns))


def test_compiled_code_of_another_source_of_the_same_date_is_not_run(package: Path) -> None:
    source = package / "method.py"
    py_compile.compile(str(source), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)
    replace_with_same_date_and_size(source)
    assert imported(package) == "1", "what Python does by itself"
    code_at_start.remember(package)
    assert imported(package) == "2"
    source.write_text("SEED = 1\n")
    code_at_start.remember(package)
    replace_with_same_date_and_size(source)
    assert imported(package) == "2", "compared by content from then on"


def test_code_that_was_changed_and_changed_back_is_refused(package: Path) -> None:
    source = package / "method.py"
    code_at_start.remember(package)
    code_at_start.require_unchanged(["method.py"], package)
    text = source.read_text()
    source.write_text("SEED = 9\n")
    source.write_text(text)
    with pytest.raises(RelataskError, match=r"method\.py changed while its code ran; run the workflow again"):
        code_at_start.require_unchanged(["method.py"], package)


def test_code_that_is_gone_is_refused_and_other_code_is_nobodys_business(package: Path) -> None:
    (package / "table.py").write_text("")
    code_at_start.remember(package)
    (package / "table.py").write_text("NEW = 1\n")
    code_at_start.require_unchanged(["method.py"], package)
    (package / "method.py").unlink()
    with pytest.raises(RelataskError, match=r"method\.py changed"):
        code_at_start.require_unchanged(["method.py"], package)
