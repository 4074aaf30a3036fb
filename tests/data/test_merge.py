"""From raw rows to a source: every row and every label ends somewhere that is counted."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from relatask.__main__ import main
from relatask.core.errors import RelataskError
from relatask.core.layout import SOURCE_TABLES
from relatask.core.plugins import load_file
from relatask.core.tables import read_table
from relatask.data.dataset import make_dataset
from relatask.data.merge import standardise_source
from relatask.data.raw_table import RawTable
from relatask.data.source_tables import SourceContext
from relatask.data.standardise import Limits, Molecule, standardise_all
from relatask.sources.molecules import read_source
from relatask.sources.task_sheet import tasks_without_sheet
from tests.helpers.data_tables import source_of
from tests.oracles import replicates as oracle


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


def test_every_row_says_which_molecule_it_became(source):
    assert source.rows["item_id"].fillna(-1).tolist() == [0, -1, 0, 1, 0]
    assert source.rows["source_id"].tolist() == ["id1", "id2", "id3", "id4", "id5"]


@pytest.mark.parametrize("name", ["set", "fold"])
def test_merged_rows_that_say_another_fold_are_listed_and_counted(caplog, name):
    raw = table(SMILES, CELLS)
    raw.columns = {
        name: ["train", "test", "test", "train", "train"],
        "made": [None, "x", None, None, "y"],
    }
    source = standardise_source(raw, Limits(), "s")
    assert source.items[name].tolist() == ["train", "train"]
    assert source.rejected["reason"].tolist()[1:] == [
        f"duplicate of row 1, whose {name} is 'train' and not 'test'",
        "duplicate of row 1, whose made is None and not 'y'",
    ]
    assert source.counts["duplicates_that_differ"] == {name: 1, "made": 1}
    assert f"1 rows are of a molecule whose first row has another {name}, which counts" in caplog.text


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


# Of the tables that methods read, as before there were `neutralise`, `fragments` and `replicates`.
DIGESTS = {
    "moleculenet/tox21": "5a6b313dbe32f6f4f67f6ff9a7430475629edf48f11c024c68d11ef8e31139e4",
    "kiba_string/kiba": "302b2141a506c6b2c25f4e65ceb2ad949ecf79e48ee5cb4d6e9cf579c74e1065",
}


@pytest.mark.parametrize("name", DIGESTS)
def test_published_studies_read_the_same_data_as_ever(mirror, root, name):
    study, source = name.split("/")
    block = yaml.safe_load((root / "config" / "studies" / f"{study}.yaml").read_text())["sources"][source]
    path = mirror / "kiba" if source == "kiba" else mirror / "moleculenet" / "tox21.csv"
    read = source_of(**block, path=str(path))
    tables = load_file(read.record).prepare(read, SourceContext(source))
    made = make_dataset({table: getattr(tables, table) for table in SOURCE_TABLES}, None, None, source)
    assert made.counts["digest"] == DIGESTS[name]


def test_by_default_tox21_has_acids_and_salts_as_one_molecule_and_no_mixtures(mirror):
    block = source_of(reader="table", path=str(mirror / "moleculenet" / "tox21.csv"))
    counts = load_file(block.record).prepare(block, SourceContext("tox21")).counts
    assert (counts["items"], counts["duplicates_merged"], counts["neutralised"]) == (7503, 207, 386)
    assert (counts["labels"]["conflicting_cells"], counts["rejected"]["mixture"]) == (85, 6)
    assert (counts["salts"]["rows"], counts["salts"]["of"]["citrate"]) == (176, 19)


def test_kiba_scores_of_one_molecule_agree_with_loops_over_them(mirror):
    raw = read_source(source_of(reader="kiba", path=str(mirror / "kiba")), "kiba")
    standard = [result for _, result in standardise_all(raw.smiles[:1500], Limits())]
    raw = replace(
        raw,
        smiles=raw.smiles[:1500],
        source_ids=raw.source_ids[:1500],
        rows=raw.rows[:1500],
        labels=raw.labels[raw.labels["row_position"] < 1500],
    )
    for how in ("median", "labels"):
        source = standardise_source(raw, Limits(), "kiba", how)
        kept = {smiles: item for item, smiles in enumerate(source.items["smiles"])}
        cells = {}
        for row, task, value in raw.labels.itertuples(index=False):
            if isinstance(standard[row], Molecule):
                cells.setdefault((kept[standard[row].smiles], task), []).append((value, "="))
        assert sum(len(values) > 1 for values in cells.values()) > 20
        expected = {}
        for cell, values in cells.items():
            labels = {oracle.label(*oracle.merged_value(values), None, 3.0)}
            if how == "labels":
                labels = {oracle.label(*oracle.allowed(*one), None, 3.0) for one in values}
            expected[cell] = labels.pop() if len(labels) == 1 else None
        column = source.labels["task_id"].cat.codes
        found = zip(source.labels["item_id"], column, source.labels["value"], strict=True)
        stay = {cell: label for cell, label in expected.items() if label is not None}
        assert {(item, task): value for item, task, value in found} == stay
        assert len(source.conflicts) == len(expected) - len(stay)


def test_the_page_of_cells_shows_an_example_that_comes_out_as_it_says(root, tmp_path, monkeypatch):
    page = (root / "docs" / "cells.md").read_text(encoding="utf-8")
    table, study = (part.split("```")[0] for part in page.split("```\n", 1)[1].split("```yaml\n", 1))
    (tmp_path / "assays.csv").write_text(table, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    block = source_of(**yaml.safe_load(study)["sources"]["mine"])
    tables = load_file(block.record).prepare(block, SourceContext("mine"))
    assert tables.items["source_id"].tolist() == ["A-1", "A-2", "A-3", "A-4"]
    assert tables.labels["value"].tolist() == pytest.approx(
        [6 - np.log10(30), 1, 0, 6 - (np.log10(4.5) + np.log10(5.5)) / 2, 0, 6 - np.log10(8), 6.09691, 1, 1]
    )
    assert tables.labels["bound"].tolist() == ["<", *"========"]
    assert tables.rejected["reason"].str.startswith("mixture").tolist() == [False, False, True]
    assert tables.conflicts[["source_id", "rows", "values"]].to_numpy().tolist() == [
        ["A-2", "3;4", "1;0"],
        ["A-3", "5", ">4"],
    ]


def test_real_values_given_for_base_and_salt_are_their_median_before_the_threshold(mirror, tmp_path):
    frame = pd.read_csv(mirror / "kinase200" / "kinase200.csv.gz", nrows=150)
    tasks = [name for name in frame.columns[2:-2] if frame[name].notna().any()]
    values = frame[tasks].to_numpy()
    base, salt = frame[["SMILES", *tasks]].copy(), frame[["SMILES", *tasks]].copy()
    base[tasks], salt[tasks], salt["SMILES"] = values + 0.3, values - 0.1, salt["SMILES"] + ".Cl"
    path = tmp_path / "x.csv"
    pd.concat([base, salt]).to_csv(path, index=False)
    for keys in ({"values": "real"}, {"active": {"at_least": 6.5}}):
        block = source_of(reader="table", path=str(path), smiles_column="SMILES", **keys)
        tables = load_file(block.record).prepare(block, SourceContext("mine"))
        assert len(tables.items) == tables.counts["salts"]["of"]["chloride"] == 150
        found = np.full(values.shape, np.nan)
        found[tables.labels["item_id"], tables.labels["task_id"].cat.codes] = tables.labels["value"]
        medians = values + 0.1
        expected = medians if "values" in keys else np.where(np.isnan(values), np.nan, medians >= 6.5)
        near = np.abs(medians - 6.5) < 1e-9  # where the test's own sums are rounded otherwise
        np.testing.assert_allclose(found[~near], expected[~near], rtol=1e-6)
        assert {own["deviation"] for own in tables.counts["replicates"].values()} == {0.282843}
