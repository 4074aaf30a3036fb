"""Residual networks for images (He et al., 2016), with the parameters' names of torchvision.

`depth` 18, 34, 50 and 101 are torchvision's; 12 is the small one of few-shot learning (Chen et al., 2021):
four blocks of three convolutions, each with max pooling. Weights can be read from a file that torchvision
offers. It is written here because each wheel of torchvision pins one build of torch, which would pull a
second one of several GB, and because torchvision lacks the small one.
"""

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relatask.core.errors import RelataskError
from relatask.nn.contract import Encoder

CAPABILITIES = {
    "summary": "residual network for images (He et al., 2016)",
    "label": "ResNet",
    "paper": "he_2016",
    "inputs": ("image",),
    "microseconds": 250_000.0,
    "cost_options": ("depth",),
    "twice_differentiable": True,
    "options": {"depth": 50, "width": 64, "weights": "", "normalise": False},
    "initial": ("weights",),
    "choices": {"depth": (12, 18, 34, 50, 101)},
    "limits": {"width": (1, 1024)},
}
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
EXPANSION = 4  # of a bottleneck's last convolution


def _convolution(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    """What fits a block's input to its output, where they differ."""
    if inputs == outputs and stride == 1:
        return None
    return nn.Sequential(_convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


class Block(nn.Module):
    """Convolutions with batch norm and ReLU, and the input added before the last ReLU."""

    def __init__(self, inputs: int, sizes: list[tuple[int, int, int]], stride: int, pool: bool = False):
        super().__init__()
        self.count, self.pool = len(sizes), pool
        width = inputs
        for number, (outputs, size, step) in enumerate(sizes, start=1):
            setattr(self, f"conv{number}", _convolution(width, outputs, size, step))
            setattr(self, f"bn{number}", nn.BatchNorm2d(outputs))
            width = outputs
        self.downsample = _shortcut(inputs, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, inputs, h, w] to [B, outputs, h / stride, w / stride]."""
        y = x
        for number in range(1, self.count + 1):
            y = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(y))
            y = F.relu(y) if number < self.count else y
        y = F.relu(y + (x if self.downsample is None else self.downsample(x)))
        return F.max_pool2d(y, 2) if self.pool else y


class ResNet(Encoder):
    """Images [B, 3, S, S] -> [B, width of the last block], the mean over positions.

    `normalise` scales each image's embedding to length 1, as MetaLink's released code does on molecules.
    """

    def __init__(self, depth: int, width: int, normalise: bool = False):
        super().__init__()
        self.small, self.normalise = depth == 12, normalise
        if self.small:
            sizes = [width * factor for factor in (1, 2, 4, 8)]
            inputs = [3, *sizes[:-1]]
            for number, (before, after) in enumerate(zip(inputs, sizes, strict=True), start=1):
                block = Block(before, [(after, 3, 1)] * 3, 1, pool=True)
                self.add_module(f"layer{number}", nn.Sequential(block))
            self.width = sizes[-1]
            return
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        before = width
        for number, count in enumerate(BLOCKS[depth], start=1):
            inner, blocks = width * 2 ** (number - 1), []
            for position in range(count):
                stride = 2 if number > 1 and position == 0 else 1
                sizes_of = [(inner, 3, stride), (inner, 3, 1)]
                if depth >= 50:
                    sizes_of = [(inner, 1, 1), (inner, 3, stride), (EXPANSION * inner, 1, 1)]
                blocks.append(Block(before, sizes_of, stride))
                before = sizes_of[-1][0]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
        self.width = before

    def states(self, x: Tensor) -> Tensor:
        """Return the last block's states [B P, width] at the P positions of each image [B, 3, S, S]."""
        if not self.small:
            x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for number in range(1, 5):
            x = getattr(self, f"layer{number}")(x)
        return x.flatten(2).transpose(1, 2).flatten(0, 1)

    def pool(self, states: Tensor, x: Tensor) -> Tensor:
        """Return the mean over each image's positions, float32 [B, width]."""
        channels_first = states.unflatten(0, (len(x), -1)).transpose(1, 2).contiguous()
        embedding = channels_first.mean(2).float()
        return F.normalize(embedding, dim=1) if self.normalise else embedding


def _read_weights(path: Path) -> dict[str, Any]:
    """Return torchvision's weights without its classifier.

    Raises:
        RelataskError: there is no such file, or it holds no weights.
    """
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except FileNotFoundError:
        raise RelataskError(
            f"weights: {path} does not exist; leave the option out for random ones."
        ) from None
    except Exception as error:
        raise RelataskError(f"weights: {path} holds no weights ({' '.join(str(error).split())}).") from None
    return {name: value for name, value in state.items() if not name.startswith("fc.")}


def build(depth: int = 50, width: int = 64, weights: str = "", normalise: bool = False) -> ResNet:
    """Return the encoder, initialised from torch's global generator or a file.

    Raises:
        RelataskError: there is no such depth, or the file does not fit.
    """
    if depth != 12 and depth not in BLOCKS:
        raise RelataskError(
            f"option 'depth' of encoder resnet must be 12 or one of {[*BLOCKS]}, not {depth}."
        )
    model = ResNet(depth, width, normalise)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    if weights:
        try:
            model.load_state_dict(_read_weights(Path(weights)))
        except RuntimeError as error:
            told = " ".join(str(error).split())[:300]
            raise RelataskError(f"weights: {weights} does not fit a ResNet-{depth} ({told}).") from None
    return model
