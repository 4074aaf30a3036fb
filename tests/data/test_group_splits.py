"""Splits of whole groups: scaffolds, clusters and columns; cross-validation and leaving one out by them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relatask.core.errors import RelataskError
from relatask.data.splits import fold_sizes, split_digest, split_items
from tests.helpers.data_tables import labels_table

FRACTIONS = (0.6, 0.2, 0.2)
NO_LABELS = labels_table([], [], [])


def of_items(scheme: str, seed: int, options: dict[str, Any], **columns: Any) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    items = pd.DataFrame({"item_id": np.arange(n) * 3, **columns})
    return split_items(items, NO_LABELS, scheme, seed, FRACTIONS, options)


def folds(table: pd.DataFrame) -> np.ndarray:
    return table["fold"].to_numpy(object)


def together(fold: np.ndarray, group: np.ndarray) -> bool:
    """Whether each group is in one fold."""
    return bool((pd.Series(fold).groupby(group).nunique() == 1).all())


GROUPS = st.lists(st.integers(0, 12), min_size=30, max_size=120).filter(lambda group: len({*group}) > 4)


@settings(max_examples=10, deadline=None)
@given(GROUPS, st.integers(3, 5), st.sampled_from(["series", "scaffold", "butina"]))
def test_every_item_is_tested_once_a_repeat_and_groups_stay_together(
    group: list[int], n_folds: int, by: str
) -> None:
    codes = np.array(group)
    column = "cluster" if by == "butina" else by
    values: Any = codes if by == "butina" else [f"g{code}" for code in group]
    for repeat in range(2):
        seeds = range(repeat * n_folds, (repeat + 1) * n_folds)
        found = np.array(
            [folds(of_items("cross_validation", seed, {"n_folds": n_folds, "by": by}, **{column: values}))
             for seed in seeds]
        )  # fmt: skip
        assert ((found == "test").sum(0) == 1).all()
        assert ((found == "valid").sum(0) == 1).all()
        assert ((found == "test")[0] == (found == "valid")[-1]).all()  # each fold is validated on before
        assert all(together(one, codes) for one in found)
        largest = np.bincount(codes).max()
        assert (found == "test").sum(1).max() <= len(codes) / n_folds + largest


def test_folds_of_groups_are_balanced_and_repeats_differ() -> None:
    rng = np.random.default_rng(0)
    series = [f"s{code}" for code in np.minimum(rng.geometric(0.02, 3000), 300)]
    options = {"n_folds": 5, "by": "series"}
    found = [
        folds(of_items("cross_validation", seed, options, series=series)) == "test" for seed in range(10)
    ]
    assert all(540 <= one.sum() <= 660 for one in found)
    assert len({one.tobytes() for one in found}) == 10


def test_an_item_without_a_group_is_a_group_by_itself() -> None:
    series = ["a"] * 10 + [None] * 20 + [""] * 20
    tables = [of_items("cross_validation", seed, {"by": "series"}, series=series) for seed in range(5)]
    assert {table.attrs["facts"]["groups"] for table in tables} == {41}
    assert len({fold for table in tables for fold in folds(table)[10:]}) == 3
    acyclic = of_items("cross_validation", 0, {"by": "scaffold"}, scaffold=["c1ccccc1"] * 10 + [""] * 40)
    assert acyclic.attrs["facts"]["groups"] == 41


def test_folds_of_too_few_groups_are_refused() -> None:
    with pytest.raises(RelataskError, match="it is from 3 to the number of groups by series, 4, not 5"):
        of_items("cross_validation", 0, {"by": "series"}, series=list("abcd") * 9)
    with pytest.raises(RelataskError, match="cross_validation reads the column 'serie' of the items"):
        of_items("cross_validation", 0, {"by": "serie"}, series=list("abcd") * 9)


def test_the_draws_of_cross_validation_without_groups_stay_as_they_were() -> None:
    found = folds(of_items("cross_validation", 7, {}, any=[0] * 20))
    part = np.random.default_rng([1, 4]).permutation(np.arange(20) % 5)
    assert (found == np.select([part == 2, part == 3], ["test", "valid"], "train")).all()


def test_each_seed_leaves_out_one_group_the_largest_first() -> None:
    series = np.array(["b"] * 8 + ["a"] * 8 + ["long"] * 20 + [""] * 2, object)
    order = []
    for seed in range(5):
        table = of_items("leave_out", seed, {"by": "series"}, series=series)
        found = folds(table)
        order.append(table.attrs["facts"]["tested_group"])
        assert together(found == "test", series) or seed >= 3
        assert (found == "valid").sum() == round(0.25 * (38 - (found == "test").sum()))
    assert order == ["long", "a", "b", "item 108", "item 111"]
    with pytest.raises(
        RelataskError, match="one group by series for each seed, from 0, and there are 5; seed 5"
    ):
        of_items("leave_out", 5, {"by": "series"}, series=series)
    with pytest.raises(RelataskError, match=r"splits\.by: leave_out needs what is left out"):
        of_items("leave_out", 0, {}, series=series)


@pytest.mark.parametrize("by", ["scaffold", "butina"])
def test_a_scaffold_or_cluster_is_left_out_and_others_are_for_validation(by: str) -> None:
    codes = np.repeat(np.arange(10), np.arange(10, 0, -1))
    columns: dict[str, Any] = {"scaffold": [f"s{code}" for code in codes], "cluster": codes}
    for seed in range(3):
        found = folds(of_items("leave_out", seed, {"by": by, "valid_by": "scaffold"}, **columns))
        assert np.unique(codes[found == "test"]).tolist() == [seed]
        assert together(found, codes)
        assert 0 < (found == "valid").sum() <= round(0.25 * (found != "test").sum())


@settings(max_examples=10, deadline=None)
@given(GROUPS, st.integers(0, 1000))
def test_clusters_stay_together_in_folds_of_their_sizes(group: list[int], seed: int) -> None:
    codes = np.array(group)
    found = folds(of_items("butina", seed, {}, cluster=codes))
    assert together(found, codes)
    test = (found == "test").sum()
    assert 1 <= test <= max(fold_sizes(len(codes), FRACTIONS)[2], np.bincount(codes).max())


def test_clusters_are_made_of_smiles_and_given_ones_are_read() -> None:
    smiles = ["C" * n + end for end in ("O", "N", "F", "Cl") for n in range(8, 20)]
    table = of_items("butina", 0, {"cutoff": 0.3}, smiles=smiles)
    assert table.attrs["facts"] == {"clusters": 4}
    assert together(folds(table), np.repeat(np.arange(4), 12))
    given = of_items("butina", 0, {}, smiles=smiles, cluster=[0] * 28 + [1, 2] * 10)
    assert given.attrs["facts"] == {"clusters": 3}
    with pytest.raises(
        RelataskError, match=r"the cluster split leaves the fold .* the largest of 1 clusters holds"
    ):
        of_items("butina", 0, {}, cluster=[0] * 30)


def test_a_column_of_projects_is_drawn_in_whole() -> None:
    project = np.array([f"p{code}" for code in np.repeat(np.arange(12), 5)], object)
    seen = set()
    for seed in range(5):
        found = folds(of_items("grouped", seed, {"by": "project"}, project=project))
        assert together(found, project)
        seen.add(tuple(np.unique(project[found == "test"])))
    assert len(seen) > 3
    with pytest.raises(RelataskError, match=r"splits\.by: use the scheme scaffold"):
        of_items("grouped", 0, {"by": "scaffold"}, scaffold=project)


@pytest.mark.parametrize(
    ("scheme", "digest"),
    [("scaffold", "5c9a4735617c81d5"), ("given", "d7ef3e4d5d56c129"), ("grouped", "a623750e034c5bcb")],
)
def test_the_draws_that_published_studies_were_made_by_stay_as_they_were(scheme: str, digest: str) -> None:
    numbers = np.arange(300) ** 2 % 97
    columns = {
        "scaffold": [f"s{number}" if number % 5 else "" for number in numbers],
        "group": [f"g{number % 11}" for number in numbers],
        "fold": ["test" if row % 9 == 0 else "train" for row in range(300)],
    }
    items = pd.DataFrame({"item_id": np.arange(300), **columns})
    assert split_digest(split_items(items, NO_LABELS, scheme, 2, FRACTIONS)).startswith(digest)
