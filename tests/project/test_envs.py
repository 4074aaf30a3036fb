"""One set of pins: pyproject.toml, the lock file, the conda environments, and what is installed."""

import re
import shutil
import subprocess
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ENVS = ("base", "torch-cpu", "torch-cuda", "predict")
MODELS = {"safetensors", "skops"}  # what trained models are written with
AGGREGATORS = {"torchjd", "qpsolvers", "quadprog", "cvxpy"}  # of gradients, imported by balancing `jacobian`
LAYERS = {"torch-geometric"}  # imported by encoder `pyg`
SEARCH = {"optuna"}  # proposes settings


def pins(lines: list[str]) -> dict[str, str]:
    """Package -> exact version; anything but `name==version` fails."""
    found = {}
    for line in lines:
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.]+)", line.strip())
        assert match, f"{line!r} is not an exact version without a local tag"
        name = canonicalize_name(match[1])
        assert name not in found, f"{name} is pinned twice"
        found[name] = match[2]
    return found


def locked(root: Path) -> dict[str, list[str]]:
    """Requirement -> its hashes, of all lines of the lock."""
    text = re.sub(r"^#.*\n", "", (root / "requirements.lock").read_text(), flags=re.MULTILINE)
    requirements = [line.split() for line in text.replace("\\\n", " ").splitlines()]
    return {first: hashes for first, *hashes in requirements}


@pytest.fixture(scope="module")
def project(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def needed(project: dict) -> dict[str, str]:
    return pins(project["dependencies"] + project["optional-dependencies"]["dev"])


@pytest.fixture(scope="module")
def lock(root: Path) -> dict[str, str]:
    return pins(list(locked(root)))


def test_the_lock_pins_what_the_project_names(lock: dict[str, str], needed: dict[str, str]) -> None:
    assert {name: lock.get(name) for name in needed} == needed


def test_the_lock_pins_what_those_packages_need_in_turn(lock: dict[str, str], needed: dict[str, str]) -> None:
    todo, seen = [Requirement(name) for name in needed], set()
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        if (name, *requirement.extras) in seen or re.match("nvidia|cuda|triton", name):
            continue  # what a CUDA build of torch brings was installed with it, before the lock
        seen.add((name, *requirement.extras))
        installed = distribution(name)
        assert lock.get(name) == installed.version.split("+")[0], f"{name}: installed {installed.version}"
        for text in installed.requires or []:
            inner = Requirement(text)
            contexts = [{"extra": extra} for extra in ["", *requirement.extras]]
            if inner.marker is None or any(inner.marker.evaluate(context) for context in contexts):
                todo.append(inner)


def test_the_lock_has_one_torch_and_nothing_that_brings_another(lock: dict[str, str]) -> None:
    assert lock["torch"] == "2.13.0"
    assert [name for name in lock if name in {"torch", "pytorch", "torchvision", "torchaudio"}] == ["torch"]
    assert [name for name in lock if re.match("nvidia|cuda|triton|xgboost|tensorflow|jax", name)] == []


def test_all_but_torch_is_locked_to_the_bytes_of_its_files(root: Path) -> None:
    unhashed = {name for name, hashes in locked(root).items() if not hashes}
    assert unhashed == {"torch==2.13.0"}
    for name, hashes in locked(root).items():
        assert hashes == sorted(set(hashes)), name
        assert [word for word in hashes if not re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", word)] == [], name


def environment(root: Path, name: str) -> dict[str, str]:
    """Package -> version of an environment of the workflow."""
    content = yaml.safe_load((root / "envs" / f"{name}.yaml").read_text())
    return pins(next(entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict)))


@pytest.mark.parametrize("env", ENVS)
def test_conda_environments_pin_what_the_project_pins(env: str, root: Path, project: dict) -> None:
    found, wanted = environment(root, env), pins(project["dependencies"])
    assert {name: wanted.get(name) for name in found} == found
    layers = {"torch", "numpy", "pandas", "pyarrow", "scikit-learn", "threadpoolctl", "filelock"}
    training = layers | MODELS | AGGREGATORS | LAYERS | SEARCH  # all that training imports
    elsewhere = {"torch", "snakemake", "snakemake-executor-plugin-slurm", "pygments", "shtab"}
    base = set(wanted) - elsewhere - AGGREGATORS - MODELS - LAYERS - SEARCH
    assert set(found) == {"base": base, "predict": base | (training - AGGREGATORS - SEARCH)}.get(
        env, training
    )


def test_no_committed_file_names_a_package_index(root: Path) -> None:
    hosts = "|".join(["py" + r"pi\.org", "python" + r"hosted\.org", r"download\.py" + r"torch\.org"])
    done = subprocess.run(["git", "grep", "-IlE", hosts], cwd=root, capture_output=True, text=True)
    if done.returncode not in {0, 1}:
        pytest.skip("not a git checkout")
    assert done.stdout.split() == []


def test_set_up_installs_torch_before_and_without_anything_else(root: Path) -> None:
    makefile = (root / "Makefile").read_text()
    installs = [line.split("pip install", 1)[1] for line in makefile.splitlines() if "pip install" in line]
    assert "^torch==" in installs[0]
    assert "--require-hashes -r <(grep -v '^torch==' requirements.lock)" in installs[1]
    assert "--no-deps" in installs[2]
    assert "-e ." in installs[2]
    assert len(installs) == 3


def test_an_old_python_is_refused_in_one_sentence(root: Path, tmp_path: Path) -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not on this machine")
    (tmp_path / "bin").mkdir()
    for name in ["python3", "python3.11"]:  # both older than they say
        (tmp_path / "bin" / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / "bin" / name).chmod(0o755)
    for name in ["Makefile", "requirements.lock", "pyproject.toml"]:
        shutil.copy(root / name, tmp_path)
    done = subprocess.run(
        [make, "test"], cwd=tmp_path, env={"PATH": str(tmp_path / "bin")}, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert done.stderr.startswith("relatask needs Python 3.11 or newer; install it so that")
    assert not (tmp_path / ".venv").exists()
