"""What a split of molecules gives away: test molecules that stand in training too, or nearly."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from relatask.data.similarity import nearest

# Tanimoto similarity of ECFP4 from which two molecules are near twins. A change of one atom in a molecule of
# 30 leaves 0.6 to 0.8; what is above 0.9 differs in the length of a chain, in stereo, or in one end.
NEAR = 0.9
MOST_COMPARED = 10_000  # test molecules; of more, these are drawn
STREAM = 9  # of draws


def skeletons(smiles: Iterable[str]) -> np.ndarray:
    """Return the first block of the InChIKey of each molecule, object [n].

    Stereoisomers, most tautomers, and acids and their ions have the same one. A molecule that InChI cannot
    write has its SMILES instead.
    """
    from rdkit import Chem, rdBase

    found = []
    with rdBase.BlockLogs():
        for text in smiles:
            molecule = Chem.MolFromSmiles(text)
            key = Chem.MolToInchiKey(molecule) if molecule is not None else ""
            found.append(key[:14] or text)
    return np.array(found, object)


def similarity_to_training(split: pd.DataFrame, items: pd.DataFrame, packed: np.ndarray) -> pd.Series:
    """Return the greatest similarity of test molecules to any of training, float32, by item_id.

    Args:
        split: table "split"; none of a split of labels, whose molecules are all in training.
        items: table "items".
        packed: uint8 [n, b], fingerprints.

    Returns:
        Of all test molecules, or of `MOST_COMPARED` that are drawn.
    """
    train, test = _folds(split, items)
    compared = test
    if len(test) > MOST_COMPARED:
        drawn = np.random.default_rng([0, STREAM]).permutation(len(test))[:MOST_COMPARED]
        compared = test[np.sort(drawn)]
    return pd.Series(
        nearest(packed[compared], packed[train]),
        index=items["item_id"].to_numpy()[compared],
        dtype=np.float32,
    )


def _folds(split: pd.DataFrame, items: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the training and of the test molecules of a split of items."""
    whole = split[split["task_id"].isna()]
    fold = whole.set_index("item_id")["fold"].astype(object).reindex(items["item_id"]).to_numpy(object)
    return np.flatnonzero(fold == "train"), np.flatnonzero(fold == "test")


def leaks_of(
    split: pd.DataFrame,
    items: pd.DataFrame,
    labels: pd.DataFrame,
    similarities: pd.Series,
    skeleton: np.ndarray,
) -> dict[str, Any] | None:
    """Count what the test fold of a split shares with training; None for a split of labels.

    Args:
        split: table "split".
        items: table "items".
        labels: table "labels".
        similarities: of test molecules, see `similarity_to_training`.
        skeleton: object [n], of the items, see `skeletons`.

    Returns:
        Columns of table "leaks" by name, without data set, split and seed.
    """
    if not split["task_id"].isna().any():
        return None
    train, test = _folds(split, items)
    similarity = similarities.to_numpy()
    codes, _ = pd.factorize(skeleton)
    same = np.isin(codes[test], codes[train])
    n_labels, repeated = _repeated_labels(labels, items["item_id"].to_numpy(), codes, train, test)
    return {
        "test": len(test),
        "compared": len(similarity),
        "near_twins": int((similarity >= NEAR).sum()),
        "equal_fingerprints": int((similarity >= 1).sum()),
        "same_skeleton": int(same.sum()),
        "median_similarity": float(np.median(similarity)) if len(similarity) else None,
        "test_labels": n_labels,
        "repeated_labels": repeated,
    }


def _repeated_labels(
    labels: pd.DataFrame, item_ids: np.ndarray, codes: np.ndarray, train: np.ndarray, test: np.ndarray
) -> tuple[int, int]:
    """Return how many labels the test fold has, and how many of them a twin of training has too."""
    row = pd.Index(item_ids).get_indexer(pd.Index(labels["item_id"]))
    task = labels["task_id"].astype("category").cat.codes.to_numpy(np.int64)
    value = labels["value"].to_numpy(np.float32)
    in_train, in_test = (np.zeros(len(item_ids), bool) for _ in range(2))
    in_train[train], in_test[test] = True, True
    known, asked = in_train[row], in_test[row]
    cells = pd.DataFrame({"skeleton": codes[row], "task": task, "value": value})
    both = pd.MultiIndex.from_frame(cells[asked]).isin(
        pd.MultiIndex.from_frame(cells[known].drop_duplicates())
    )
    return int(asked.sum()), int(both.sum())
