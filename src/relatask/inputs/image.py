"""Images as pixels of one size."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from relatask.core.errors import RelataskError
from relatask.inputs.arrays import read_array

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from torch import Tensor

INPUT = {"summary": "pixels of images, cut to one size"}
VERSION = 1
IMAGE_SCALE = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation of ImageNet's colours


def featurise(items: "pd.DataFrame") -> dict[str, np.ndarray]:
    """Return images, uint8 [n, 3 size size].

    Args:
        items: with the columns `file` (path), `size` (pixels of a side) and, where they are known, `content`
            (bytes of the file where they were read already, else null) and `turns` (quarters, anticlockwise).

    Raises:
        RelataskError: there is no column `file` or `size`, no such file, it is no image, or sizes
            differ.
    """
    if lost := [name for name in ("file", "size") if name not in items]:
        raise RelataskError(
            f"the items have no column {lost[0]!r}; images need `file`, a path, and `size`, pixels of a side."
        )
    sizes = sorted(set(items["size"]))
    if len(sizes) > 1:
        raise RelataskError(
            f"images of {sizes[0]} and {sizes[1]} pixels a side cannot be read together; give all one `size`."
        )
    contents = items["content"] if "content" in items else [None] * len(items)
    turns = items["turns"].fillna(0) if "turns" in items else [0] * len(items)
    columns = (items["file"], items["size"], contents, turns)
    pixels = [
        np.rot90(_pixels(file, int(size), content), int(quarters), axes=(1, 2)).reshape(-1)
        for file, size, content, quarters in zip(*columns, strict=True)
    ]
    return {"images": np.stack(pixels)}


def _pixels(file: object, size: int, content: object) -> np.ndarray:
    """Return an image, as `decode`; a content that is null (pandas has several) is read from the file."""
    return decode(Path(str(file)), size, content if isinstance(content, bytes) and content else None)


def decode(path: Path, size: int, content: bytes | None = None) -> np.ndarray:
    """Return an image as uint8 [3, size, size]: RGB, the shorter side scaled to `size`, the middle cut out.

    Args:
        path: of the file, or what messages call it.
        size: pixels of a side.
        content: bytes of the file; default: read from `path`.

    Raises:
        RelataskError: there is no such file, or it is no image.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path if content is None else io.BytesIO(content)) as opened:
            image = opened.convert("RGB")
    except FileNotFoundError:
        raise RelataskError(f"{path} does not exist, but the data set lists it; get the images.") from None
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise RelataskError(f"{path} cannot be read as an image ({error}); get it anew.") from None
    scale = size / min(image.size)
    width, height = (max(size, round(side * scale)) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - size) // 2, (height - size) // 2
    pixels = np.asarray(image.crop((left, top, left + size, top + size)))
    return pixels.transpose(2, 0, 1)


@dataclass(frozen=True)
class Images:
    """Pixels of images of one size, mapped from their file until a batch needs them."""

    pixels: "Tensor"  # uint8 [n_images, 3 S S]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.pixels)

    def batch(self, rows: "Tensor") -> "Tensor":
        """Return the images at positions `rows`, float32 [B, 3, S, S], as ImageNet's networks expect them."""
        import torch

        side = round((self.pixels.shape[1] / 3) ** 0.5)
        pixels = self.pixels[rows].view(len(rows), 3, side, side).float() / 255
        mean, std = (torch.tensor(of, device=pixels.device)[:, None, None] for of in IMAGE_SCALE)
        return (pixels - mean) / std


def load(folder: Path, device: "torch.device | str" = "cpu") -> Images:
    """Map the pixels of a `features` folder; on a GPU they are copied."""
    import torch

    return Images(torch.from_numpy(read_array(folder / "images.npy", "c")).to(device))
