"""Fixtures shared by all tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.helpers.paths import ROOT
from tests.helpers.speed import mark_of
from tests.helpers.workflow import TINY, run_warm, write_study

# A busy machine is slow for seconds; a test that hangs is ended by pytest's own limit.
settings.register_profile("default", deadline=None)
settings.load_profile("default")

# As shards run; on a busy machine, threads that wait for each other made small networks ten times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files alone that `-m quick` or `-m slow` would import for nothing."""
    wanted = config.getoption("markexpr")
    if wanted in {"quick", "slow"} and collection_path.match("test_*.py"):
        return mark_of(collection_path.relative_to(ROOT / "tests")) != wanted or None
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the place of its file: `quick`, `slow`, or neither."""
    for item in items:
        if mark := mark_of(item.path.relative_to(ROOT / "tests")):
            item.add_marker(mark)


@pytest.fixture(scope="session")
def root() -> Path:
    """Folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Folder with the real data, or a skip where it is absent."""
    path = ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("the real data (../shared/data) are not on this machine")
    return path


@pytest.fixture(scope="session")
def tiny_study() -> dict:
    """A study of seconds."""
    return TINY


@pytest.fixture(scope="session")
def tiny_results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder in which the tiny study ran from start to end, undisturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    study = write_study(folder, TINY)
    run_warm(folder, "--config", f"study={study}")
    return folder
