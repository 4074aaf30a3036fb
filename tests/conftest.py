"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is slow for seconds; a test that hangs is ended by pytest's own limit.
settings.register_profile("default", deadline=None)
settings.load_profile("default")

# As shards run; on a busy machine, threads that wait for each other made small networks ten times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parents[1]


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
