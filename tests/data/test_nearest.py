"""The nearest known molecule: as by comparing all pairs, the first of several, whatever else is asked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relatask.data import nearest as module
from relatask.data.nearest import NearestKnown


def fingerprints(rng: np.random.Generator, count: int) -> np.ndarray:
    """Packed bits [count, 16], from empty to full, many of them repeated."""
    share = rng.random((count, 1)) ** 2
    packed = np.packbits(rng.random((count, 128)) < share, axis=1)
    return packed[rng.integers(0, count, count)]


def by_pairs(asked: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    one, other = np.unpackbits(asked, axis=1), np.unpackbits(known, axis=1)
    shared = (one[:, None] & other[None]).sum(2)
    union = (one[:, None] | other[None]).sum(2)
    similarity = (shared / np.maximum(union, 1)).astype(np.float32)
    return similarity.max(1), similarity.argmax(1)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 40))
def test_it_finds_what_all_pairs_say(seed: int, n_known: int, n_asked: int) -> None:
    rng = np.random.default_rng(seed)
    known, asked = fingerprints(rng, n_known), fingerprints(rng, n_asked)
    similarity, rows = by_pairs(asked, known)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "ROWS", 7)
        patched.setattr(module, "COLUMNS", 5)
        found, nearest = NearestKnown(known).of(asked)
    np.testing.assert_array_equal(found, similarity)
    np.testing.assert_array_equal(nearest, rows)
