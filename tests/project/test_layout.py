"""Where tests lie: a folder for each package, helpers apart, and marks whose places exist."""

import ast
from pathlib import Path, PurePath

import pytest

from tests.helpers.speed import MARKS, NEITHER, QUICK, SLOW, mark_of

THROUGH_OTHERS = {"steps"}  # each is a few lines; tests of what it calls, and of the workflow, run it


def test_every_package_has_a_folder_of_tests(root: Path) -> None:
    packages = {path.parent.name for path in (root / "src" / "relatask").glob("*/__init__.py")}
    tested = {path.parent.name for path in (root / "tests").glob("*/test_*.py")}
    tested |= {path.parts[-3] for path in (root / "tests").glob("*/*/test_*.py")}
    assert packages - tested == THROUGH_OTHERS


def test_no_test_file_imports_another(root: Path) -> None:
    found = []
    for path in (root / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tests."):
                private = [one.name for one in node.names if one.name.startswith("_")]
                if node.module.split(".")[-1].startswith(("test_", "conftest")) or private:
                    found.append(f"{path.relative_to(root)}: {node.module} {private}")
    assert found == []


@pytest.mark.parametrize("place", MARKS)
def test_a_place_of_quick_or_slow_tests_exists_and_has_one_mark(place: str, root: Path) -> None:
    path = root / "tests" / place
    assert path.is_file() or list(path.glob("**/test_*.py"))
    assert len(MARKS) == len(QUICK) + len(NEITHER) + len(SLOW)
    assert mark_of(PurePath(place)) == ("quick" if place in QUICK else "slow" if place in SLOW else "")


@pytest.mark.parametrize(
    ("place", "mark"),
    [
        ("data/test_splits.py", "quick"),
        ("data/test_scale.py", "slow"),
        ("grouping/test_active.py", ""),
        ("database/test_x.py", ""),
    ],
)
def test_the_longest_entry_decides(place: str, mark: str) -> None:
    assert mark_of(PurePath(place)) == mark


def test_the_readme_of_tests_names_every_folder_and_helper(root: Path) -> None:
    text = (root / "tests" / "README.md").read_text()
    folders = {path.name for path in (root / "tests").iterdir() if path.is_dir() and path.name[0] not in "._"}
    helpers = {path.stem for path in (root / "tests" / "helpers").glob("[!_]*.py")}
    assert [name for name in sorted(folders | helpers) if f"`{name}`" not in text] == []
