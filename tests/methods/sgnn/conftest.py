"""Fixtures of the tests of SGNN."""

from collections.abc import Iterator

import pytest
import torch

from relatask.methods.sgnn import grid as _grid
from tests.helpers.sgnn_networks import BATCH, SMALL


@pytest.fixture
def doubles(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Float64, and chunks of two columns, so that tasks are cut apart."""
    torch.set_default_dtype(torch.float64)
    monkeypatch.setattr(_grid, "LEAST_CELLS", 1)
    monkeypatch.setitem(_grid.CHUNK, "cpu", 2 * BATCH * 2 * SMALL["edge_width"])
    yield
    torch.set_default_dtype(torch.float32)
