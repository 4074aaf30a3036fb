"""A step's code digest changes with the files that the step runs, and with no others."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from relatask.core import source_code
from relatask.core.source_code import code_of, imported_by


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    files = {
        "steps/a.py": "from relatask.data.b import f\n",
        "steps/other.py": "import json\n",
        "data/b.py": "def f():\n    from relatask.data import c\n    import relatask.d\n",
        "data/c.py": "from relatask.config import Config\nfrom relatask.steps.a import x\n",
        "d.py": "VALUE = 1\n",
        "config/__init__.py": "import relatask.d2\n",
        "data/__init__.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(source_code, "PACKAGE", tmp_path)
    source_code._imports.cache_clear()
    yield tmp_path
    source_code._imports.cache_clear()


def test_imports_are_followed_everywhere_but_into_the_config(package: Path) -> None:
    assert imported_by("steps/a.py") == ["d.py", "data/__init__.py", "data/b.py", "data/c.py", "steps/a.py"]
    assert imported_by("steps/other.py") == ["steps/other.py"]


def test_imports_given_from_the_place_of_a_file_are_followed_too(package: Path) -> None:
    (package / "steps" / "a.py").write_text(
        "from .help import x\nfrom . import other\nfrom ..d import VALUE\n"
    )
    (package / "steps" / "help.py").write_text("")
    assert imported_by("steps/a.py") == ["d.py", "steps/a.py", "steps/help.py", "steps/other.py"]


def test_every_step_of_the_package_has_a_digest(root: Path) -> None:
    steps = sorted((root / "src" / "relatask" / "steps").glob("[!_]*.py"))
    digests = {path.stem: code_of(f"steps/{path.name}") for path in steps}
    assert len(set(digests.values())) == len(steps) >= 2


def test_a_step_that_splits_does_not_depend_on_training(root: Path) -> None:
    found = imported_by("steps/relate_tasks.py")
    assert "data/relations.py" in found
    assert not [name for name in found if name.startswith(("training/", "methods/", "encoders/"))]


def test_imports_are_those_of_the_syntax_tree(root: Path) -> None:
    package = root / "src" / "relatask"
    for path in sorted(package.rglob("*.py")):
        names: list[str] = []
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        paths = [name.removeprefix("relatask.").replace(".", "/") for name in names]
        files = {file for part in paths for file in (f"{part}.py", f"{part}/__init__.py")}
        expected = sorted(file for file in files if (package / file).is_file())
        assert source_code._imports(str(path.relative_to(package))) == expected, path
