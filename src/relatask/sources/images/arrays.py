"""Image files as arrays of pixels, and as what encoders read."""

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from relatask.core.errors import RelataskError
from relatask.core.files import sha256_of, write_json
from relatask.core.npy_writer import npy_writer


def decode(path: Path, size: int, content: bytes | None = None) -> np.ndarray:
    """Return an image as uint8 [3, size, size]: RGB, the shorter side scaled to `size`, the middle cut out.

    Args:
        path: of the file, or what messages call it.
        size: pixels of a side.
        content: bytes of the file; default: read from `path`.

    Raises:
        RelataskError: there is no such file, or it is no image.
    """
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


def write_images(images: Iterable[np.ndarray], size: int, folder: Path) -> str:
    """Write images.npy, uint8 [n, 3 size size], and its record, and return its digest."""
    with npy_writer(folder / "images.npy", "u1", 3 * size * size) as writer:
        for pixels in images:
            writer.append(pixels.reshape(1, -1))
    digest = sha256_of(folder / "images.npy")
    write_json(folder / "features.json", {"files": {"images.npy": digest}, "digest": digest})
    return digest
