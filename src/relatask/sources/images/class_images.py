"""Images with one class each, as few-shot learning has them: a class is in one fold with all its images.

The data set has one task of kind class: which class an image has is one number; a label for each pair of
image and class would be 500 million cells for tiered-ImageNet.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relatask.data.source_tables import SourceTables, source_tables
from relatask.data.splits import FOLDS


@dataclass(frozen=True)
class Picture:
    """Where the pixels of an item come from."""

    name: str  # of the item
    path: Path  # of the file, or what messages call it
    content: bytes | None = None  # of the file, where it was read already
    turns: int = 0  # quarters, anticlockwise


@dataclass(frozen=True)
class ClassImages:
    """n images of C classes."""

    classes: list[str]
    groups: list[str]  # of each class what it belongs to, e.g. an alphabet; empty where there is nothing
    folds: np.ndarray | None  # int64 [C], the official fold of each class, or None where it was not asked for
    pictures: list[Picture]
    class_of: np.ndarray  # int64 [n]


def class_tables(images: ClassImages, size: int) -> SourceTables:
    """Return the tables of images with one class each; `size` is that of a side in pixels.

    Items have the columns `file` or `content`, `turns` and `size`, which the input image reads, and `class`,
    `group` and `fold`, where they are known, which schemes of splits read.
    """
    pictures, class_of = images.pictures, images.class_of
    columns: dict[str, Any] = {
        "source_id": [picture.name for picture in pictures],
        "file": [str(picture.path) for picture in pictures],
        "content": pd.Series([picture.content for picture in pictures], dtype=object),
        "turns": np.array([picture.turns for picture in pictures], np.int8),
        "size": np.int16(size),
        "class": pd.Categorical.from_codes(class_of, pd.Index(images.classes)),
    }
    if images.groups:
        columns["group"] = pd.Categorical(np.asarray(images.groups, object)[class_of])
    if images.folds is not None:
        columns["fold"] = pd.Categorical.from_codes(images.folds[class_of], pd.Index(FOLDS))
    labels = pd.DataFrame({"item": np.arange(len(pictures)), "task": 0, "value": class_of})
    return source_tables(
        items=pd.DataFrame(columns),
        tasks=pd.DataFrame({"name": ["class"], "kind": ["class"]}),
        labels=labels,
        level="image",
        classes={"class": images.classes},
    )
