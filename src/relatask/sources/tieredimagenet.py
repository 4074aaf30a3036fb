"""tiered-ImageNet (Ren et al., 2018): 608 classes of ImageNet in 34 categories."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from relatask.sources.images.block import ClassImageBlock

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext, SourceTables

SOURCE = {
    "summary": "images with one class each, in the layout of tieredimagenet",
    "items": "images",
    "levels": ("image",),
    "kinds": ("class",),
    "inputs": ("image",),
    "schemes": ("given", "grouped"),
    "raw": "sheet",
    "few_shot": True,
    "reads_splits": True,
}


class TieredImagenetSource(ClassImageBlock):
    """Images with one class each."""

    reader: Literal["tieredimagenet"] = Field(
        description="images with one class each, in the layout of tieredimagenet"
    )


def prepare(block: TieredImagenetSource, context: "SourceContext") -> "SourceTables":
    """List the images and their classes."""
    from relatask.sources.images.class_images import class_tables
    from relatask.sources.images.tieredimagenet import read_tieredimagenet

    images = read_tieredimagenet(*block.folders(context), "given" in context.schemes)
    return class_tables(images, block.image_size)
