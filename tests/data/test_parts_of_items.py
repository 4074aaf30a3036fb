"""Nodes and pairs of nodes are in the fold of their graph, whatever the scheme; other items as ever."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from relatask.core.errors import RelataskError
from relatask.data.source_tables import SourceTables
from relatask.data.splits import describe_split, split_items
from tests.helpers.level_graphs import random_graphs

FRACTIONS = (0.6, 0.2, 0.2)
N_GRAPHS = 25


@pytest.fixture(scope="module")
def tables() -> SourceTables:
    found = random_graphs(N_GRAPHS)
    scaffolds = [f"scaffold {graph // 3}" for graph in range(N_GRAPHS)]
    mine = (["train"] * 3 + ["valid", "test"]) * 5
    parts = [None] * (len(found.items) - N_GRAPHS)
    found.items = found.items.assign(scaffold=[*scaffolds, *parts], mine=[*mine, *parts])
    return found


def folds_of(tables: SourceTables, scheme: str, seed: int = 0, **options: Any) -> pd.Series:
    split = split_items(tables.items, tables.labels, scheme, seed, FRACTIONS, options)
    assert split["item_id"].tolist() == tables.items["item_id"].tolist()
    assert split["task_id"].isna().all()
    return split.set_index("item_id")["fold"].astype(str)


@pytest.mark.parametrize(
    ("scheme", "options"),
    [
        ("random", {}),
        ("stratified", {}),
        ("cross_validation", {"n_folds": 5}),
        ("scaffold", {}),
        ("column", {"column": "mine"}),
    ],
)
def test_parts_follow_their_graph_and_graphs_are_split_as_if_they_were_alone(
    tables: SourceTables, scheme: str, options: dict[str, Any]
) -> None:
    whole = tables.items["parent"].isna()
    own = tables.labels["item_id"].isin(tables.items["item_id"][whole])
    for seed in (0, 1):
        found = folds_of(tables, scheme, seed, **options)
        parent = tables.items["parent"][~whole].astype(int)
        assert (found[~whole.to_numpy()].to_numpy() == found[parent].to_numpy()).all()
        alone = split_items(
            tables.items[whole].drop(columns="parent"), tables.labels[own], scheme, seed, FRACTIONS, options
        )
        assert found[whole.to_numpy()].tolist() == alone["fold"].tolist()
        assert set(found) == {"train", "valid", "test"}


def test_fractions_are_those_of_graphs_and_the_order_of_rows_does_not_matter(
    tables: SourceTables,
) -> None:
    found = folds_of(tables, "random")
    assert found[:N_GRAPHS].value_counts().to_dict() == {"train": 15, "valid": 5, "test": 5}
    items = tables.items.sample(frac=1, random_state=0)
    again = split_items(items, tables.labels, "random", 0, FRACTIONS)
    assert again["fold"].tolist() == found.tolist()
    counts = describe_split(again, tables.labels)["folds"]
    assert sum(fold["items"] for fold in counts.values()) == len(items)


@pytest.mark.parametrize("scheme", ["cells", "masked"])
def test_a_scheme_that_parts_the_labels_of_an_item_is_refused(tables: SourceTables, scheme: str) -> None:
    said = f"splits.schemes: {scheme} splits labels, but items of this data set are parts of others"
    with pytest.raises(RelataskError, match=said):
        folds_of(tables, scheme)


def test_a_part_of_what_is_no_whole_item_is_refused(tables: SourceTables) -> None:
    node, pair = N_GRAPHS, len(tables.items) - 1
    for parent in (node, 10_000):
        items = tables.items.copy()
        items.loc[pair, "parent"] = parent
        with pytest.raises(RelataskError, match=f"the item {pair} is part of {parent}, which is no item or"):
            split_items(items, tables.labels, "random", 0, FRACTIONS)


@pytest.mark.parametrize("scheme", ["random", "stratified", "cells", "cross_validation"])
def test_items_that_are_no_parts_are_split_as_without_the_column(tables: SourceTables, scheme: str) -> None:
    flat = tables.items.assign(parent=pd.array([pd.NA] * len(tables.items), dtype="Int32"))
    with_column, without = (
        split_items(items, tables.labels, scheme, 0, FRACTIONS)
        for items in (flat, flat.drop(columns="parent"))
    )
    pd.testing.assert_frame_equal(with_column, without)
    assert scheme == "cells" or len(with_column) == len(flat)
    assert not np.array_equal(
        with_column["fold"].to_numpy()[:N_GRAPHS], folds_of(tables, "random").to_numpy()[:N_GRAPHS]
    )
