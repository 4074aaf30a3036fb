"""Fixtures of the unit tests."""

from collections.abc import Iterator

import pytest

from tests.helpers.service import Service, running


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A server like ChEMBL and STRING, reached without any proxy."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running() as server:
        yield server
