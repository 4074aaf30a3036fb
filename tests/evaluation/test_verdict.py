"""The verdict: each task by its own measure, one difference for each split, simultaneous intervals."""

import math

import numpy as np
import pandas as pd
import pytest

from relatask.evaluation.fold_test import Family, interval
from relatask.evaluation.verdict import verdict

KINDS = {"a": "binary", "b": "real"}
METRIC = {"a": "roc_auc", "b": "r2"}


def cells(values: dict[str, list[tuple[float, float]]]) -> pd.DataFrame:
    """Method -> (ROC-AUC of a, R2 of b) of each split, among metrics that do not count."""
    rows = []
    for method, splits in values.items():
        for seed, pair in enumerate(splits):
            for task, value in zip("ab", pair, strict=True):
                own = {"method": method, "seed": seed, "task_id": task, "dataset": "d", "split": "s"}
                rows.append({**own, "fold": "test", "metric": METRIC[task], "value": value})
                rows.append({**own, "fold": "valid", "metric": METRIC[task], "value": 0.0})
                rows.append({**own, "fold": "test", "metric": "brier", "value": 9.0})
    return pd.DataFrame(rows)


VALUES = {
    "RF": [(0.70, 0.30), (0.72, 0.28), (0.71, 0.33)],
    "alone": [(0.78, 0.40), (0.80, 0.41), (0.79, 0.45)],
    "shared": [(0.80, 0.50), (0.83, 0.52), (0.81, 0.57)],
}


def test_the_winner_its_margins_and_whether_sharing_helped_are_those_worked_out_by_hand() -> None:
    found = verdict(cells(VALUES), KINDS, "RF", 1 / 3, ("shared", "alone"))
    assert found is not None
    table = {name: np.array(pairs).mean(1) for name, pairs in VALUES.items()}
    assert (found.winner, found.n_splits, found.kinds) == ("shared", 3, ("binary", "real"))
    assert found.mean == pytest.approx(table["shared"].mean())
    assert found.runner_up is not None
    assert found.baseline is not None
    assert found.runner_up == found.together
    assert found.runner_up.mean == pytest.approx((table["shared"] - table["alone"]).mean())
    family = Family.of(np.stack(list(table.values()), 1))
    expected = interval(table["shared"] - table["RF"], family, 1 / 3)
    assert (found.baseline.low, found.baseline.high) == pytest.approx(expected)
    assert (found.runner_up.said, found.baseline.said) == ("better", "better")


def test_equal_methods_are_undecided_and_one_split_has_no_interval() -> None:
    rng = np.random.default_rng(0)
    noise = {name: list(map(tuple, 0.7 + 0.05 * rng.normal(size=(5, 2)))) for name in ("RF", "alone")}
    found = verdict(cells(noise), KINDS, "RF", 1 / 3)
    assert found is not None
    assert found.runner_up is not None
    assert found.runner_up.said == "undecided"
    one = verdict(cells({name: pairs[:1] for name, pairs in VALUES.items()}), KINDS, "RF", 1 / 3)
    assert one is not None
    assert one.runner_up is not None
    assert math.isnan(one.runner_up.low)
    assert one.runner_up.said == "undecided"


def test_sharing_that_does_harm_is_worse() -> None:
    swapped = {"RF": VALUES["RF"], "shared": VALUES["alone"], "alone": VALUES["shared"]}
    found = verdict(cells(swapped), KINDS, "RF", 1 / 3, ("shared", "alone"))
    assert found is not None
    assert found.together is not None
    assert (found.winner, found.together.said) == ("alone", "worse")


def test_a_task_that_nothing_predicts_does_not_decide() -> None:
    """R2 has no least value: one bad fold of one task would outweigh all others."""
    values = {**VALUES, "shared": [(0.95, -40.0), (0.95, 0.5), (0.95, 0.5)]}
    found = verdict(cells(values), KINDS, "RF", 1 / 3)
    assert found is not None
    assert found.winner == "shared"


def test_cells_without_a_value_are_left_out_and_none_at_all_is_no_verdict() -> None:
    table = cells(VALUES)
    lost = (table["task_id"] == "a") & (table["seed"] == 0) & (table["method"] == "RF")
    found = verdict(table.assign(value=table["value"].where(~lost)), KINDS, "RF", 1 / 3)
    assert found is not None
    shared = np.array(VALUES["shared"])
    assert found.mean == pytest.approx(np.mean([shared[0, 1], *shared[1:].mean(1)]))
    assert verdict(table.assign(value=np.nan), KINDS, "RF", 1 / 3) is None
