"""The nearest of many known molecules by Tanimoto similarity, for one chunk of others after another.

`similarity.nearest` says how near alone, and needs no torch, which the steps of the workflow before training
lack; here bits are unpacked once, and products of int8 take less than a tenth of its time.
"""

import numpy as np
import torch

from relatask.data.similarity import bit_counts

ROWS, COLUMNS = 512, 1024  # of a block of products; its similarities fit into the cache of a core


class NearestKnown:
    """Known fingerprints, unpacked and in the order of their numbers of bits.

    With a and b bits a similarity is at most min(a, b) / max(a, b) (Swamidass and Baldi, 2007): blocks are
    compared from the likest sizes on, and those that cannot hold anything nearer are left out.
    """

    def __init__(self, packed: np.ndarray):
        """Unpack fingerprints to eight times their bytes.

        Args:
            packed: uint8 [n, b], n at least 1.
        """
        sizes = bit_counts(packed)
        order = np.argsort(sizes, kind="stable")
        self.rows = torch.from_numpy(order)  # of `packed`, by their sizes
        self.sizes = torch.from_numpy(sizes[order])
        self.bits = _unpacked(packed[order])

    def of(self, packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the greatest similarity of each fingerprint to a known one, and the row of that one.

        Of several that are as near it is the first, whatever else is asked.

        Args:
            packed: uint8 [m, b].

        Returns:
            float32 [m] and int64 [m].
        """
        similarity, nearest = np.zeros(len(packed), np.float32), np.zeros(len(packed), np.int64)
        sizes = bit_counts(packed)
        order = np.argsort(sizes, kind="stable")
        for start in range(0, len(packed), ROWS):
            rows = order[start : start + ROWS]
            best, known = self._of_block(_unpacked(packed[rows]), torch.from_numpy(sizes[rows]))
            similarity[rows], nearest[rows] = best.numpy(), known.numpy()
        return similarity, nearest

    def _of_block(self, bits: torch.Tensor, sizes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        best = torch.full((len(bits),), -1.0)
        row = torch.zeros(len(bits), dtype=torch.int64)
        starts = torch.arange(0, len(self.bits), COLUMNS)
        ends = (starts + COLUMNS).clamp(max=len(self.bits))
        least, most = self.sizes[starts], self.sizes[ends - 1]
        own = sizes.clamp(min=1)[:, None]
        bound = torch.minimum((most / own).clamp(max=1), (own / least.clamp(min=1)).clamp(max=1))
        for block in torch.argsort(bound.mean(dim=0), descending=True):
            rows = torch.nonzero(best <= bound[:, block]).squeeze(1)
            if not len(rows):
                continue
            start, end = int(starts[block]), int(ends[block])
            shared = _product(bits[rows], self.bits[start:end])
            union = (sizes[rows, None] + self.sizes[start:end]).sub_(shared).clamp_(min=1)
            similarity = shared.div_(union)
            found = similarity.amax(dim=1)
            maybe = torch.nonzero(found >= best[rows]).squeeze(1)
            rows, found = rows[maybe], found[maybe]
            ties = similarity[maybe] == found[:, None]
            first = torch.where(ties, self.rows[start:end], len(self.rows)).amin(dim=1)
            row[rows] = torch.where(found > best[rows], first, torch.minimum(first, row[rows]))
            best[rows] = found
        return best, row


def _unpacked(packed: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.unpackbits(packed, axis=1).view(np.int8))


def _product(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Return the numbers of bits that fingerprints share, float32 [m, n]."""
    return torch._int_mm(one, other.T).float()
