"""Clusters of molecules by Taylor and Butina (Butina, J. Chem. Inf. Comput. Sci. 1999, 39, 747)."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix

from relatask.core.errors import RelataskError
from relatask.data.similarity import near_pairs
from relatask.inputs.ecfp import featurise

MOST_MOLECULES = 200_000  # time grows with the square: 83,000 take minutes, this many half an hour
MOST_PAIRS = 100_000_000  # of neighbours; they take 1.3 GB
CHUNK = 256  # molecules that are parsed at a time


def cluster_molecules(items: pd.DataFrame, cutoff: float) -> np.ndarray:
    """Return the cluster of each molecule by its `smiles`, int32 [n], see `butina`.

    Raises:
        RelataskError: the items are no molecules, or too many.
    """
    if "smiles" not in items.columns:
        raise RelataskError(
            "splits: clusters are of molecules by their fingerprints, and these items have no SMILES; use "
            "another scheme, or a column of theirs."
        )
    if len(items) > MOST_MOLECULES:
        raise RelataskError(
            f"splits: clusters of {len(items):,} molecules would compare all pairs; {MOST_MOLECULES:,} is "
            "the limit. Use scaffold, or name a column with clusters of your own."
        )
    chunks = [items.iloc[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
    return butina(np.concatenate([featurise(chunk)["ecfp4"] for chunk in chunks]), cutoff)


def butina(packed: np.ndarray, cutoff: float) -> np.ndarray:
    """Return the cluster of each fingerprint, int32 [n], numbered in the order in which they are made.

    The fingerprint with most neighbours, and of several the last, takes all of its neighbours that are in no
    cluster yet; then the next one that is in none. This is RDKit's ``Butina.ClusterData`` without reordering.

    Args:
        packed: uint8 [n, b].
        cutoff: greatest Tanimoto distance of neighbours, from 0 to below 1.

    Raises:
        RelataskError: there are more than `MOST_PAIRS` pairs of neighbours.
    """
    starts, neighbours = _neighbours(packed, cutoff)
    n = len(packed)
    cluster = np.full(n, -1, np.int32)
    number = 0
    for centre in np.lexsort((-np.arange(n), -np.diff(starts))):
        if cluster[centre] < 0:
            own = neighbours[starts[centre] : starts[centre + 1]]
            cluster[own[cluster[own] < 0]] = number
            cluster[centre] = number
            number += 1
    return cluster


def _neighbours(packed: np.ndarray, cutoff: float) -> tuple[np.ndarray, np.ndarray]:
    """Return where the neighbours of each fingerprint start, int [n + 1], and the neighbours of all."""
    parts, found = [], 0
    for pair in near_pairs(packed, cutoff):
        parts.append(pair)
        found += len(pair[0])
        if found > MOST_PAIRS:
            raise RelataskError(
                f"splits.cutoff: more than {MOST_PAIRS:,} pairs of molecules are as near as {cutoff:g}; give "
                "a smaller distance, or use scaffold."
            )
    i, j = (np.concatenate([part[end] for part in parts] or [np.zeros(0, np.int32)]) for end in (0, 1))
    parts.clear()
    once = coo_matrix((np.ones(len(i), np.bool_), (i, j)), (len(packed), len(packed))).tocsr()
    both = (once + once.T).tocsr()
    return both.indptr, both.indices
