"""mini-ImageNet (Vinyals et al., 2016): 100 classes of 600 images."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from relatask.sources.images.block import ClassImageBlock

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext, SourceTables

SOURCE = {
    "summary": "images with one class each, in the layout of miniimagenet",
    "items": "images",
    "levels": ("image",),
    "kinds": ("class",),
    "inputs": ("image",),
    "schemes": ("given",),
    "raw": "sheet",
    "few_shot": True,
    "reads_splits": True,
}


class MiniImagenetSource(ClassImageBlock):
    """Images with one class each."""

    reader: Literal["miniimagenet"] = Field(
        description="images with one class each, in the layout of miniimagenet"
    )


def prepare(block: MiniImagenetSource, context: "SourceContext") -> "SourceTables":
    """List the images and their classes."""
    from relatask.sources.images.class_images import class_tables
    from relatask.sources.images.miniimagenet import read_miniimagenet

    images = read_miniimagenet(*block.folders(context))
    return class_tables(images, block.image_size)
