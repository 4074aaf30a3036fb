"""What a split gives away, against literal counts on a handful of molecules."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relatask.__main__ import main
from relatask.core.tables import read_table, write_table
from relatask.data import leaks
from relatask.data.leaks import leaks_of, similarity_to_training, skeletons
from relatask.data.splits import split_items
from relatask.inputs.arrays import write_features
from relatask.inputs.ecfp import featurise
from tests.helpers.data_tables import items_table, labels_table

TRAIN = ["C[C@H](N)C(=O)O", "O=c1cccc[nH]1", "CCCCCCCCCCO", "c1ccc2[nH]ccc2c1"]
TEST = ["C[C@@H](N)C(=O)O", "Oc1ccccn1", "CCCCCCCCCCCO", "CC(=O)Oc1ccccc1C(=O)O", "C1CC1CN"]


def molecules() -> pd.DataFrame:
    smiles = [*TRAIN, *TEST, "CCCCCCCCCO"]
    return items_table(np.arange(10) * 2 + 5).assign(smiles=smiles)


def split() -> pd.DataFrame:
    return pd.DataFrame(
        {"item_id": molecules()["item_id"], "task_id": None, "fold": ["train"] * 4 + ["test"] * 5 + ["valid"]}
    )


def labels() -> pd.DataFrame:
    train = {"a": [1, 0, 1, None], "b": [None, 1, 1, 1]}
    test = {"a": [1, 1, 1, 0, 0], "b": [1, 1, None, 1, None]}
    cells = [
        (row, task, value)
        for task in "ab"
        for row, value in enumerate([*train[task], *test[task]])
        if value is not None
    ]
    rows, tasks, values = zip(*cells, strict=True)
    return labels_table(molecules()["item_id"].to_numpy()[list(rows)], list(tasks), list(values))


def found() -> dict[str, object]:
    items = molecules()
    similarity = similarity_to_training(split(), items, featurise(items)["ecfp4"])
    counts = leaks_of(split(), items, labels(), similarity, skeletons(items["smiles"]))
    assert counts is not None
    return counts


def test_stereoisomers_tautomers_and_ions_have_one_skeleton() -> None:
    names = skeletons([*TRAIN, *TEST, "*"])
    assert names[0] == names[4]
    assert names[1] == names[5]
    assert len({*names}) == 8
    assert len({*skeletons(["OC(=O)c1ccccc1", "[O-]C(=O)c1ccccc1"])}) == 1


def test_twins_skeletons_and_repeated_labels_are_counted() -> None:
    counts = found()
    assert counts["test"] == counts["compared"] == 5
    assert counts["equal_fingerprints"] == 2  # the stereoisomer, and the longer chain
    assert counts["near_twins"] == 2
    assert counts["same_skeleton"] == 2  # the stereoisomer and the tautomer
    # of eight labels: a of the stereoisomer, b of the tautomer; its a differs, b of the first is new
    assert (counts["test_labels"], counts["repeated_labels"]) == (8, 2)
    assert 0 < float(str(counts["median_similarity"])) < 1


def test_of_many_test_molecules_some_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "MOST_COMPARED", 3)
    counts = found()
    assert (counts["test"], counts["compared"]) == (5, 3)
    assert (counts["same_skeleton"], counts["test_labels"]) == (2, 8)


def test_the_step_writes_a_row_for_each_split_of_items(tmp_path: Path) -> None:
    items = molecules()
    write_table("items", items, tmp_path / "items.parquet")
    write_table("labels", labels(), tmp_path / "labels.parquet")
    write_features([items], ["ecfp"], tmp_path / "features")
    (tmp_path / "splits").mkdir()
    cells = split_items(items, labels(), "cells", 0, (0.4, 0.3, 0.3))
    for name, table in {"mine-0": split(), "mine-1": split(), "cells-0": cells}.items():
        write_table("split", table, tmp_path / f"splits/{name}.parquet")
    given = [str(path) for path in sorted((tmp_path / "splits").glob("*.parquet"))]
    where = {"items": "items.parquet", "labels": "labels.parquet", "features": "features"}
    files = [f"--{name}={tmp_path / file}" for name, file in where.items()]
    out, near = tmp_path / "leaks.parquet", tmp_path / "similarity.parquet"
    files += [f"--out={out}", f"--similarity={near}"]
    assert main(["check_leaks", "--dataset", "toy", *files, "--splits", *given]) == 0
    table = read_table("leaks", out)
    assert table[["dataset", "split", "seed"]].to_numpy().tolist() == [["toy", "mine", 0], ["toy", "mine", 1]]
    assert table["near_twins"].tolist() == [2, 2]
    similarity = read_table("similarity", near)
    assert similarity.groupby(["split", "seed"], observed=True).size().to_dict() == {
        ("mine", 0): 5,
        ("mine", 1): 5,
    }
    assert (similarity["similarity"] >= leaks.NEAR).sum() == 4
    tested = split().loc[lambda rows: rows["fold"] == "test", "item_id"]
    assert similarity["item_id"].tolist() == [*tested, *tested]
