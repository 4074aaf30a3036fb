"""Image files as arrays of pixels."""

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from relatask.errors import RelataskError


def decode(path: Path, size: int) -> np.ndarray:
    """Return an image as uint8 [3, size, size]: RGB, the shorter side scaled to `size`, the middle cut out.

    Raises:
        RelataskError: there is no such file, or it is no image.
    """
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except FileNotFoundError:
        raise RelataskError(f"{path} does not exist, but the annotations name it; get the images.") from None
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise RelataskError(f"{path} cannot be read as an image ({error}); get it anew.") from None
    scale = size / min(image.size)
    width, height = (max(size, round(side * scale)) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - size) // 2, (height - size) // 2
    pixels = np.asarray(image.crop((left, top, left + size, top + size)))
    return pixels.transpose(2, 0, 1)
