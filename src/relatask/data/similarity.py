"""Tanimoto similarity of packed fingerprints, block by block, as in chemfp (Dalke, 2019).

The bits that two fingerprints share are a product of matrices of 0 and 1, which float32 holds exactly. Memory
is that of one block, whatever the number of molecules.
"""

from collections.abc import Iterator

import numpy as np

ROWS, COLUMNS = 1024, 8192  # of a block; with 2,048 bits 110 MB


def unpacked(packed: np.ndarray) -> np.ndarray:
    """Return packed bits, uint8 [n, b], as float32 [n, 8 b] of 0 and 1."""
    return np.unpackbits(packed, axis=1).astype(np.float32)


def bit_counts(packed: np.ndarray) -> np.ndarray:
    """Return how many bits are set in each fingerprint, float32 [n]."""
    return np.bitwise_count(packed).sum(axis=1, dtype=np.float32)


def nearest(asked: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the greatest Tanimoto similarity of each fingerprint to any of `known`, float32 [m].

    Args:
        asked: uint8 [m, b], packed.
        known: uint8 [n, b], packed; with none of them, all similarities are 0.
    """
    return nearest_of(asked, known)[0]


def nearest_of(asked: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the greatest similarity of each fingerprint to any of `known`, and which that is.

    Args:
        asked: uint8 [m, b], packed.
        known: uint8 [n, b], packed.

    Returns:
        The similarities, float32 [m], and positions in `known`, int64 [m], of several the first. With none
        of them all similarities are 0 and all positions -1.
    """
    found, place = np.full(len(asked), -1, np.float32), np.full(len(asked), -1, np.int64)
    own = bit_counts(asked)
    for columns in _blocks(0, len(known), COLUMNS):
        others, sizes = unpacked(known[columns]).T, bit_counts(known[columns])
        for rows in _blocks(0, len(asked), ROWS):
            shared = unpacked(asked[rows]) @ others
            union = own[rows, None] + sizes - shared
            similarity = np.divide(shared, np.maximum(union, 1, out=union), out=shared)
            best = similarity.argmax(axis=1)
            value = similarity[np.arange(len(best)), best]
            nearer = value > found[rows]
            found[rows][nearer] = value[nearer]
            place[rows][nearer] = best[nearer] + columns.start
    return np.maximum(found, 0), place


def near_pairs(packed: np.ndarray, cutoff: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the pairs i, j (int32 [p] each, a pair once) whose distance is at most `cutoff`.

    A distance is 1 - similarity. Fingerprints are compared in the order of their numbers of bits: with a and
    b bits a similarity is at most min(a, b) / max(a, b) (Swamidass and Baldi, 2007), so most blocks of
    unlike sizes are left out.

    Args:
        packed: uint8 [n, b].
        cutoff: from 0 to below 1.
    """
    sizes = bit_counts(packed)
    order = np.argsort(sizes, kind="stable")
    packed, sizes, order = packed[order], sizes[order], order.astype(np.int32)
    least = 1 - cutoff
    for rows in _blocks(0, len(packed), ROWS):
        end = int(np.searchsorted(sizes, sizes[rows][-1] / least + 1e-3, side="right"))
        own = unpacked(packed[rows])
        for columns in _blocks(rows.start, end, COLUMNS):
            shared = own @ unpacked(packed[columns]).T
            both = sizes[rows, None] + sizes[columns]
            maybe = np.nonzero(shared * np.float32(1 + least) >= np.float32(least) * both - np.float32(0.01))
            i, j = maybe[0] + rows.start, maybe[1] + columns.start
            common = shared[maybe].astype(np.float64)
            union = np.maximum(both[maybe].astype(np.float64) - common, 1)
            kept = (i < j) & (1 - common / union <= cutoff)
            yield order[i[kept]], order[j[kept]]


def _blocks(start: int, end: int, size: int) -> Iterator[slice]:
    return (slice(first, min(first + size, end)) for first in range(start, end, size))
