"""Datasets keep what has enough labels, and say what was left out and why."""

import json

import numpy as np
import pandas as pd
import pytest

from relatask.__main__ import main
from relatask.config import DensifyConfig
from relatask.core.errors import RelataskError
from relatask.core.files import read_json, write_json
from relatask.core.tables import COLUMNS, read_table, write_table
from relatask.data.dataset import make_dataset
from relatask.data.dataset_counts import content_digest
from relatask.data.source_tables import empty_table
from tests.helpers.data_tables import items_table, labels_table, no_classes, tasks_table


def source_of(cells: list[str]) -> dict[str, pd.DataFrame]:
    """Source from one text per molecule: a character per task, 1, 0 or . for missing."""
    n_tasks = len(cells[0])
    names = [f"t{task}" for task in range(n_tasks)]
    found = [(m, t, cell) for m, row in enumerate(cells) for t, cell in enumerate(row) if cell != "."]
    return {
        "items": items_table(
            np.arange(len(cells)),
            smiles=[f"C{'C' * m}" for m in range(len(cells))],
            source_id=[f"id{m}" for m in range(len(cells))],
        ),
        "rejected": pd.DataFrame({"row": [7], "source_id": ["x"], "smiles": ["?"], "reason": ["unreadable"]}),
        "tasks": tasks_table(names, uniprots=[["P1"]] * n_tasks, string_ids=[["ENSP1"]] * n_tasks),
        "labels": labels_table(
            [m for m, _, _ in found],
            pd.Categorical([f"t{t}" for _, t, _ in found]),
            [float(cell) for _, _, cell in found],
        ),
        "classes": no_classes(),
    }


def edges(*pairs: str) -> pd.DataFrame:
    ends = [pair.split("-") for pair in pairs]
    return pd.DataFrame(
        {
            "task_i": [a for a, _ in ends],
            "task_j": [b for _, b in ends],
            "score": 0.5,
            "kind": "string:combined",
        }
    )


def bounds(**values) -> DensifyConfig:
    return DensifyConfig(**{"tau": 2, "min_positives": 1, "min_negatives": 1} | values)


def test_removal_goes_on_until_nothing_changes():
    # t3 has one label; without t3 molecule 4 has one; without that t2 has one; without t2 molecule 3 has one
    dataset = make_dataset(source_of(["10..", "01..", "11..", "1.0.", "..10"]), None, bounds(), "d")
    assert dataset.counts["rounds"] == [
        {"items": 5, "tasks": 4, "labels": 10},
        {"items": 5, "tasks": 3, "labels": 9},
        {"items": 4, "tasks": 2, "labels": 7},
        {"items": 3, "tasks": 2, "labels": 6},
    ]
    assert dataset.tables["items"]["item_id"].tolist() == [0, 1, 2]


def test_what_is_left_out_has_its_reason():
    source = source_of(["110.", "011.", "101.", "10..", "...1"])
    dataset = make_dataset(source, None, bounds(min_positives=2), "d")
    assert dataset.tables["rejected_tasks"].values.tolist() == [["t3", "t3", "fewer than 2 labels"]]
    rejected = dataset.tables["rejected"]
    assert rejected["reason"].tolist() == ["unreadable", "fewer than 2 labels"]
    assert rejected["source_id"].tolist() == ["x", "id4"]
    assert rejected["smiles"].tolist() == ["?", "CCCCC"]
    assert rejected["row"].isna().tolist() == [False, True]
    assert dataset.counts["items_left_out"] == {"fewer than 2 labels": 1}


def test_what_is_left_out_of_other_items_has_no_smiles():
    source = source_of(["110.", "011.", "101.", "...1"])
    source["items"] = source["items"].drop(columns="smiles")
    source["rejected"] = source["rejected"].drop(columns="smiles").iloc[:0]
    rejected = make_dataset(source, None, bounds(min_positives=2), "d").tables["rejected"]
    assert rejected.columns.tolist() == ["row", "source_id", "reason"]
    assert rejected["source_id"].tolist() == ["id3"]


def test_each_bound_of_a_task_is_checked():
    source = source_of(["111101", "111001", "110.11", "100.10", "100.10"])
    dataset = make_dataset(source, None, bounds(tau=3, min_positives=3), "d")
    assert dataset.tables["rejected_tasks"][["task_id", "reason"]].values.tolist() == [
        ["t0", "no negative label"],
        ["t2", "fewer than 3 positive labels"],
        ["t3", "fewer than 3 labels"],
    ]
    assert dataset.tables["tasks"][["n_pos", "n_neg"]].values.tolist() == [[3, 2]] * 3


def test_isolated_tasks_go_first_and_only_when_asked():
    source = source_of(["101", "010", "101"])
    relations = edges("t0-t1")
    dataset = make_dataset(source, relations, bounds(), "d")
    assert dataset.tables["tasks"]["task_id"].tolist() == ["t0", "t1"]
    assert dataset.counts["tasks_left_out"] == {"isolated: no relation to another task": 1}
    for config in (bounds(drop_isolated=False), None):
        kept = make_dataset(source, relations, config, "d")
        assert kept.tables["tasks"]["task_id"].tolist() == ["t0", "t1", "t2"]
        assert kept.counts["tasks_without_edge"] == 1
    assert make_dataset(source, None, bounds(), "d").counts["tasks"] == 3


def test_relations_keep_only_pairs_of_kept_tasks():
    source = source_of(["10.1", "01.0", "101."])
    dataset = make_dataset(source, edges("t0-t1", "t0-t2", "t1-t3"), bounds(), "d")
    kept = dataset.tables["relations"]
    assert kept[["task_i", "task_j"]].values.tolist() == [["t0", "t1"], ["t1", "t3"]]
    assert dataset.counts["relations"]["edges"] == 3
    assert dataset.counts["edges"] == 2


def test_without_a_densify_block_only_what_cannot_be_learned_goes():
    dataset = make_dataset(source_of(["11.0", "01..", "..0.", "1..1"]), None, None, "d")
    assert dataset.tables["rejected_tasks"][["task_id", "reason"]].values.tolist() == [
        ["t1", "no negative label"],
        ["t2", "no positive label"],
    ]
    assert dataset.tables["items"]["item_id"].tolist() == [0, 1, 3]
    assert dataset.counts["items_left_out"] == {"no label": 1}
    assert dataset.counts["densify"] is None


def test_counts_are_of_what_is_left():
    counts = make_dataset(source_of(["10.", "01.", "11."]), None, None, "d").counts
    assert (counts["items"], counts["tasks"], counts["labels"]) == (3, 2, 6)
    assert counts["positive_rate"] == pytest.approx(4 / 6, abs=1e-6)
    assert counts["labelled_share"] == 1.0
    assert counts["source"] == {"items": 3, "tasks": 3, "labels": 6}
    assert counts["tasks_left_out"] == {"no label": 1}


def test_labels_are_ordered_by_molecule_and_task_with_the_kept_tasks_as_categories():
    source = source_of(["1.0", "0.1"])
    source["labels"] = source["labels"].iloc[::-1].reset_index(drop=True)
    dataset = make_dataset(source, None, None, "d")
    assert dataset.tables["labels"]["task_id"].cat.categories.tolist() == ["t0", "t2"]
    assert dataset.tables["labels"].astype({"task_id": str}).values.tolist() == [
        [0, "t0", 1.0, "="],
        [0, "t2", 0.0, "="],
        [1, "t0", 0.0, "="],
        [1, "t2", 1.0, "="],
    ]
    assert dataset.tables["tasks"][["n_pos", "n_neg"]].values.tolist() == [[1, 1], [1, 1]]


def test_an_empty_result_names_the_key_to_change():
    source = source_of(["10", "01"])
    with pytest.raises(
        RelataskError, match=r"datasets\.mine\.densify\.tau: 50 leaves .* up to 2 labels a mol"
    ):
        make_dataset(source, None, bounds(tau=50), "mine")
    with pytest.raises(RelataskError, match=r"datasets\.mine: no task has a relation.*drop_isolated"):
        make_dataset(source, edges(), bounds(), "mine")
    with pytest.raises(RelataskError, match=r"datasets\.mine: no task has labels of both classes"):
        make_dataset(source_of(["1.", ".0"]), None, None, "mine")


def test_relations_of_another_source_are_a_mistake():
    with pytest.raises(RelataskError, match=r"pair \['t0', 't9'\], but its source has no such task"):
        make_dataset(source_of(["10", "01"]), edges("t0-t9"), None, "d")


def test_the_digest_changes_with_any_value_that_methods_see_and_with_nothing_else():
    def digest(**changes: pd.DataFrame) -> str:
        source = source_of(["101", "010", "110"])
        return make_dataset(source | changes, edges("t0-t1"), None, "d").counts["digest"]

    source = source_of(["101", "010", "110"])
    assert digest() == digest(rejected=source["rejected"].iloc[:0])
    flipped = source["labels"].assign(value=1 - source["labels"]["value"])
    changed = {
        digest(),
        digest(labels=flipped),
        digest(items=source["items"].assign(smiles="N")),
        digest(tasks=source["tasks"].assign(uniprots=[["P2"]] * 3)),
    }
    assert len(changed) == 4
    tables = make_dataset(source, edges("t0-t1"), None, "d").tables
    tables["relations"] = tables["relations"].assign(score=0.25)
    assert content_digest(tables) not in changed


def test_the_step_writes_every_table_and_then_the_counts(capsys, tmp_path):
    source = source_of(["10.", "01.", "11."])
    source["conflicts"] = empty_table("conflicts")
    source["rejected"]["smiles"] = "=1+1\r=2"  # what a spreadsheet would run, and read as two rows
    for name, table in source.items():
        write_table(name, table, tmp_path / "source" / f"{name}.parquet")
    write_json(tmp_path / "source" / "counts.json", {"rows": 3})
    write_table("relations", edges("t0-t1"), tmp_path / "edges.parquet")
    write_json(tmp_path / "edges.json", {"tasks_unknown_to_interactions": ["t2"]})
    arguments = ["--source-dir", tmp_path / "source", "--out-dir", tmp_path / "mine"]
    arguments += ["--relations", tmp_path / "edges.parquet", "--relations-report", tmp_path / "edges.json"]
    config = json.dumps({"tau": 1, "min_positives": 1, "min_negatives": 1})
    command = ["densify_dataset", *map(str, arguments), "--densify-config"]
    assert main([*command, config]) == 0
    counts = read_json(tmp_path / "mine" / "dataset.json")
    tables = {
        name: read_table(name, tmp_path / "mine" / f"{name}.parquet")
        for name in ("rejected", "tasks", "rejected_tasks", "labels", "classes", "relations")
    }
    assert {name: list(table) for name, table in tables.items()} == {
        name: [*COLUMNS[name], *(["smiles"] if name == "rejected" else [])] for name in tables
    }
    tables["items"] = read_table("items", tmp_path / "mine" / "items.parquet")
    assert list(tables["items"])[:4] == list(COLUMNS["items"])
    assert counts["digest"] == content_digest(tables)
    assert counts["relations"]["tasks_unknown_to_interactions"] == ["t2"]
    assert counts["source"]["standardisation"] == {"rows": 3}
    assert "mine: 1 task is left out: t2 (isolated: no relation to another task)." in capsys.readouterr().err
    for name in ("rejected", "rejected_tasks", "conflicts"):
        assert len(pd.read_csv(tmp_path / "mine" / f"{name}.csv")) == len(
            read_table(name, tmp_path / "mine" / f"{name}.parquet")
        )
    assert pd.read_csv(tmp_path / "mine" / "rejected.csv")["smiles"].iloc[0] == "'=1+1\n=2"
    first = (tmp_path / "mine" / "labels.parquet").read_bytes()
    assert main([*command, config]) == 0
    assert (tmp_path / "mine" / "labels.parquet").read_bytes() == first
    assert main([*command, "null"]) == 0
    assert main([*command, '{"tau": 0}']) == 2
