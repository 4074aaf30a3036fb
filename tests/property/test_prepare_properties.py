"""Properties of the preparation: nothing is lost, nothing leaks, order does not matter."""

import random

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from relatask.data.merge import standardise_source
from relatask.data.raw_table import RawTable
from relatask.data.replicates import merge_labels
from relatask.data.splits import FOLDS, fold_sizes, split_digest, split_items
from relatask.data.standardise import Limits, Molecule, standardise
from relatask.data.task_ids import task_ids
from relatask.sources.task_sheet import tasks_without_sheet

FRACTIONS = (0.8, 0.1, 0.1)
SCHEMES = st.sampled_from(["random", "scaffold", "stratified"])
SEEDS = st.integers(0, 2**31 - 1)
POOL = ["CCCO", "OCCC", "CCCN", "c1ccccc1C", "Cc1ccccc1", "C[C@H](N)C(=O)O", "xx", "C", None, "CCCO.Cl"]
MOLECULES = ["CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)O", "C/C=C/CO", "c1ccc2[nH]ccc2c1", "[2H]C(Cl)CCN"]


@st.composite
def data_sets(draw):
    """Molecules with scaffolds of very different sizes, and a sparse label matrix in long form."""
    n = draw(st.integers(30, 200))
    rng = np.random.default_rng(draw(SEEDS))
    names = [""] + [f"s{i}" for i in range(draw(st.integers(4, 60)))]
    scaffolds = rng.choice(np.array(names, dtype=object), n, p=rng.dirichlet(np.full(len(names), 0.7)))
    scaffolds[:3] = ["a", "b", "c"]  # three groups at least, so that every fold can be filled
    matrix = rng.choice([0.0, 1.0, np.nan], (n, 4), p=[0.5, 0.1, 0.4])
    rows, tasks = np.nonzero(~np.isnan(matrix))
    ids = np.sort(rng.choice(10 * n, n, replace=False)).astype(np.int32)
    labels = pd.DataFrame(
        {
            "item_id": ids[rows],
            "task_id": pd.Categorical.from_codes(tasks, [f"t{task}" for task in range(4)]),
            "value": matrix[rows, tasks].astype(np.float32),
        }
    )
    return pd.DataFrame({"item_id": ids, "scaffold": scaffolds}), labels


@settings(max_examples=60)
@given(data_sets(), SCHEMES, SEEDS)
def test_a_split_is_a_partition_whose_folds_have_their_sizes(data, scheme, seed):
    molecules, labels = data
    split = split_items(molecules, labels, scheme, seed, FRACTIONS)
    assert split.item_id.tolist() == molecules.item_id.tolist()
    found = np.array([(split.fold == fold).sum() for fold in FOLDS])
    wanted = fold_sizes(len(molecules), FRACTIONS)
    if scheme == "scaffold":
        assert (found >= 1).all()
    else:
        assert found.tolist() == wanted.tolist()


@settings(max_examples=60)
@given(data_sets(), SEEDS)
def test_no_scaffold_is_in_two_folds(data, seed):
    molecules, labels = data
    split = split_items(molecules, labels, "scaffold", seed, FRACTIONS).merge(molecules, on="item_id")
    folds = split[split.scaffold != ""].groupby("scaffold").fold.nunique()
    assert (folds == 1).all()


@settings(max_examples=30)
@given(data_sets(), SCHEMES, SEEDS)
def test_the_order_of_rows_does_not_matter_but_the_seed_does(data, scheme, seed):
    molecules, labels = data
    split = split_items(molecules, labels, scheme, seed, FRACTIONS)
    shuffled = (frame.sample(frac=1, random_state=1) for frame in data)
    assert split_digest(split_items(*shuffled, scheme, seed, FRACTIONS)) == split_digest(split)
    if scheme != "scaffold" or molecules.scaffold.nunique() > 20:  # with few groups two draws may agree
        others = {split_digest(split_items(*data, scheme, seed ^ bit, FRACTIONS)) for bit in (1, 2, 4, 8)}
        assert len(others - {split_digest(split)}) >= 3


@settings(max_examples=30)
@given(st.integers(21, 60), st.integers(150, 400), SEEDS)
def test_a_stratified_split_gives_each_task_both_classes_in_every_fold(rare, n, seed):
    # Four tasks take at most 24 molecules, eight to a fold: so each finds a free one of 21 and a free place.
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(n)[: 3 * rare] for _ in range(4)]
    labels = pd.DataFrame(
        {
            "item_id": np.concatenate(rows).astype(np.int32),
            "task_id": pd.Categorical(np.repeat(["a", "b", "c", "d"], [len(row) for row in rows])),
            "value": np.concatenate([np.arange(len(row)) % 3 == 0 for row in rows]).astype(np.float32),
        }
    )
    molecules = pd.DataFrame({"item_id": np.arange(n, dtype=np.int32), "scaffold": ""})
    split = split_items(molecules, labels, "stratified", seed, FRACTIONS)
    both = (
        labels.merge(split[["item_id", "fold"]], on="item_id")
        .groupby(["task_id", "fold"], observed=True)
        .value.nunique()
    )
    assert len(both) == 12
    assert (both == 2).all()


CELLS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2), st.sampled_from([0.0, 1.0])), max_size=60)


@given(st.lists(st.integers(-1, 4), min_size=10, max_size=10), CELLS)
def test_merging_agrees_with_a_loop_and_loses_no_label_uncounted(mol_of_row, cells):
    labels = pd.DataFrame(cells, columns=["row_position", "task", "value"])
    labels = labels.astype({"row_position": "int64", "task": "int32", "value": "float64"})
    found = merge_labels(labels, np.array(mol_of_row), pd.DataFrame(index=range(3)))
    merged, counts = found.labels, found.counts
    seen: dict[tuple[int, int], set[float]] = {}
    for row, task, value in cells:
        if mol_of_row[row] >= 0:
            seen.setdefault((mol_of_row[row], task), set()).add(value)
    expected = [(*cell, *values, "=") for cell, values in sorted(seen.items()) if len(values) == 1]
    assert [tuple(row) for row in merged.itertuples(index=False)] == expected
    assert counts["conflicting_cells"] == sum(len(values) == 2 for values in seen.values())
    lost = counts["of_rejected_rows"] + counts["merged"] + counts["conflicting"]
    assert counts["in"] == len(cells) == counts["out"] + lost


@settings(max_examples=50)
@given(st.lists(st.sampled_from(POOL), min_size=1, max_size=12))
def test_every_row_is_a_molecule_or_rejected(smiles):
    smiles = ["CCCCCC", *smiles]
    table = RawTable(
        smiles=smiles,
        source_ids=[None] * len(smiles),
        rows=np.arange(1, len(smiles) + 1),
        labels=pd.DataFrame({"row_position": [0], "task": [0], "value": [1.0]}),
        tasks=tasks_without_sheet(["A"]),
    )
    source = standardise_source(table, Limits(), "s")
    assert len(source.items) + len(source.rejected) == len(smiles)
    assert source.rejected.row.is_monotonic_increasing
    assert source.rejected.row.is_unique
    assert source.items.smiles.is_unique
    assert source.items.item_id.tolist() == list(range(len(source.items)))


@settings(max_examples=40)
@given(st.sampled_from(MOLECULES), SEEDS)
def test_however_a_molecule_is_written_it_is_the_same_and_standardising_again_changes_nothing(smiles, seed):
    molecule = Chem.MolFromSmiles(smiles)
    order = list(range(molecule.GetNumAtoms()))
    random.Random(seed).shuffle(order)
    written = Chem.MolToSmiles(Chem.RenumberAtoms(molecule, order), canonical=False)
    result = standardise(written, Limits())
    assert isinstance(result, Molecule)
    assert result == standardise(smiles, Limits()) == standardise(result.smiles, Limits())


@given(st.lists(st.text(max_size=100), max_size=20))
def test_task_ids_are_unique_and_safe(names):
    ids = task_ids(names)
    assert len({task.lower() for task in ids}) == len(names)
    safe = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
    assert all(task and set(task) <= safe and task[0] not in "-." and len(task) < 100 for task in ids)
