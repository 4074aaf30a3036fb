"""The table of leaks, and what the table of splits says of items in no fold."""

import json
from pathlib import Path

import pandas as pd

from relatask.config import StudyConfig, table_names
from relatask.core.columns.data import DATA
from relatask.core.layout import study_file
from relatask.core.tables import write_table
from relatask.publishing.inputs import Inputs
from relatask.publishing.tables import leaks as leaks_table
from relatask.publishing.tables import splits as splits_table
from tests.helpers.study_tables import make_inputs, study_of, write_study

TOX = ["tox", "random", 1, 20, 20, 3, 2, 1, 0.536, 40, 10]
BIG = ["big", "random", 0, 20_000, 10_000, 2_500, 100, 0, 0.8, 0, 0]


def written(folder: Path, rows: list[list], schemes: tuple[str, ...] = ("random",)) -> Inputs:
    study = StudyConfig.model_validate(study_of(datasets=("tox", "big"), schemes=schemes))
    for name in study.datasets:
        table = pd.DataFrame([row for row in rows if row[0] == name], columns=list(DATA["leaks"]))
        write_table("leaks", table, folder / study_file("leaks", "study", dataset=name))
    return Inputs(study, "quick", folder)


def test_counts_stand_beside_their_shares_in_the_order_of_the_study(tmp_path: Path) -> None:
    table = leaks_table.make(written(tmp_path, [BIG, TOX], ("random", "cells")))
    tox, big = table.rows
    assert tox[:7] == ["tox", "random", "1", "20", "3 (15.0 %)", "2 (10.0 %)", "1 (5.0 %)"]
    assert tox[7:] == ["0.54", "10 (25.0 %)"]
    assert big[3:] == ["20,000", "2,500 (25.0 %)", "100 (1.0 %)", "0 (0.0 %)", "0.80", "–"]
    assert table.data["near_twins"].tolist() == [3, 2500]
    notes = " ".join(table.notes)
    assert "Of more than 10,000 test molecules so many were drawn and compared." in notes
    assert "cells: labels are held out, so each molecule is in training on purpose." in notes


def test_a_study_of_splits_of_labels_alone_has_an_empty_table(tmp_path: Path) -> None:
    table = leaks_table.make(written(tmp_path, [], ("cells",)))
    assert table.rows == []
    assert "drawn and compared" not in " ".join(table.notes)


def test_studies_of_molecules_have_the_table(tmp_path: Path) -> None:
    study = StudyConfig.model_validate(study_of())
    assert "leaks" in table_names(study)
    write_study(tmp_path, study_of())
    assert leaks_table.make(make_inputs(tmp_path)).rows[0][4] == "3 (15.0 %)"


def test_items_that_no_fold_has_are_counted_under_the_table_of_splits(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)
    assert "In no fold" not in " ".join(splits_table.make(inputs).notes)
    path = tmp_path / "study" / "data" / "toy" / "splits" / "random-1.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "hidden_items": 7}))
    assert "In no fold, as nothing names one: 7 of toy (random, seed 1)." in splits_table.make(inputs).notes
