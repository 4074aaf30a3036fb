"""What is installed fits together, its licences are listed, and nothing that is read can run code."""

import ast
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

from relatask.commands.write_licences import PIN


def locked(root: Path) -> dict[str, str]:
    return dict(PIN.findall((root / "requirements.lock").read_text()))


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_installed_packages_fit_together() -> None:
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_package_stands_with_its_licence(root: Path) -> None:
    page = (root / "docs" / "licences.md").read_text()
    rows = re.findall(r"^\| ([\w.-]+) \| ([\w.+]+) \| (.+) \|$", page, re.MULTILINE)[1:]  # without the head
    assert {(plain(name), version) for name, version, _ in rows} == {
        (plain(name), version) for name, version in locked(root).items()
    }, "run `python -m relatask write_licences`"
    assert [name for name, _, licence in rows if licence.strip() in {"", "unknown"}] == []


CALLS = {  # that could run code from data, or a shell -> keyword arguments that make them safe
    "load": {"torch": {"weights_only": True}, "np": {"allow_pickle": False}, "yaml": None},
    "loads": {"pickle": None, "marshal": None},
    "Unpickler": {"pickle": None},
    "read_pickle": {"pd": None},
    "system": {"os": None},
    "popen": {"os": None},
}


@pytest.mark.parametrize("folder", ["src", "benchmarks"])
def test_nothing_that_is_read_can_run_code(root: Path, folder: str) -> None:
    """No eval, no shell, no pickle; torch loads weights only and numpy no objects."""
    found = []
    for path in (root / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and not _safe(node):
                found.append(f"{path.relative_to(root)}:{node.lineno} {ast.unparse(node)[:80]}")
    assert found == []


def _safe(call: ast.Call) -> bool:
    given = {word.arg: word.value.value for word in call.keywords if isinstance(word.value, ast.Constant)}
    if given.get("shell"):
        return False
    if isinstance(call.func, ast.Name):
        return call.func.id not in {"eval", "exec"}
    if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name):
        return True
    wanted = CALLS.get(call.func.attr, {}).get(call.func.value.id, {})
    return wanted is not None and all(given.get(key) == value for key, value in wanted.items())


@pytest.mark.parametrize(
    ("code", "safe"),
    [
        ("torch.load(p, weights_only=True)", True),
        ("torch.load(p)", False),
        ("torch.load(p, weights_only=False)", False),
        ("np.load(p, allow_pickle=True)", False),
        ("yaml.load(t)", False),
        ("yaml.safe_load(t)", True),
        ("pickle.loads(b)", False),
        ("eval(t)", False),
        ("model.eval()", True),
        ("subprocess.run(c, shell=True)", False),
        ("subprocess.run(c)", True),
    ],
)
def test_the_check_finds_what_it_looks_for(code: str, safe: bool) -> None:
    call = ast.parse(code, mode="eval").body
    assert isinstance(call, ast.Call)
    assert _safe(call) == safe


def test_the_lock_is_installed(root: Path) -> None:
    installed = {plain(found.metadata["Name"]) for found in distributions()}
    assert {plain(name) for name in locked(root)} <= installed
