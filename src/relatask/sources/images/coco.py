"""COCO (Lin et al., 2014) as a data set of images and 80 tasks: is there an object of a category in it?

Read in COCO's own layout: `train2017`, `val2017` and `annotations/instances_*.json`. The official validation
images are the test fold, as in MetaLink; a share of the training images, drawn by seed, is for validation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from relatask.core.errors import RelataskError
from relatask.core.files import read_json, write_json
from relatask.data.item_tables import ItemTables, write_items
from relatask.sources.images.arrays import decode, write_images

PARTS = ("train2017", "val2017")
SCHEME = "given"


@dataclass(frozen=True)
class Part:
    """The images of one part and which categories are in them."""

    files: list[Path]
    labels: np.ndarray  # float32 [n, categories]


def read_coco(folder: Path) -> tuple[list[str], dict[str, Part]]:
    """Return the names of the categories, and the images of both parts in the order of their ids.

    Raises:
        RelataskError: a file is missing or is not as COCO writes it.
    """
    contents = {part: _annotations(folder, part) for part in PARTS}
    categories = sorted((entry["id"], entry["name"]) for entry in contents[PARTS[0]]["categories"])
    column = {number: place for place, (number, _) in enumerate(categories)}
    found = {}
    for part, content in contents.items():
        images = sorted((entry["id"], entry["file_name"]) for entry in content["images"])
        row = {number: place for place, (number, _) in enumerate(images)}
        labels = np.zeros((len(images), len(categories)), np.float32)
        try:
            for entry in content["annotations"]:
                labels[row[entry["image_id"]], column[entry["category_id"]]] = 1
        except KeyError as error:
            raise RelataskError(
                f"{_path(folder, part)} annotates the image or category {error}, which it does not list; get "
                "it anew."
            ) from None
        found[part] = Part([folder / part / name for _, name in images], labels)
    return [name for _, name in categories], found


def _path(folder: Path, part: str) -> Path:
    return folder / "annotations" / f"instances_{part}.json"


def _annotations(folder: Path, part: str) -> dict[str, Any]:
    path = _path(folder, part)
    content = read_json(path)
    wanted = {"images": ("id", "file_name"), "annotations": ("image_id", "category_id")}
    wanted["categories"] = ("id", "name")
    for key, fields in wanted.items():
        rows: Any = content.get(key) if isinstance(content, dict) else None
        listed = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
        if not listed or not all(row.keys() >= {*fields} for row in rows):
            raise RelataskError(f"{path}: {key!r} must list {' and '.join(fields)} of each, as COCO does.")
    return content


def write_coco(
    folder: Path, size: int, fractions: tuple[float, float, float], seeds: Sequence[int], out: Path
) -> dict[str, Any]:
    """Write the data set and return the content of its dataset.json.

    Args:
        folder: COCO's.
        size: pixels of a side.
        fractions: of train and valid the share of valid counts; the test images are given.
        seeds: a split for each.
        out: folder of the data set.

    Raises:
        RelataskError: an image is missing or cannot be read, or a part is empty.
    """
    categories, parts = read_coco(folder)
    files = [file for part in PARTS for file in parts[part].files]
    labels = np.concatenate([parts[part].labels for part in PARTS])
    n_train, n_test = (len(parts[part].files) for part in PARTS)
    n_valid = round(n_train * fractions[1] / (fractions[0] + fractions[1]))
    if not n_valid or n_valid == n_train or not n_test:
        raise RelataskError(
            f"{folder} has {n_train} and {n_test} images: too few for {fractions}; give more."
        )
    splits = {}
    for seed in seeds:
        fold = np.repeat([0, 2], [n_train, n_test])
        fold[np.random.default_rng(seed).permutation(n_train)[:n_valid]] = 1
        splits[f"{SCHEME}-{seed}"] = (fold, {"scheme": SCHEME, "seed": seed, "fractions": fractions})
    digest = write_images((decode(file, size) for file in files), size, out / "features")
    names = [f"{file.parent.name}/{file.name}" for file in files]
    counts = write_items(ItemTables("image", names, categories, labels, splits), digest, out)
    write_json(out / "dataset.json", counts)
    return counts
