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


L2T_MITTEN = """
Tox21 All 80% 0.8063 0.8171 0.8204 0.8049 0.8333
Tox21 Partially 10% 0.7138 0.7309 0.7128 0.7331 0.7310
Tox21 All 10% 0.7719 0.7934 0.7823 0.7848 0.8033
SIDER All 80% 0.6458 0.6484 0.6676 0.6406 0.6701
SIDER Partially 10% 0.5682 0.5534 0.5504 0.5377 0.5541
SIDER All 10% 0.6277 0.6290 0.6285 0.6261 0.6363
DBLP Partially 1% 0.8069 0.8056 0.5148 0.7930 0.8241
DBLP All 10% 0.8232 0.8077 0.5150 0.8177 0.8367
BlogCatalog Partially 5% 0.5154 0.6521 0.5259 0.6720 0.6769
BlogCatalog All 20% 0.6100 0.6667 0.5272 0.6850 0.6861
TMDb All 80% 0.8172 0.8272 0.8543 0.8198 0.8484
TMDb Partially 10% 0.7324 0.7293 0.7234 0.6590 0.7404
TMDb All 10% 0.8033 0.8227 0.8452 0.7869 0.8480
"""  # tables 1 and 2 as they are printed
SIZES = {  # tables 3 and 4; the nodes of one graph are items
    "Tox21": {"items": 8014, "tasks": 12, "nodes": 18, "edges": 48},
    "SIDER": {"items": 1427, "tasks": 27, "nodes": 33, "edges": 105},
    "DBLP": {"items": 14704, "tasks": 18, "graphs": 1, "edges": 24778},
    "BlogCatalog": {"items": 10312, "tasks": 39, "graphs": 1, "edges": 333983},
    # Section 5.1 says 4803 movies, as the file of TMDb has; table 4 repeats the number of Tox21.
    "TMDb": {"items": 8014, "tasks": 20, "words": 59},
}


def test_the_tables_of_l2t_mitten_are_whole(sheet):
    found = [one for one in sheet if one.paper == "l2t_mitten"]
    of_methods = {(one.row, one.column): one.value for one in found if one.metric == "roc_auc"}
    methods = ("Single-Task", "Shared-Bottom", "Cross-Stitch", "MMoE", "L2T-MITTEN")
    expected = {}
    for line in L2T_MITTEN.strip().splitlines():
        name, values = " ".join(line.split()[:3]), map(float, line.split()[3:])
        expected |= {(method, name): 100 * value for method, value in zip(methods, values, strict=True)}
    assert len(expected) == 65
    assert of_methods == pytest.approx(expected, abs=1e-9)
    sizes = {(one.row, one.column): one.value for one in found if one.table in {"3", "4"}}
    assert sizes == {(name, key): value for name, own in SIZES.items() for key, value in own.items()}
    assert {one.metric for one in found} == {"roc_auc", *(key for own in SIZES.values() for key in own)}
