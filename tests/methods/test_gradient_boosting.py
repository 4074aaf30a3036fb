"""Which columns boosting keeps: those that some threshold splits into two parts that are large enough."""

import numpy as np
import pytest

from relatask.methods.gradient_boosting import _can_split


@pytest.mark.parametrize("least", [1, 2, 3, 5, 6])
def test_a_column_is_kept_where_a_threshold_leaves_enough_items_on_both_sides(least: int) -> None:
    columns = np.random.default_rng(0).integers(0, 3, (10, 40)).astype(np.float32)
    wanted = [
        any(least <= int((column <= threshold).sum()) <= 10 - least for threshold in column)
        for column in columns.T
    ]
    assert _can_split(columns, least).tolist() == wanted
    bits = (columns > 0).astype(np.uint8)
    assert _can_split(bits, least).tolist() == _can_split(bits.astype(np.float32), least).tolist()
