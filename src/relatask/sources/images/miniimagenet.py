"""mini-ImageNet (Vinyals et al., 2016; split of Ravi and Larochelle, 2017): 100 classes of 600 images.

Read in its public layout: a folder `images` of all images, and train.csv, val.csv and test.csv with a row
`filename,label` for each image (64, 16 and 20 classes).
"""

from pathlib import Path

import numpy as np

from relatask.core.errors import RelataskError
from relatask.sources.images.class_images import ClassImages, Picture
from relatask.sources.split_files import PARTS, read_split_file

HEADER = ("filename", "label")


def read_miniimagenet(images: Path, splits: Path) -> ClassImages:
    """Return the images in the order of the split files, under the official split.

    Args:
        images: folder that holds the folder `images`.
        splits: folder of the split files.

    Raises:
        RelataskError: a file or folder is missing, or a class is in two parts.
    """
    folder = images / "images"
    if not folder.is_dir():
        raise RelataskError(f"{folder} does not exist; it must hold the images of mini-ImageNet.")
    names: list[str] = []
    fold_of: dict[str, int] = {}
    labels: list[str] = []
    for fold, part in enumerate(PARTS):
        path, rows = read_split_file(splits, part, ",".join(HEADER))
        if not rows or rows[0] != HEADER:
            raise RelataskError(f"{path} must begin with the row {','.join(HEADER)}.")
        for name, label in rows[1:]:
            if fold_of.setdefault(label, fold) != fold:
                raise RelataskError(f"{path}: the class {label} is in {PARTS[fold_of[label]]} as well.")
            names.append(name)
            labels.append(label)
    number = {label: place for place, label in enumerate(fold_of)}
    return ClassImages(
        classes=list(fold_of),
        groups=[],
        folds=np.array(list(fold_of.values()), np.int64),
        pictures=[Picture(name, folder / name) for name in names],
        class_of=np.array([number[label] for label in labels], np.int64),
    )
