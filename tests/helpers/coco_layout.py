"""A small folder in COCO's layout."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from relatask.sources.images.coco import PARTS


def write_layout(folder: Path, n: int = 20, n_test: int = 6, n_drawn: int = 0, visible: bool = False) -> Path:
    """A folder as COCO's, of coloured noise; image i has category 7 if i is odd, and 3 if i % 4 is 0.

    Of `n_drawn` more categories, which follow one without an object, each is in about half of the images.
    Where the objects are `visible`, category 7 makes an image red, and category 3 makes it blue.
    """
    rng, draws = np.random.default_rng(0), np.random.default_rng(1)
    drawn = [{"id": 20 + i, "name": f"drawn{i}"} for i in range(n_drawn)]
    (folder / "annotations").mkdir(parents=True)
    for part, count, first in zip(PARTS, (n, n_test), (100, 500), strict=True):
        (folder / part).mkdir()
        images, annotations = [], []
        for i in range(count):
            name = f"{first + i:012d}.jpg"
            pixels = rng.integers(0, 255, (30 + i, 40, 3)).astype(np.uint8)
            if visible:
                pixels[..., 0] //= 1 if i % 2 else 3
                pixels[..., 2] //= 3 if i % 4 else 1
            Image.fromarray(pixels).save(folder / part / name)
            images.append({"id": first + i, "file_name": name, "width": 40, "height": 30 + i})
            present = [7] * (i % 2) * 2 + [3] * (i % 4 == 0)  # two objects of one category are one label
            present += [20 + j for j in range(n_drawn) if draws.random() < 0.5]
            annotations += [{"image_id": first + i, "category_id": number, "id": 0} for number in present]
        categories = [{"id": 7, "name": "dog"}, {"id": 3, "name": "car"}, {"id": 9, "name": "bus"}, *drawn]
        content = {"images": images[::-1], "annotations": annotations, "categories": categories}
        (folder / "annotations" / f"instances_{part}.json").write_text(json.dumps(content))
    return folder
