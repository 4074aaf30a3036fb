"""Clusters by Taylor and Butina, and similarity block by block, compared with RDKit's."""

import numpy as np
import pandas as pd
import pytest
from rdkit import DataStructs
from rdkit.ML.Cluster import Butina

from relatask.core.errors import RelataskError
from relatask.data import clusters, similarity
from relatask.data.clusters import butina, cluster_molecules
from relatask.data.similarity import near_pairs, nearest, nearest_of


def fingerprints(n: int, seed: int = 0, bits: int = 64) -> np.ndarray:
    """Packed bits of n molecules of a few series, with equal ones among them."""
    rng = np.random.default_rng(seed)
    centres = rng.random((max(1, n // 8), bits)) < 0.3
    found = centres[rng.integers(len(centres), size=n)] ^ (rng.random((n, bits)) < 0.06)
    found[: n // 10] = found[n - n // 10 :]
    return np.packbits(found, axis=1)


def tanimoto(first: np.ndarray, second: np.ndarray) -> float:
    a, b = (set(np.flatnonzero(np.unpackbits(one))) for one in (first, second))
    return len(a & b) / max(len(a | b), 1)


@pytest.mark.parametrize("cutoff", [0.0, 0.2, 0.35, 0.4, 0.65])
@pytest.mark.parametrize("n", [1, 2, 150])
def test_clusters_are_those_of_rdkit(n: int, cutoff: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "ROWS", 32)  # several blocks
    monkeypatch.setattr(similarity, "COLUMNS", 50)
    packed = fingerprints(n)
    vectors = [DataStructs.CreateFromBitString("".join(map(str, np.unpackbits(row)))) for row in packed]
    distances = [
        1 - similar
        for i in range(n)
        for similar in DataStructs.BulkTanimotoSimilarity(vectors[i], vectors[:i])
    ]
    expected = Butina.ClusterData(distances, n, cutoff, isDistData=True)
    found = butina(packed, cutoff)
    assert [sorted(members) for members in expected] == [
        np.flatnonzero(found == number).tolist() for number in range(found.max() + 1)
    ]


def test_the_nearest_fingerprint_is_found_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "ROWS", 7)
    monkeypatch.setattr(similarity, "COLUMNS", 11)
    asked, known = fingerprints(20, 1), fingerprints(30, 2)
    known[3] = asked[5]
    expected = [max(tanimoto(one, other) for other in known) for one in asked]
    np.testing.assert_allclose(nearest(asked, known), expected, rtol=1e-6)
    assert nearest(asked, known)[5] == 1
    similar, place = nearest_of(asked, known)
    assert place[5] == 3
    np.testing.assert_allclose([tanimoto(a, known[b]) for a, b in zip(asked, place, strict=True)], similar)
    assert nearest_of(asked, np.concatenate([known, known]))[1].tolist() == place.tolist()  # the first
    assert nearest_of(asked, known[:0])[1].tolist() == [-1] * 20
    assert nearest(asked, known[:0]).tolist() == [0] * 20
    empty = np.zeros((1, 8), np.uint8)
    assert nearest(empty, empty).tolist() == [0]


def test_every_near_pair_is_there_once() -> None:
    packed = fingerprints(40)
    found = [
        tuple(sorted(pair))
        for i, j in near_pairs(packed, 0.3)
        for pair in zip(i.tolist(), j.tolist(), strict=True)
    ]
    expected = [(i, j) for j in range(40) for i in range(j) if 1 - tanimoto(packed[i], packed[j]) <= 0.3]
    assert sorted(found) == sorted(expected)


def test_too_many_molecules_or_pairs_are_refused_by_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "MOST_PAIRS", 10)
    with pytest.raises(
        RelataskError, match=r"splits\.cutoff: more than 10 pairs of molecules are as near as 0\.9"
    ):
        butina(fingerprints(40), 0.9)
    monkeypatch.setattr(clusters, "MOST_MOLECULES", 2)
    with pytest.raises(
        RelataskError, match="clusters of 3 molecules would compare all pairs; 2 is the limit"
    ):
        cluster_molecules(pd.DataFrame({"item_id": range(3), "smiles": ["CCO", "CCN", "CCC"]}), 0.4)
    with pytest.raises(RelataskError, match="these items have no SMILES"):
        cluster_molecules(pd.DataFrame({"item_id": range(3)}), 0.4)


def test_molecules_are_clustered_by_their_smiles() -> None:
    smiles = ["CCCCCCCCO", "CCCCCCCCCO", "c1ccc2[nH]ccc2c1", "CCCCCCCCCCO"]
    found = cluster_molecules(pd.DataFrame({"item_id": range(4), "smiles": smiles}), 0.4)
    assert found[0] == found[1] == found[3] != found[2]
