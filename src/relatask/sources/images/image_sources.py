"""Sources of images: what is read how, and written as a data set."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from relatask.config import SourceConfig
from relatask.data.splits import Fractions
from relatask.sources.images.class_images import ClassImages, write_class_images
from relatask.sources.images.coco import write_coco
from relatask.sources.images.miniimagenet import read_miniimagenet
from relatask.sources.images.omniglot import read_omniglot
from relatask.sources.images.tieredimagenet import read_tieredimagenet


def write_image_data(
    config: SourceConfig, raw: Path, scheme: str, fractions: Fractions, seeds: Sequence[int], out: Path
) -> dict[str, Any]:
    """Read a source of images, write the data set to folder `out` and return the content of its dataset.json.

    Args:
        config: how it is read.
        raw: folder of its raw files; not needed where `config.path` names one.
        scheme: given, or of images with one class each also grouped.
        fractions: of the folds, where they are not given.
        seeds: a split for each.
        out: folder of the data set.

    Raises:
        RelataskError: the source is not as its reader expects, or a fold would be empty.
    """
    folder = Path(config.path) if config.path else raw
    if config.reader == "coco":
        return write_coco(folder, config.image_size, fractions, seeds, out)
    images = _read_classes(config, folder, scheme == "given")
    return write_class_images(images, config.image_size, fractions, seeds, out)


def _read_classes(config: SourceConfig, folder: Path, given: bool) -> ClassImages:
    splits = Path(config.split_path) if config.split_path else folder
    if config.reader == "omniglot":
        return read_omniglot(folder, splits, config.rotated, given)
    if config.reader == "tieredimagenet":
        return read_tieredimagenet(folder, splits, given)
    return read_miniimagenet(folder, splits)
