"""Images with one class each, as few-shot learning has them: a class is in one fold with all its images.

The classes are the tasks of the data set. Which class an image has is one number (table "classes"); a label
for each pair of image and class would be 500 million cells for tiered-ImageNet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from relatask.core.files import write_json
from relatask.data.item_tables import ItemTables, write_items
from relatask.data.splits import FOLDS, Fractions
from relatask.data.splits.grouped import draw_groups
from relatask.sources.images.arrays import decode, write_images


@dataclass(frozen=True)
class Picture:
    """Where the pixels of an item come from."""

    name: str  # of the item
    path: Path  # of the file, or what messages call it
    content: bytes | None = None  # of the file, where it was read already
    turns: int = 0  # quarters, anticlockwise

    def pixels(self, size: int) -> np.ndarray:
        """Return uint8 [3, size, size]."""
        return np.rot90(decode(self.path, size, self.content), self.turns, axes=(1, 2))


@dataclass(frozen=True)
class ClassImages:
    """n images of C classes."""

    classes: list[str]
    groups: list[str]  # of each class what it belongs to, e.g. an alphabet; empty where there is nothing
    folds: np.ndarray | None  # int64 [C], the official fold of each class, or None where it was not asked for
    pictures: list[Picture]
    class_of: np.ndarray  # int64 [n]


def _drawn(groups: Sequence[str], fractions: Fractions, seed: int) -> np.ndarray:
    """Return the fold of each class, int64 [C]."""
    _, group_of, sizes = np.unique(np.asarray(groups, object), return_inverse=True, return_counts=True)
    return draw_groups(sizes, fractions, seed)[group_of]


def write_class_images(
    images: ClassImages, size: int, fractions: Fractions, seeds: Sequence[int], out: Path
) -> dict[str, Any]:
    """Write the data set and return the content of its dataset.json.

    Args:
        images: read from a source; where it has no official folds, groups are drawn.
        size: pixels of a side.
        fractions: of the classes, for groups that are drawn.
        seeds: a split for each; official folds are the same for all.
        out: folder of the data set.

    Raises:
        RelataskError: an image cannot be read, or there are too few groups to draw from.
    """
    scheme = "grouped" if images.folds is None else "given"
    splits = {}
    for seed in seeds:
        drawn = _drawn(images.groups, fractions, seed) if images.folds is None else images.folds
        record: dict[str, Any] = {"scheme": scheme, "seed": seed}
        if images.folds is None:
            record["fractions"] = fractions
        record["classes"] = {fold: int((drawn == number).sum()) for number, fold in enumerate(FOLDS)}
        splits[f"{scheme}-{seed}"] = (drawn[images.class_of], record)
    digest = write_images((picture.pixels(size) for picture in images.pictures), size, out / "features")
    names = [picture.name for picture in images.pictures]
    counts = write_items(ItemTables("image", names, images.classes, images.class_of, splits), digest, out)
    write_json(out / "dataset.json", counts)
    return counts
