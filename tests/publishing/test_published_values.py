"""The sheet of published numbers is whole, and what studies call published is in it."""

from itertools import product
from pathlib import Path

import pytest

from relatask.config import load_study
from relatask.publishing.published_values import Published, lookup, read_published

STUDIES = ("chembl_string", "metalink", "metalink_meta", "metalink_coco", "metalink_coco_meta")
MOLECULES = ("Tox21", "Sider", "ToxCast")


@pytest.fixture(scope="module")
def sheet(root: Path) -> list[Published]:
    return read_published(root / "config" / "published.csv")


@pytest.mark.parametrize("name", STUDIES)
def test_each_published_row_of_a_study_has_a_number_for_each_of_its_data_sets(name, root, sheet):
    study = load_study(root / f"config/studies/{name}.yaml")
    printed = lookup(sheet, study.paper, study.metrics[0])
    rows = {method.published for method in study.methods} - {None}
    columns = {dataset.published for dataset in study.datasets.values()}
    assert rows
    assert None not in columns
    assert not {*product(rows, columns)} - set(printed)


def test_no_number_stands_there_twice(sheet):
    keys = [(one.paper, one.table, one.row, one.column, one.metric) for one in sheet]
    assert len(keys) == len(set(keys))


def test_the_tables_of_metalink_are_whole(sheet):
    found = {
        (one.table, one.row, one.column): (one.value, one.spread)
        for one in sheet
        if one.paper == "metalink" and one.metric in {"roc_auc", "average_precision"}
    }
    baselines = ("MPNN", "DMPNN", "MGCN", "AttentiveFP", "GROVER (48M)", "GROVER (100M)")
    settings = ("standard", "relational", "meta", "relational meta")
    kinds = ("Sider least correlated", "Sider most correlated")
    expected = {("1", *cell) for cell in product((*baselines, *settings), MOLECULES)}
    expected |= {("2", row, "MS-COCO") for row in ("ML-GCN", "ERM", "Baseline++", *settings)}
    expected |= {("3", *cell) for cell in product(settings[:2], kinds)}
    expected |= {
        ("5", *cell) for cell in product(("relational, shared", "relational"), (*MOLECULES, "MS-COCO"))
    }
    assert {key for key in found if key[0] != "4"} == expected
    assert all(spread is not None for _, spread in found.values())
    for row, column in product(("relational",), MOLECULES):  # printed twice
        assert found["5", row, column] == found["1", row, column]
    assert found["5", "relational", "MS-COCO"] == found["2", "relational", "MS-COCO"] == (75.36, 0.16)
