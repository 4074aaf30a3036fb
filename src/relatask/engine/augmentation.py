"""Random crops and flips of a batch of images, in training steps alone (He et al., 2016, section 4.2).

MetaLink says "standard data augmentation, including random crop and horizontal flipping" (appendix A) and no
more. Images are stored cut to the encoder's size, so a cropped window has that size: it moves over the image,
mirrored at its borders, by up to an eighth of a side each way, as the 4 of 32 pixels of He et al. A smaller
window, scaled up, would lose more of the objects that the labels name.
"""

import torch
from torch import Tensor

REACH = 8  # the window moves by up to 1/8 of a side


def augmented(x: Tensor, how: str) -> Tensor:
    """Return images [B, C, H, W] as a training step reads them: `how` is "none" or "crop_flip"."""
    return crop_flip(x) if how == "crop_flip" else x


def crop_flip(images: Tensor) -> Tensor:
    """Return a random window of each image of [B, C, H, W], of its size, half of them mirrored left to right.

    Draws come from torch's generator of the CPU, so that a GPU sees the same windows.
    """
    n, channels, height, width = images.shape
    rows, columns = _windows(n, height), _windows(n, width)
    columns = torch.where(torch.rand(n, 1) < 0.5, columns.flip(1), columns)
    pixels = (rows[:, :, None] * width + columns[:, None]).view(n, 1, -1).to(images.device)
    return images.flatten(2).gather(2, pixels.expand(-1, channels, -1)).view_as(images)


def _windows(n: int, side: int) -> Tensor:
    """Positions [n, side] that n random windows take from a side, mirrored at its ends."""
    reach = side // REACH
    start = torch.randint(-reach, reach + 1, (n, 1))
    return side - 1 - (side - 1 - (start + torch.arange(side)).abs()).abs()
