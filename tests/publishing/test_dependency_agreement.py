"""The table that compares a learned dependency with relations, sequences and labels."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from relatask.config import StudyConfig, table_names
from relatask.core.errors import RelataskError
from relatask.core.tables import write_table
from relatask.publishing.inputs import Inputs
from relatask.publishing.known_dependency import scores_of
from relatask.publishing.tables import dependency_agreement
from tests.helpers.data_tables import labels_table, tasks_table, write_records
from tests.helpers.learned_dependency import inputs_of, let_save, weights
from tests.helpers.study_tables import TASKS, study_of

OFF = np.triu_indices(len(TASKS), 1)
PROTEINS = [["A"], ["B"], ["C"], ["D"], ["E"], ["F"], []]  # of t0 to t6
EDGES = {("t0", "t1"): 0.9, ("t2", "t3"): 0.5, ("t0", "t4"): 0.3, ("t6", "t1"): 0.2}


@pytest.fixture(autouse=True)
def saving(monkeypatch: pytest.MonkeyPatch) -> None:
    let_save(monkeypatch)


def inputs(
    folder: Path,
    dependency: Any = weights,
    labels: pd.DataFrame | None = None,
    kinds: str | list[str] = "binary",
    **items: Any,
) -> Inputs:
    """A study whose data set has relations, a file of sequences and labels."""
    study = study_of()
    study["datasets"]["toy"] = {
        "source": "toy",
        "relations": {"source": "string_v9_1"},
        "sequences": "target_sequences",
    }
    found = inputs_of(folder, dependency, study=study, **items)
    tasks = tasks_table(TASKS, uniprots=PROTEINS, string_ids=PROTEINS).assign(kind=kinds)
    write_table("tasks", tasks, folder / "study" / "data" / "toy" / "tasks.parquet")
    ends = pd.DataFrame(list(EDGES), columns=["task_i", "task_j"])
    relations = ends.assign(score=np.float32(list(EDGES.values())), kind="string:experimental")
    write_table("relations", relations, folder / "study" / "data" / "toy" / "relations.parquet")
    if labels is None:
        item, task = np.indices((200, len(TASKS))).reshape(2, -1)
        values = np.random.default_rng(5).integers(0, 2, len(item))
        labels = labels_table(item, np.array(TASKS)[task], values)
    write_table(
        "labels",
        labels.astype({"task_id": "category", "bound": "category"}),
        folder / "study" / "data" / "toy" / "labels.parquet",
    )
    write_records(folder / "study" / "data" / "toy")
    fasta = folder / "raw" / "target_sequences" / "mine.fasta.gz"
    fasta.parent.mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = [f">{name[0]}\n{''.join(rng.choice(list('AKLM'), 40))}\n" for name in PROTEINS if name]
    fasta.write_bytes(gzip.compress("".join(lines).encode()))
    return found


def row(found: Inputs, name: str, compared: str = "dependency") -> pd.Series:
    data = dependency_agreement.make(found).data
    (only,) = data[(data["compared"] == compared) & (data["compared_with"] == name)].to_dict("records")
    return pd.Series(only)


def test_only_a_study_whose_method_saves_a_dependency_has_the_table() -> None:
    study = study_of()
    study["methods"] = [{"label": "MTL", "method": "shared_bottom", "encoder": "gin"}]
    for method, there in (("shared_bottom", True), ("single_task", False)):
        study["methods"][0]["method"] = method
        config = StudyConfig.model_validate({**study, "baseline": "MTL"})
        assert ("dependency_agreement" in table_names(config)) == there


def test_relations_are_scores_of_pairs_and_0_where_string_has_no_edge(tmp_path) -> None:
    found = row(inputs(tmp_path), "relations")
    scores = np.zeros((7, 7))
    for (one, other), score in EDGES.items():
        scores[int(one[1]), int(other[1])] = scores[int(other[1]), int(one[1])] = score
    both = np.stack([weights(0), weights(1)])
    both = (both + both.transpose(0, 2, 1)) / 2
    known = np.triu_indices(6, 1)  # t6 has no protein
    assert found["spearman"] == pytest.approx(spearmanr(both.mean(0)[known], scores[known]).statistic)
    each = [spearmanr(own[known], scores[known]).statistic for own in both]
    assert found["spearman_of_seeds"] == pytest.approx(np.mean(each))
    assert found["spearman_std"] == pytest.approx(np.std(each, ddof=1))
    assert (found["n_tasks"], found["n_left_out"], found["n_pairs"], found["n_seeds"]) == (6, 1, 15, 2)
    assert 0 < found["p_value"] <= 1


def test_a_dependency_that_follows_the_labels_is_found_and_which_way_it_goes_is_told(tmp_path) -> None:
    rng = np.random.default_rng(1)
    hidden = rng.normal(size=(200, 2))
    places = rng.normal(size=(7, 2))
    values = (hidden @ places.T + 0.1 * rng.normal(size=(200, 7)) > 0).astype(float)
    item, task = np.indices(values.shape).reshape(2, -1)
    labels = labels_table(item, np.array(TASKS)[task], values.ravel())
    correlation = np.corrcoef(values[:160].T)  # of the training fold
    one_way = np.triu(np.ones((7, 7)), 1) * (2 + correlation)
    found = row(inputs(tmp_path, lambda seed: one_way, labels), "training labels")
    assert found["spearman"] == pytest.approx(1)
    assert found["p_value"] < 0.002
    assert found["asymmetry"] == pytest.approx(1)


def test_labels_of_validation_and_test_change_nothing(tmp_path) -> None:
    item, task = np.indices((200, 7)).reshape(2, -1)
    values = np.random.default_rng(5).integers(0, 2, len(item))
    tables = []
    for name, changed in (("one", values), ("other", np.where(item < 160, values, 1 - values))):
        labels = labels_table(item, np.array(TASKS)[task], changed)
        tables.append(dependency_agreement.make(inputs(tmp_path / name, weights, labels)).data)
    pd.testing.assert_frame_equal(*tables)


def test_sequences_are_those_of_the_file_that_the_data_set_names(tmp_path) -> None:
    found = inputs(tmp_path)
    assert row(found, "sequences")["n_tasks"] == 6
    (tmp_path / "raw" / "target_sequences" / "mine.fasta.gz").unlink()
    again = Inputs(
        found.study,
        found.scale,
        found.results,
        known={name: value for name, value in found.known.items() if "sequences" not in str(name)},
    )
    with pytest.raises(RelataskError, match=r"datasets\.toy\.sequences: 'target_sequences' has 0 files"):
        dependency_agreement.make(again)


def test_what_cannot_be_compared_is_a_row_with_its_reason(tmp_path) -> None:
    item = np.arange(200)
    labels = labels_table(np.tile(item, 4), np.repeat(TASKS[:4], 200), np.tile(item % 2, 4))
    table = dependency_agreement.make(inputs(tmp_path, weights, labels))
    found = table.data.set_index(["compared", "compared_with"]).loc[("dependency", "training labels")]
    assert np.isnan(found["spearman"])
    assert found["reason"] == "all pairs are defined of 4 of 7 tasks, at least 5 are needed"
    assert found["n_left_out"] == 3
    (said, *_) = [note for note in table.notes if note.startswith("No correlation")]
    assert said == f"No correlation of dependency on toy (random) with training labels: {found['reason']}."
    assert table.rows[2][7:10] == ["–", "–", "–"]


def test_two_tasks_on_one_protein_count_as_most_related(tmp_path) -> None:
    tasks = pd.DataFrame({"string_ids": [["A"], ["A", "B"], ["C"], []]}, index=["a", "b", "c", "d"])
    relations = pd.DataFrame({"task_i": ["b"], "task_j": ["c"], "score": [0.4]})
    found = scores_of(relations, tasks)
    assert found[0, 1] == found[1, 0] == 1
    assert found[1, 2] == found[2, 1] == pytest.approx(0.4)
    assert found[0, 2] == 0
    assert np.isnan(found[3]).all()
    assert np.isnan(found[:, 3]).all()


def both_ways(matrix: np.ndarray) -> np.ndarray:
    return ((matrix + matrix.T) / 2)[OFF]


def test_seeds_that_learn_noise_have_no_agreement_between_them_and_those_that_learn_one_thing_have(
    tmp_path,
) -> None:
    noise = row(inputs(tmp_path / "noise"), "relations")
    right = spearmanr(both_ways(weights(0)), both_ways(weights(1))).statistic
    assert noise["spearman_between_seeds"] == pytest.approx(right)
    assert abs(right) < 0.5
    same = inputs(tmp_path / "same", lambda seed: (1 + seed) * weights(0))
    assert row(same, "relations")["spearman_between_seeds"] == pytest.approx(1)
    table = dependency_agreement.make(same)
    assert table.rows[0][table.header.index("ρ between seeds")] == "+1.00"


def test_the_mean_over_items_of_each_seed_is_compared_beside_the_general_dependency(tmp_path) -> None:
    of_seeds = [{0: weights(5), 1: weights(6)}, {2: weights(7), 3: weights(8), 4: weights(9)}]
    found = row(
        inputs(tmp_path, items=of_seeds[0], items_of_seed_1=of_seeds[1]), "relations", "attention of items"
    )
    means = [both_ways(np.mean([*own.values()], axis=0)) for own in of_seeds]
    right = spearmanr(*means).statistic
    assert found["spearman_between_seeds"] == pytest.approx(right, abs=1e-6)
    assert (found["method"], found["n_seeds"]) == ("MTL", 2)


def test_what_is_known_is_compared_with_each_other_once(tmp_path) -> None:
    items = {"items": {0: weights(5)}, "items_of_seed_1": {1: weights(6)}}
    table = dependency_agreement.make(inputs(tmp_path, **items))
    known = table.data[table.data["method"].isna()]
    pairs = [*zip(known["compared"], known["compared_with"], strict=True)]
    assert pairs == [
        ("training labels", "sequences"),
        ("training labels", "relations"),
        ("sequences", "relations"),
    ]
    assert known["n_seeds"].tolist() == [2, 2, 1]
    assert np.isnan(known["spearman_between_seeds"].iloc[2])
    assert known["spearman_between_seeds"].iloc[0] == pytest.approx(1)  # both seeds train on the same items
    assert known["asymmetry"].isna().all()
    assert table.rows[-1][2] == "–"


def test_bounds_of_values_and_codes_of_classes_are_no_labels_to_correlate(tmp_path) -> None:
    item, task = np.indices((200, 7)).reshape(2, -1)
    values = np.random.default_rng(5).normal(size=len(item))
    bounded, of_classes = (item % 4 == 0) & (task == 1), task == 2
    tables = []
    for name, other in (("one", 10.0), ("other", -1e4)):
        changed = np.where(bounded, other, np.where(of_classes, item * other % 7, values))
        labels = labels_table(item, np.array(TASKS)[task], changed, np.where(bounded, ">", "="))
        kinds = ["class" if name == "t2" else "real" for name in TASKS]
        tables.append(dependency_agreement.make(inputs(tmp_path / name, weights, labels, kinds)))
    pd.testing.assert_frame_equal(tables[0].data, tables[1].data)
    found = tables[0].data.query("compared_with == 'training labels'").iloc[0]
    assert (found["n_tasks"], found["n_left_out"]) == (6, 1)
    assert any("without labels that are bounds" in note for note in tables[0].notes)
