"""What holds of every scheme of splits, also of one that is added tomorrow."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from relatask.core.plugins import scheme_records
from relatask.data.splits import FOLDS, HIDDEN, describe_split, split_digest, split_items
from tests.helpers.data_tables import labels_table

N, FRACTIONS = 120, (0.6, 0.2, 0.2)
OPTIONS = {
    "column": "mine",
    "by": "group",
    "path": "folds.csv",
}  # of schemes that have them; others: defaults


def items() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    group = rng.integers(0, 20, N)
    names = [f"g{number}" for number in group]
    return pd.DataFrame(
        {
            "item_id": 3 * np.arange(N),
            "source_id": [f"x{number}" for number in range(N)],
            "n_heavy_atoms": rng.integers(3, 40, N),
            **{"scaffold": names, "group": names, "cluster": group},
            "mine": rng.integers(0, 5, N),  # numbers of folds, and years
            "fold": np.array(FOLDS)[rng.integers(0, 3, N)],
        }
    )


def labels() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    row, task = np.nonzero(rng.random((N, 3)) < 0.7)
    return labels_table(3 * row, np.array(["a", "b", "c"])[task], rng.integers(0, 2, len(row)))


def split(scheme: str, seed: int, shuffled: bool = False) -> pd.DataFrame:
    record, frame, table = scheme_records()[scheme], items(), labels()
    rows = frame[["source_id", "item_id"]]
    named = pd.DataFrame({"row": np.arange(N), "fold": frame["fold"]})
    given: dict[str, Any] = {"rows": rows, "row_folds": [named]}
    options = {key: value for key, value in OPTIONS.items() if key in record.options}
    if shuffled:
        frame, table = frame.sample(frac=1, random_state=2), table.sample(frac=1, random_state=3)
    return split_items(frame, table, scheme, seed, FRACTIONS, options, given)


@pytest.mark.parametrize("scheme", scheme_records())
def test_each_item_or_label_is_in_one_fold_and_all_folds_are_there(scheme: str) -> None:
    table = split(scheme, 1)
    whole = table[table["task_id"].isna()]
    if scheme_records()[scheme].holds_out == "items":
        assert whole["item_id"].tolist() == items()["item_id"].tolist()
    cells = table[table["task_id"].notna()]
    assert not cells.duplicated(["item_id", "task_id"]).any()
    assert set(cells["item_id"]) <= set(items()["item_id"])
    assert {*FOLDS} <= set(table["fold"]) <= {*FOLDS, HIDDEN}
    assert table["item_id"].is_monotonic_increasing
    counts = describe_split(table, labels())["folds"]
    assert sum(fold["labels"] for fold in counts.values()) <= len(labels())


@pytest.mark.parametrize("scheme", scheme_records())
def test_a_seed_gives_one_split_whatever_the_order_of_the_rows(scheme: str) -> None:
    assert split_digest(split(scheme, 1)) == split_digest(split(scheme, 1, shuffled=True))


@pytest.mark.parametrize("scheme", scheme_records())
def test_records_of_splits_can_be_written(scheme: str) -> None:
    facts = split(scheme, 2).attrs.get("facts", {})
    assert all(type(value) in (int, float, str, list) for value in facts.values())
