"""The raw files of DBLP's four areas, as torch_geometric.datasets.DBLP reads them, of a handful of papers."""

from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, save_npz

AUTHORS, PAPERS, TERMS, VENUES = 5, 4, 3, 2
WROTE = {0: [0, 1], 1: [0, 1, 2], 2: [2], 3: [3]}  # paper -> its authors; the last author wrote none
APPEARED = {0: 0, 1: 1, 2: 1, 3: 0}  # paper -> its venue
WORDS = np.arange(AUTHORS * 2).reshape(AUTHORS, 2) % 3  # of authors


def write_dblp(folder: Path) -> Path:
    """Write the seven files to a folder and return it."""
    folder.mkdir(parents=True)
    first_paper, first_term = AUTHORS, AUTHORS + PAPERS
    first_venue = first_term + TERMS
    n = first_venue + VENUES
    links = np.zeros((n, n), np.int64)
    for paper, authors in WROTE.items():
        links[first_paper + paper, authors] = 1
        links[first_paper + paper, first_term + paper % TERMS] = 1
        links[first_paper + paper, first_venue + APPEARED[paper]] = 1
    save_npz(folder / "adjM.npz", csr_matrix(links + links.T))
    save_npz(folder / "features_0.npz", csr_matrix(WORDS))
    save_npz(folder / "features_1.npz", csr_matrix(np.ones((PAPERS, 3))))
    np.save(folder / "features_2.npy", np.ones((TERMS, 2), np.float32))
    np.save(folder / "labels.npy", np.zeros(AUTHORS, np.int64))
    np.save(folder / "node_types.npy", np.repeat(np.arange(4), [AUTHORS, PAPERS, TERMS, VENUES]))
    parts = {"train_idx": [0, 1], "val_idx": [2], "test_idx": [3, 4]}
    np.savez(folder / "train_val_test_idx.npz", **{name: np.array(rows) for name, rows in parts.items()})
    return folder
