"""Images with one class each, as few-shot learning has them: a class is in one fold with all its images.

The classes are the tasks of the data set. Which class an image has is one number (table "classes"); a label
for each pair of image and class would be 500 million cells for tiered-ImageNet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from relatask.core.errors import RelataskError
from relatask.core.files import write_json
from relatask.data.item_tables import ItemTables, write_items
from relatask.data.splits import FOLDS, Fractions
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


def draw_groups(groups: Sequence[str], fractions: Fractions, seed: int) -> np.ndarray:
    """Return the fold of each class, int64 [C]: whole groups, drawn by the seed.

    Test, then validation, take groups while that brings their number of classes nearer to their share, one
    group at least.

    Raises:
        RelataskError: there are fewer than three groups.
    """
    names, group_of, sizes = np.unique(np.asarray(groups, object), return_inverse=True, return_counts=True)
    if len(names) < len(FOLDS):
        raise RelataskError(
            f"splits.schemes: grouped needs a group of classes for each fold, but there are {len(names)}; "
            "use given, or more data."
        )
    order = np.random.default_rng(seed).permutation(len(names)).tolist()
    fold = np.zeros(len(names), np.int64)
    for number, left_over in ((2, 2), (1, 1)):
        wanted, count = fractions[number] * len(groups), 0
        while len(order) > left_over and (
            not count or abs(count + sizes[order[0]] - wanted) < wanted - count
        ):
            fold[order[0]] = number
            count += sizes[order.pop(0)]
    return fold[group_of]


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
        drawn = draw_groups(images.groups, fractions, seed) if images.folds is None else images.folds
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
