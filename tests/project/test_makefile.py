"""What `make run` does around the workflow: a home folder where there is none, a report that is never raw."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SNAKEMAKE = """#!/bin/sh
echo "$HOME" > home
case "$*" in *--report*) mkdir -p results; echo "of $USER" > "$4" ;; esac
"""
FAILING = "#!/bin/sh\nexit 1\n"


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    """A folder with the Makefile, and programs that stand for Snakemake and relatask."""
    if shutil.which("make") is None:
        pytest.skip("make is not on this machine")
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(root / name, tmp_path)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, content in (("snakemake", SNAKEMAKE), ("relatask", FAILING)):
        (programs / name).write_text(content)
        (programs / name).chmod(0o755)
    (tmp_path / ".venv" / ".ready").touch()
    return tmp_path


def make_run(project: Path, home: str) -> None:
    environment = {**os.environ, "HOME": home, "USER": "ada.lovelace"}
    subprocess.run(["make", "run", "CORES=1"], cwd=project, env=environment, capture_output=True, check=False)


def test_a_home_folder_that_may_not_be_written_is_replaced_and_another_one_stays(project: Path) -> None:
    make_run(project, "/nowhere/home")
    assert (project / "home").read_text() == f"{project / '.venv' / 'home'}\n"
    make_run(project, str(project))
    assert (project / "home").read_text() == f"{project}\n"


def test_a_report_is_not_in_its_place_before_names_are_taken_out(project: Path) -> None:
    """`relatask scrub_report` fails, as if it were killed."""
    make_run(project, str(project))
    assert (project / "results" / ".report.html").read_text() == "of ada.lovelace\n"
    assert not list((project / "results").rglob("report.html"))
