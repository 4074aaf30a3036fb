"""What a study may say of its splits, and what it may not."""

from typing import Any

import pytest

from relatask.config import StudyConfig
from relatask.core.blocks import parse
from relatask.core.errors import RelataskError


def study(reader: str = "table", source: dict[str, Any] | None = None, **splits: Any) -> StudyConfig:
    paths = {"table": {"path": "a.csv"}, "texts": {"path": "a.csv"}, "molecule_parts": {"path": "a.csv"}}
    values = {
        "title": "T",
        "sources": {"mine": {"reader": reader, **paths[reader], **(source or {})}},
        "datasets": {"own": {"source": "mine"}},
        "splits": splits,
        "methods": [{"label": "M", "method": "label_mean"}],
        "baseline": "M",
        "metrics": ["roc_auc", "accuracy"] if reader == "molecule_parts" else ["roc_auc"],
        "scales": {"quick": {"seeds": [0]}},
    }
    return parse(StudyConfig, values, "s.yaml")


def test_columns_files_and_clusters_of_splits_are_known_before_anything_runs() -> None:
    variants = {
        "series": {"scheme": "leave_out", "by": "project"},
        "near": {"scheme": "cross_validation", "by": "butina", "cutoff": 0.5},
        "rings": {"scheme": "cross_validation", "by": "scaffold"},
        "old": {"scheme": "time", "column": "when"},
    }
    splits = study(schemes=[*variants, "butina", "rows", "random"], variants=variants, path="f.json").splits
    assert splits.columns == ["project", "when"]
    assert splits.files_of("rows") == ["f.json"]
    assert splits.files_of("random") == []
    cutoffs = {split: splits.cutoff_of(split) for split in splits.schemes}
    assert cutoffs == {**dict.fromkeys(splits.schemes), "near": 0.5, "butina": 0.4}
    assert splits.needs_molecules("rings") == "by: scaffold"
    assert splits.needs_molecules("old") == ""


@pytest.mark.parametrize(
    ("reader", "source", "splits", "message"),
    [
        ("texts", {}, {"schemes": ["butina"]}, "splits.schemes: butina is not for texts"),
        (
            "texts",
            {},
            {"schemes": ["cross_validation"], "by": "butina"},
            "splits.by: butina: it is of molecules",
        ),
        (
            "texts",
            {},
            {"schemes": ["given"], "valid_by": "scaffold"},
            "splits.valid_by: scaffold: it is of molec",
        ),
        ("table", {}, {"schemes": ["given"], "valid_by": "scafold"}, "valid_by: .*'random' or 'scaffold'"),
        ("table", {}, {"schemes": ["butina"], "cutoff": 1.0}, "cutoff"),
        ("table", {}, {"schemes": ["rows"]}, "splits: path: the scheme rows needs it"),
        ("table", {}, {"schemes": ["time"]}, "splits: column: the scheme time needs it"),
        ("table", {}, {"schemes": ["leave_out"]}, "splits: by: the scheme leave_out needs it"),
        (
            "table",
            {"test_path": "b.csv"},
            {"schemes": ["random"]},
            r"it is \['given'\] for molecules with a test_path",
        ),
        ("table", {}, {"schemes": ["random"], "variants": {}, "by": 3}, "by"),
    ],
)
def test_what_does_not_go_together_is_refused_by_its_key(
    reader: str, source: dict[str, Any], splits: dict[str, Any], message: str
) -> None:
    with pytest.raises(RelataskError, match=message):
        study(reader, source, **splits)


def test_schemes_go_with_all_items_for_which_they_make_sense() -> None:
    for scheme in ("leave_out", "grouped", "cross_validation"):
        assert study("texts", schemes=[scheme], by="author").splits.columns == ["author"]
    for scheme in ("column", "time"):
        assert study("texts", schemes=[scheme], column="mine").splits.columns == ["mine"]
    assert study("texts", schemes=["rows"], path="folds.csv").splits.columns == []
    assert study(source={"test_path": "b.csv"}, schemes=["given"]).splits.used == ["given"]
