"""From raw rows to a source: every row and every label ends somewhere that is counted."""

import json

import numpy as np
import pandas as pd
import pytest

from relatask.__main__ import main
from relatask.core.errors import RelataskError
from relatask.core.layout import SOURCE_TABLES
from relatask.core.tables import read_table
from relatask.data.merge import standardise_source
from relatask.data.raw_table import RawTable
from relatask.data.standardise import Limits
from relatask.sources.task_sheet import tasks_without_sheet


def table(smiles, cells, tasks=("A", "B")):
    labels = pd.DataFrame(cells, columns=["row_position", "task", "value"])
    return RawTable(
        smiles=list(smiles),
        source_ids=[f"id{row}" for row in range(1, len(smiles) + 1)],
        rows=np.arange(1, len(smiles) + 1),
        labels=labels.astype({"row_position": "int64", "task": "int32", "value": "float64"}),
        tasks=tasks_without_sheet(tasks),
    )


# Rows 1, 3 and 5 are one molecule; row 2 is no molecule; row 4 is another.
SMILES = ["CCCO", "xx", "OCCC", "CCCN", "C(O)CC.Cl"]
CELLS = [(0, 0, 1), (0, 1, 1), (1, 0, 1), (2, 0, 1), (2, 1, 0), (3, 1, 0), (4, 1, 1)]


@pytest.fixture
def source():
    return standardise_source(table(SMILES, CELLS, ("A", "B", "no label")), Limits(), "s")


def test_rows_of_one_molecule_become_one_with_the_first_ones_id(source):
    assert source.items.smiles.tolist() == ["CCCO", "CCCN"]
    assert source.items.item_id.tolist() == [0, 1]
    assert source.items.source_id.tolist() == ["id1", "id4"]


def test_every_row_left_out_is_listed_with_its_reason(source):
    assert source.rejected[["row", "reason"]].to_records(index=False).tolist() == [
        (2, "not a valid SMILES: it cannot be parsed"),
        (3, "duplicate of row 1"),
        (5, "duplicate of row 1"),
    ]
    assert source.rejected.smiles.tolist() == ["xx", "OCCC", "C(O)CC.Cl"]
    assert source.rejected.source_id.tolist() == ["id2", "id3", "id5"]


def test_equal_labels_stay_and_conflicting_ones_become_missing(source):
    assert [tuple(row) for row in source.labels.itertuples(index=False)] == [
        (0, "A", 1.0, "="),
        (1, "B", 0.0, "="),
    ]


def test_the_counts_add_up(source):
    labels = source.counts["labels"]
    assert labels == {
        "in": 7,
        "of_rejected_rows": 1,
        "merged": 1,
        "conflicting": 3,
        "conflicting_cells": 1,
        "undecided": 0,
        "undecided_cells": 0,
        "out": 2,
    }
    assert source.counts["rows"] == 5
    assert source.counts["rejected"] == {"not a valid SMILES": 1}
    assert source.counts["duplicates_merged"] == 2
    assert source.counts["items"] == 2


def test_tasks_keep_their_order_count_their_classes_and_stay_without_labels(source):
    assert source.tasks.task_id.tolist() == ["A", "B", "no_label"]
    assert source.tasks.n_pos.tolist() == [1, 0, 0]
    assert source.tasks.n_neg.tolist() == [0, 1, 0]
    assert source.counts["tasks_without_labels"] == 1


def test_a_cell_measured_twice_in_one_row_is_merged_likewise():
    source = standardise_source(table(["CCCO"], [(0, 0, 1), (0, 0, 1), (0, 1, 1), (0, 1, 0)]), Limits(), "s")
    assert source.labels.task_id.tolist() == ["A"]


def test_labels_are_sorted_by_molecule_and_task_order():
    cells = [(1, 1, 1), (0, 1, 0), (1, 0, 0), (0, 0, 1)]
    source = standardise_source(table(["CCCO", "CCCN"], cells, ("Z", "A")), Limits(), "s")
    assert source.labels.task_id.tolist() == ["Z", "A", "Z", "A"]
    assert source.labels.item_id.tolist() == [0, 0, 1, 1]


def test_a_source_without_a_usable_molecule_is_an_error_that_says_why():
    with pytest.raises(RelataskError, match=r"none of its 2 rows .*2 x not a valid SMILES"):
        standardise_source(table(["xx", "yy"], []), Limits(), "s")


def test_a_reader_that_gives_other_labels_is_stopped():
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        standardise_source(table(["CCCO"], [(0, 0, 0.5)]), Limits(), "s")


def test_a_threshold_is_applied_to_the_median_of_a_molecule_or_to_each_value_first(tmp_path):
    (tmp_path / "x.csv").write_text("smiles,A\nCCCO,6.9\nOCCC,5.5\nC(O)CC,6.1\nCCCN,5.95\nNCCC,6.05\n")
    block = {"reader": "table", "path": str(tmp_path / "x.csv"), "active": {"at_least": 6}}
    found = {}
    for how in ("median", "labels"):
        config = json.dumps({**block, "replicates": how})
        command = [
            "prepare_items",
            "--source-config",
            config,
            "--name",
            "x",
            "--out-dir",
            str(tmp_path / how),
        ]
        assert main(command) == 0
        labels = read_table("labels", tmp_path / how / "labels.parquet").value.tolist()
        counts = json.loads((tmp_path / how / "counts.json").read_text())
        found[how] = (labels, counts["labels"]["conflicting_cells"], counts.get("replicates"))
    # 6.1 is the median of three, and (5.95 + 6.05) / 2 is 6 in whatever way it is rounded
    assert found["median"][:2] == ([1.0, 1.0], 0)
    squares = sum((v - 18.5 / 3) ** 2 for v in (6.9, 5.5, 6.1)) + 2 * 0.05**2
    deviation = pytest.approx((squares / 3) ** 0.5, abs=1e-6)
    assert found["median"][2] == {"A": {"cells": 2, "measurements": 5, "deviation": deviation}}
    assert found["labels"] == ([], 2, None)


def test_the_step_writes_the_same_bytes_twice_and_refuses_a_broken_config(tmp_path, capsys):
    (tmp_path / "x.csv").write_text("smiles,A\nCCCO,1\nxx,0\nCCCN,0\n")
    config = json.dumps({"reader": "table", "path": str(tmp_path / "x.csv")})
    for folder in ("one", "two"):
        out = ["--name", "x", "--out-dir", str(tmp_path / folder)]
        assert main(["prepare_items", "--source-config", config, *out]) == 0
    for name in SOURCE_TABLES:
        one, two = ((tmp_path / folder / f"{name}.parquet").read_bytes() for folder in ("one", "two"))
        assert one == two
    assert read_table("rejected", tmp_path / "one" / "rejected.parquet").row.tolist() == [2]
    assert main(["prepare_items", "--source-config", "{", *out]) == 2
    assert "--source-config is not JSON" in capsys.readouterr().err


def test_a_source_without_any_label_has_an_empty_labels_table(tmp_path):
    (tmp_path / "x.csv").write_text("smiles,A\nCCCO,\nCCCN,\n")
    config = json.dumps({"reader": "table", "path": str(tmp_path / "x.csv")})
    command = ["prepare_items", "--source-config", config, "--name", "x", "--out-dir", str(tmp_path)]
    assert main(command) == 0
    assert read_table("labels", tmp_path / "labels.parquet").empty
    assert json.loads((tmp_path / "counts.json").read_text())["tasks_without_labels"] == 1


AS_PUBLISHED = {"neutralise": False, "fragments": "largest"}
REAL = {  # source: rejected rows, duplicates, molecules, labels, conflicting cells
    "tox21": (115, 115, 7601, 75_731, 47),
    "sider": (131, 29, 1267, 34_078, 131),
    "toxcast": (106, 383, 8087, 1_476_272, 2513),
    "kiba": (57, 14, 4004, 160_266, 3),
}


@pytest.mark.parametrize("name", REAL)
def test_real_sources_give_these_counts(mirror, tmp_path, name):
    block = {"reader": "kiba", "path": str(mirror / "kiba"), **AS_PUBLISHED, "replicates": "labels"}
    if name != "kiba":
        (path,) = (mirror / "moleculenet").glob(f"{name}.csv*")
        block = {"reader": "table", "path": str(path), **AS_PUBLISHED}
    command = ["--source-config", json.dumps(block), "--name", name, "--out-dir", str(tmp_path)]
    assert main(["prepare_items", *command]) == 0
    counts = json.loads((tmp_path / "counts.json").read_text())
    rejected = sum(counts["rejected"].values())
    labels = counts["labels"]
    found = (rejected, counts["duplicates_merged"], counts["items"], labels["out"])
    assert (*found, labels["conflicting_cells"]) == REAL[name]
    assert counts["rows"] == rejected + counts["duplicates_merged"] + counts["items"]
    lost = labels["of_rejected_rows"] + labels["merged"] + labels["conflicting"]
    assert labels["in"] == labels["out"] + lost
    assert len(read_table("rejected", tmp_path / "rejected.parquet")) == counts["rows"] - counts["items"]
