"""Several measurements of one cell: median, bounds, thresholds, and what is lost is listed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relatask.data.raw_table import SIGNS
from relatask.data.replicates import DIFFER, EXCLUDED, EXCLUSIVE, TWO_SIDES, UNDECIDED, Merged, merge_labels
from tests.oracles import replicates as oracle

# A task of labels, of classes, of values, and two of values with a threshold.
TASKS = pd.DataFrame(
    {
        "kind": ["binary", "class", "real", "binary", "binary"],
        "at_least": [None, None, None, 6.0, None],
        "at_most": [None, None, None, None, 3.0],
    }
)
LABEL, CLASS, REAL, AT_LEAST, AT_MOST = range(5)
COLUMNS = ["row_position", "task", "value", "bound"]


def merged(cells: list[tuple[int, int, float, str]], items: list[int] | None = None, **keys) -> Merged:
    labels = pd.DataFrame(cells, columns=COLUMNS).astype({"row_position": "int64", "task": "int32"})
    items = items or list(range(1 + max(row for row, *_ in cells)))
    return merge_labels(labels, np.array(items), TASKS, **keys)


def one(task: int, *measurements: tuple[float, str]) -> tuple[float, str] | str:
    """The label that measurements of one molecule become, or why there is none."""
    found = merged([(0, task, value, bound) for value, bound in measurements])
    if len(found.lost):
        return str(found.lost["reason"].item())
    return round(float(found.labels["value"].item()), 5), str(found.labels["bound"].item())


@pytest.mark.parametrize(
    ("task", "measurements", "said"),
    [
        (REAL, [(5.0, "="), (9.0, "="), (6.0, "=")], (6, "=")),
        (REAL, [(5.0, "="), (6.0, "=")], (5.5, "=")),
        (REAL, [(5.0, "="), (4.0, ">"), (9.0, "<")], (5, "=")),  # bounds that the value keeps say no more
        (REAL, [(5.0, "="), (5.0, ">")], (5, "=")),  # a bound that it touches likewise
        (REAL, [(5.0, "="), (5.1, ">")], EXCLUDED),
        (REAL, [(10.0, ">"), (30.0, ">"), (20.0, ">=")], (30, ">")),  # the tightest
        (REAL, [(1.0, "<"), (0.5, "<=")], (0.5, "<")),
        (REAL, [(1.0, ">"), (3.0, "<")], TWO_SIDES),
        (REAL, [(3.0, ">"), (1.0, "<")], EXCLUSIVE),
        (REAL, [(3.0, ">"), (3.0, "<")], EXCLUSIVE),
        (REAL, [(3.0, ">="), (3.0, "<=")], (3, "=")),
        (AT_LEAST, [(10.0, ">")], (1, "=")),
        (AT_LEAST, [(4.0, ">")], UNDECIDED),
        (AT_LEAST, [(4.0, "<")], (0, "=")),
        (AT_LEAST, [(6.0, ">=")], (1, "=")),
        (AT_LEAST, [(6.0, "<")], (0, "=")),
        (AT_LEAST, [(6.0, "<=")], UNDECIDED),  # it may be 6
        (AT_LEAST, [(7.0, ">"), (9.0, "<")], (1, "=")),  # two sides, of which one decides
        (AT_LEAST, [(4.0, ">"), (9.0, "<")], UNDECIDED),
        (AT_LEAST, [(4.0, ">"), (7.0, ">")], (1, "=")),
        (AT_LEAST, [(5.5, "="), (6.1, "="), (9.0, "=")], (1, "=")),
        (AT_LEAST, [(5.95, "="), (6.05, "=")], (1, "=")),
        (AT_LEAST, [(5.9, "="), (7.0, ">")], EXCLUDED),
        (AT_MOST, [(3.0, "=")], (1, "=")),
        (AT_MOST, [(3.0, ">")], (0, "=")),
        (AT_MOST, [(3.0, ">=")], UNDECIDED),
        (AT_MOST, [(3.0, "<=")], (1, "=")),
        (AT_MOST, [(10.0, "<")], UNDECIDED),
        (LABEL, [(1.0, "="), (1.0, "=")], (1, "=")),
        (LABEL, [(1.0, "="), (0.0, "="), (1.0, "=")], DIFFER),
        (CLASS, [(4.0, "="), (4.0, "=")], (4, "=")),
        (CLASS, [(4.0, "="), (2.0, "=")], DIFFER),
    ],
)
def test_measurements_of_one_cell_become_a_label_or_a_reason(task, measurements, said):
    assert one(task, *measurements) == said


@pytest.mark.parametrize("values", [(5.95, 6.05), (5.9, 6.1), (4.3, 7.7), (5.7, 6.3), (-1e9, 1e9 + 12)])
def test_a_mean_of_two_that_is_the_threshold_is_active_however_it_is_rounded(values):
    assert one(AT_LEAST, *[(value, "=") for value in values]) == (1, "=")


def test_lost_cells_are_listed_with_all_their_rows_and_values():
    cells = [
        (0, LABEL, 1.0, "="), (2, LABEL, 0.0, "="), (1, AT_LEAST, 4.25, ">"), (1, CLASS, 1.0, "="),
        (3, CLASS, 0.0, "="), (3, REAL, 7.0, ">="), (1, REAL, 2.0, "<"), (0, REAL, 7.0, "="),
    ]  # fmt: skip
    names = [(), ("blue", "red"), (), (), ()]
    found = merged(cells, [0, 1, 0, 1], rows=np.array([11, 12, 13, 14]), classes=names)
    assert found.lost.to_numpy().tolist() == [
        [0, LABEL, DIFFER, "11;13", "1;0"],
        [1, CLASS, DIFFER, "12;14", "red;blue"],
        [1, REAL, EXCLUSIVE, "12;14", "<2;>=7"],
        [1, AT_LEAST, UNDECIDED, "12", ">4.25"],
    ]
    assert found.labels[["item_id", "task"]].to_numpy().tolist() == [[0, REAL]]
    assert found.counts == {
        "in": 8, "of_rejected_rows": 0, "merged": 0, "conflicting": 6, "conflicting_cells": 3,
        "undecided": 1, "undecided_cells": 1, "out": 1,
    }  # fmt: skip


def test_the_spread_is_that_of_values_of_one_cell_pooled_over_cells():
    cells = [(0, REAL, 1.0, "="), (0, REAL, 3.0, "="), (1, REAL, 10.0, "="), (1, REAL, 10.0, "=")]
    cells += [(2, REAL, 99.0, "="), (2, REAL, 5.0, ">"), (0, AT_LEAST, 6.0, "="), (0, LABEL, 1.0, "=")]
    spread = merged(cells, [0, 1, 2]).spread
    assert spread.to_numpy().tolist() == [[REAL, 2, 4, 1.0]]  # squares 1 + 1 + 0 + 0 over 4 - 2


def test_thresholds_may_be_applied_before_labels_are_merged():
    cells = [(0, AT_LEAST, 7.0, "="), (0, AT_LEAST, 5.0, "="), (0, AT_LEAST, 5.5, "=")]
    cells += [(1, AT_LEAST, 7.0, "="), (1, AT_LEAST, 4.0, ">"), (2, AT_LEAST, 4.0, ">")]
    found = merged(cells, labels_first=True)
    assert found.labels[["item_id", "value"]].to_numpy().tolist() == [[1, 1.0]]
    assert found.lost[["item", "reason", "values"]].to_numpy().tolist() == [
        [0, DIFFER, "7;5;5.5"],
        [2, UNDECIDED, ">4"],
    ]
    assert (found.counts["conflicting"], found.counts["undecided"], found.counts["out"]) == (3, 2, 1)
    assert merged(cells).labels["value"].tolist() == [0.0, 1.0]  # by the median 5.5; 7 beside >4


def test_no_label_at_all_is_no_label():
    none = pd.DataFrame({name: [] for name in COLUMNS})
    found = merge_labels(none.astype({"row_position": "int64", "task": "int32"}), np.array([0, 1]), TASKS)
    assert found.labels.empty
    assert found.lost.empty
    assert set(found.counts.values()) == {0}


VALUES = st.one_of(st.sampled_from([2.5, 3.0, 5.9, 6.0, 6.1, 7.0]), st.floats(-1e3, 1e3, width=32))
MEASUREMENT = st.tuples(
    st.integers(0, 9), st.sampled_from([REAL, AT_LEAST, AT_MOST]), VALUES, st.sampled_from([*SIGNS, "=", "="])
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-1, 3), min_size=10, max_size=10), st.lists(MEASUREMENT, max_size=40))
def test_merging_measurements_agrees_with_loops_and_loses_none_uncounted(items, cells):
    labels = pd.DataFrame(cells, columns=COLUMNS).astype({"row_position": "int64", "task": "int32"})
    found = merge_labels(labels.astype({"value": "float64"}), np.array(items), TASKS)
    expected = {}
    for row, task, value, bound in cells:
        if items[row] >= 0:
            expected.setdefault((items[row], task), []).append((value, bound))
    for (item, task), measurements in expected.items():
        if task == REAL:
            expected[item, task] = oracle.real_label(measurements)
            continue
        allowed = oracle.merged_value(measurements)
        limits = (6.0, None) if task == AT_LEAST else (None, 3.0)
        label = oracle.label(*allowed, *limits) if allowed else None
        expected[item, task] = None if label is None else (label, "=")
    kept = {cell: label for cell, label in expected.items() if label is not None}
    got = {(row.item_id, row.task): (float(row.value), str(row.bound)) for row in found.labels.itertuples()}
    assert got == {cell: (float(np.float32(value)), bound) for cell, (value, bound) in kept.items()}
    lost = set(zip(found.lost["item"], found.lost["task"], strict=True))
    assert lost == expected.keys() - kept.keys()
    counts = found.counts
    ends = ("out", "of_rejected_rows", "merged", "conflicting", "undecided")
    assert counts["in"] == len(cells) == sum(counts[key] for key in ends)
    assert len(found.lost) == counts["conflicting_cells"] + counts["undecided_cells"]


@settings(max_examples=20, deadline=None)
@given(st.lists(MEASUREMENT, min_size=1, max_size=30), st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_rows_changes_no_label_and_no_count(cells, random, labels_first):
    shuffled = random.sample(cells, len(cells))
    one, other = (merged(part, [0, 1, 2] * 4, labels_first=labels_first) for part in (cells, shuffled))
    pd.testing.assert_frame_equal(one.labels, other.labels)
    pd.testing.assert_frame_equal(one.spread, other.spread)
    assert one.counts == other.counts
