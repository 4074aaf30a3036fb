"""tiered-ImageNet (Ren et al., 2018): 608 classes of ImageNet in 34 categories, 779,165 images.

Read from class folders as ImageNet (ILSVRC 2012, training images) has them, `n01440764/*.JPEG`, directly in
the folder or in its subfolders train, val and test. The official split is in train.csv, val.csv and test.csv,
a row `class,category` for each class without a header; no category is in two parts.
"""

from pathlib import Path

import numpy as np

from relatask.core.errors import RelataskError
from relatask.sources.images.class_images import ClassImages, Picture
from relatask.sources.split_files import PARTS, read_split_file

SUFFIXES = (".jpeg", ".jpg", ".png")


def read_tieredimagenet(images: Path, splits: Path, given: bool) -> ClassImages:
    """Return the images, class by class in the order of the split files, each class by name of file.

    Args:
        images: folder that holds the classes' folders.
        splits: folder of the split files.
        given: whether the official split is wanted, or categories are to be drawn.

    Raises:
        RelataskError: a file or folder is missing, a folder holds no image, or a class is listed twice.
    """
    category_of: dict[str, str] = {}
    folds: list[int] = []
    pictures: list[Picture] = []
    class_of: list[int] = []
    for fold, part in enumerate(PARTS):
        path, rows = read_split_file(splits, part, "class,category")
        for name, category in rows:
            if name in category_of:
                raise RelataskError(f"{path}: the class {name} is listed twice, here or in another part.")
            found = _images_of(images, part, name)
            pictures += [Picture(f"{name}/{file.name}", file) for file in found]
            class_of += [len(category_of)] * len(found)
            category_of[name] = category
            folds.append(fold)
    return ClassImages(
        classes=list(category_of),
        groups=list(category_of.values()),
        folds=np.array(folds, np.int64) if given else None,
        pictures=pictures,
        class_of=np.array(class_of, np.int64),
    )


def _images_of(images: Path, part: str, name: str) -> list[Path]:
    folder = next((path for path in (images / name, images / part / name) if path.is_dir()), None)
    if folder is None:
        raise RelataskError(
            f"{images} has no folder {name} (nor {part}/{name}) with the images of that class; give the "
            "folder of ImageNet's training images."
        )
    found = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    if not found:
        raise RelataskError(f"{folder} holds no image ({', '.join(SUFFIXES)}); get the class anew.")
    return found
