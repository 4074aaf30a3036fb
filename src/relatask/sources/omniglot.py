"""Omniglot (Lake et al., 2015): characters of alphabets, each drawn by 20 people; a character is a class."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from relatask.sources.images.block import ClassImageBlock

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext, SourceTables

SOURCE = {
    "summary": "images with one class each, in the layout of omniglot",
    "items": "images",
    "levels": ("image",),
    "kinds": ("class",),
    "inputs": ("image",),
    "schemes": ("given", "grouped"),
    "raw": "sheet",
    "few_shot": True,
    "reads_splits": True,
}


class OmniglotSource(ClassImageBlock):
    """Images with one class each."""

    needs_path: ClassVar[str | None] = None

    reader: Literal["omniglot"] = Field(description="images with one class each, in the layout of omniglot")
    path: str | None = Field(
        None, description="folder of its archives; without it the source is a name in datasets.tsv"
    )
    rotated: bool = Field(
        False, description="characters turned by 90, 180 and 270 degrees are classes of their own"
    )


def prepare(block: OmniglotSource, context: "SourceContext") -> "SourceTables":
    """List the images and their classes."""
    from relatask.sources.images.class_images import class_tables
    from relatask.sources.images.omniglot import read_omniglot

    images = read_omniglot(*block.folders(context), block.rotated, "given" in context.schemes)
    return class_tables(images, block.image_size)
