"""A prepared data set holds what its files say, and a batch is what its molecules are."""

import errno
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relatask.core.errors import RelataskError
from relatask.core.tables import read_table, write_table
from relatask.data.prepared import PreparedDataset
from relatask.inputs.graph_batch import MoleculeGraphs
from tests.helpers.data_tables import items_table, labels_table, tasks_table, write_records
from tests.helpers.prepared_dataset import write_record
from tests.oracles.gin_oracle import as_arrays, random_molecules

ITEM_IDS = [3, 4, 8, 20, 21, 30]
LABELS = [(3, "a", 1), (3, "c", 0), (4, "b", 1), (8, "a", 0), (20, "c", 1), (30, "b", 0), (30, "a", 1)]
FOLDS = ["train", "train", "valid", "test", "train", "test"]
MOLECULES = random_molecules([4, 1, 6, 2, 9, 3])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set of six molecules and three tasks."""
    tasks = ["b", "a", "c"]
    tables = {
        "items": items_table(ITEM_IDS),
        "tasks": tasks_table(tasks),
        "labels": labels_table(*zip(*LABELS, strict=True)),
        "relations": {"task_i": ["a", "a", "b"], "task_j": ["b", "c", "c"], "score": [0.5, 0.25, 1.0]},
    }
    tables["relations"]["kind"] = "protein"
    for name, columns in tables.items():
        write_table(name, pd.DataFrame(columns), tmp_path / f"{name}.parquet")
    write_split(tmp_path, ITEM_IDS, FOLDS)
    rng = np.random.default_rng(0)
    (tmp_path / "features").mkdir()
    for name, array in as_arrays(MOLECULES).items():
        np.save(tmp_path / "features" / f"{name}.npy", array)
    np.save(tmp_path / "features" / "ecfp4.npy", np.packbits(rng.random((6, 2048)) < 0.03, axis=1))
    write_record(tmp_path / "features")
    write_records(tmp_path)
    return tmp_path


def write_split(folder: Path, item_ids: list[int], folds: list[str]) -> None:
    frame = pd.DataFrame({"item_id": item_ids, "task_id": None, "fold": folds})
    write_table("split", frame, folder / "splits" / "scaffold-0.parquet")


def test_labels_are_dense_in_the_order_of_the_tasks_table(folder):
    data = PreparedDataset.load(folder, "scaffold-0")
    assert data.task_ids == ["b", "a", "c"]
    assert data.item_ids.tolist() == ITEM_IDS
    expected = torch.full((6, 3), torch.nan)
    for item_id, task, label in LABELS:
        expected[ITEM_IDS.index(item_id), "bac".index(task)] = label
    torch.testing.assert_close(data.labels, expected, equal_nan=True)


def test_folds_leave_out_molecules_without_a_label_in_the_chosen_tasks(folder):
    everything = PreparedDataset.load(folder, "scaffold-0").folds
    assert {fold: rows.tolist() for fold, rows in everything.items()} == {
        "train": [0, 1],
        "valid": [2],
        "test": [3, 5],
    }
    only_a = PreparedDataset.load(folder, "scaffold-0", tasks=["a"])
    assert only_a.labels.shape == (6, 1)
    assert {fold: rows.tolist() for fold, rows in only_a.folds.items()} == {
        "train": [0],
        "valid": [2],
        "test": [5],
    }


def test_relations_are_those_among_the_chosen_tasks_in_their_positions(folder):
    edges, scores = PreparedDataset.load(folder, "scaffold-0", tasks=["c", "b"]).relations()
    assert (edges.tolist(), scores.tolist()) == ([[0], [1]], [1.0])
    (folder / "relations.parquet").unlink()
    write_records(folder)
    edges, scores = PreparedDataset.load(folder, "scaffold-0").relations()
    assert (edges.shape, scores.shape) == ((2, 0), (0,))


def test_fingerprints_unpack_to_the_bits_that_were_packed(folder):
    rows = torch.tensor([4, 0, 4])
    packed = np.load(folder / "features" / "ecfp4.npy")
    bits = PreparedDataset.load(folder, "scaffold-0", inputs="ecfp").x(rows)
    assert bits.dtype == torch.float32
    np.testing.assert_array_equal(bits.numpy(), np.unpackbits(packed[rows], axis=1))
    assert 30 < bits[0].sum() < 90


@given(st.lists(st.integers(0, 5), min_size=1, max_size=10))
@settings(max_examples=50)
def test_a_graph_batch_is_its_molecules_side_by_side(rows):
    batch = MoleculeGraphs.from_arrays(**as_arrays(MOLECULES)).batch(torch.tensor(rows))
    assert len(batch) == len(rows)
    first = 0
    for position, row in enumerate(rows):
        assert batch.molecule_offsets[position] == first
        for atom, (number, chirality) in enumerate(MOLECULES[row].atoms):
            neighbours = MOLECULES[row].neighbours(atom)
            start, stop = batch.neighbour_offsets[first + atom : first + atom + 2]
            assert batch.atoms[first + atom] == 4 * number + chirality
            assert batch.molecules[first + atom] == position
            assert batch.neighbours[start] == first + atom
            assert sorted(batch.neighbours[start:stop].tolist()) == sorted(first + j for j, _ in neighbours)
            counts = np.zeros(9)
            for _, (kind, direction) in neighbours:
                counts[[kind, 6 + direction]] += 1
            assert batch.bond_counts[first + atom].tolist() == counts.tolist()
        first += len(MOLECULES[row].atoms)
    assert (len(batch.atoms), batch.molecule_offsets[-1].item()) == (first, first)
    assert batch.neighbour_offsets[-1] == len(batch.neighbours)


def test_the_order_in_which_a_features_file_lists_bonds_does_not_matter_for_sums():
    arrays = as_arrays(MOLECULES[:1])
    batch = MoleculeGraphs.from_arrays(**arrays).batch(torch.tensor([0]))
    for name in ("bond_index", "bonds"):
        arrays[name] = arrays[name][::-1]
    other = MoleculeGraphs.from_arrays(**arrays).batch(torch.tensor([0]))
    assert torch.equal(batch.bond_counts, other.bond_counts)
    assert torch.equal(batch.neighbour_offsets, other.neighbour_offsets)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("ecfp4", lambda a: a[:-1], "holds 5 items, but"),
        ("atom_offsets", lambda a: a[:-1], "offsets"),
        ("bond_offsets", lambda a: a + 1, "offsets"),
        ("atoms", lambda a: a + np.uint8(120), "atomic numbers reach"),
        ("bonds", lambda a: a + np.uint8(6), "bond types reach"),
        ("bond_index", lambda a: a + np.int32(8), "leaves its molecule"),
    ],
)
def test_features_of_other_molecules_are_refused(folder, name, change, message):
    path = folder / "features" / f"{name}.npy"
    np.save(path, change(np.load(path)))
    write_record(folder / "features")
    with pytest.raises(RelataskError, match=message):
        PreparedDataset.load(folder, "scaffold-0", inputs="ecfp" if name == "ecfp4" else "graph")


def test_a_missing_or_broken_file_is_named(folder):
    path = folder / "features" / "bonds.npy"
    content = path.read_bytes()
    for damaged in (content[:40], content[:-1] + bytes([content[-1] ^ 1])):
        path.write_bytes(damaged)
        with pytest.raises(RelataskError, match=r"bonds\.npy is damaged"):
            PreparedDataset.load(folder, "scaffold-0")
    path.unlink()
    with pytest.raises(RelataskError, match=r"bonds\.npy does not exist; run the step featurise_items"):
        PreparedDataset.load(folder, "scaffold-0")
    with pytest.raises(RelataskError, match=r"random-7\.json does not exist"):
        PreparedDataset.load(folder, "random-7", inputs="ecfp")


def test_what_the_system_refuses_is_not_called_damaged(folder, monkeypatch):
    """Nobody shall delete features because memory was short for a moment."""

    def refuse(*arguments, **options):
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(np, "load", refuse)
    with pytest.raises(OSError, match="Cannot allocate memory") as raised:
        PreparedDataset.load(folder, "scaffold-0", inputs="ecfp")
    assert raised.value.filename == str(folder / "features" / "ecfp4.npy")
    monkeypatch.setattr(pq, "ParquetFile", refuse)
    with pytest.raises(OSError, match="Cannot allocate memory") as raised:
        read_table("labels", folder / "labels.parquet")
    assert raised.value.filename == str(folder / "labels.parquet")


def test_an_unknown_task_or_input_is_refused_with_a_suggestion(folder):
    with pytest.raises(RelataskError, match="has no task 'd'"):
        PreparedDataset.load(folder, "scaffold-0", tasks=["a", "d"])
    with pytest.raises(RelataskError, match="Did you mean 'graph'"):
        PreparedDataset.load(folder, "scaffold-0", inputs="graphs")


@pytest.mark.parametrize(
    ("item_ids", "folds", "message"),
    [
        (ITEM_IDS[:-1], FOLDS[:-1], "puts 5 of 6 items in a fold"),
        ([*ITEM_IDS[:-1], 21], FOLDS, "puts 5 of 6 items"),
        ([*ITEM_IDS[:-1], 31], FOLDS, "names item_id 31"),
        (ITEM_IDS, [*FOLDS[:-1], "tset"], "has the fold 'tset'"),
    ],
)
def test_a_split_of_other_molecules_is_refused(folder, item_ids, folds, message):
    write_split(folder, item_ids, folds)
    write_records(folder)
    with pytest.raises(RelataskError, match=message):
        PreparedDataset.load(folder, "scaffold-0")


def test_labels_of_other_molecules_are_refused(folder):
    frame = labels_table([3, 5], ["a", "a"], [1.0, 0.0])
    write_table("labels", frame, folder / "labels.parquet")
    write_records(folder)
    with pytest.raises(RelataskError, match=r"labels\.parquet names item_id 5"):
        PreparedDataset.load(folder, "scaffold-0")
