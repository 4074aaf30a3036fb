"""COCO (Lin et al., 2014) as a data set of images and 80 tasks: is there an object of a category in it?

Read in COCO's own layout: `train2017`, `val2017` and `annotations/instances_*.json`. The official validation
images are the test fold, as in MetaLink; a share of the training images, drawn by seed, is for validation.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.core.files import read_json
from relatask.data.source_tables import SourceTables, source_tables
from relatask.sources.coco import PARTS


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


def coco_tables(folder: Path, size: int) -> SourceTables:
    """Return the tables of COCO: images, categories, and which are in which.

    Items have the columns `file`, `turns` and `size`, which the input image reads, and `fold`: the official
    validation images are the test.

    Args:
        folder: COCO's.
        size: pixels of a side.
    """
    categories, parts = read_coco(folder)
    files = [file for part in PARTS for file in parts[part].files]
    labels = np.concatenate([parts[part].labels for part in PARTS])
    fold = np.repeat(["train", "test"], [len(parts[part].files) for part in PARTS])
    items = pd.DataFrame(
        {
            "source_id": [f"{file.parent.name}/{file.name}" for file in files],
            "file": [str(file) for file in files],
            "content": None,
            "turns": np.int8(0),
            "size": np.int16(size),
            "fold": pd.Categorical(fold),
        }
    )
    n_items, n_tasks = labels.shape
    cells = pd.DataFrame(
        {
            "item": np.repeat(np.arange(n_items), n_tasks),
            "task": np.tile(np.arange(n_tasks), n_items),
            "value": labels.ravel(),
        }
    )
    return source_tables(items, pd.DataFrame({"name": categories}), cells, "image")
