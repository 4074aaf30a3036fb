"""Omniglot (Lake et al., 2015): characters of alphabets, each drawn by 20 people; a character is a class."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from relatask.core.source_block import SourceBlock
from relatask.sources.molecules import folder_of

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


class OmniglotSource(SourceBlock):
    """Images with one class each."""

    not_here: ClassVar[Mapping[str, str]] = {
        "active": "the reader omniglot has labels and no measured values"
    }

    reader: Literal["omniglot"] = Field(description="images with one class each, in the layout of omniglot")
    path: str | None = Field(
        None, description="folder of its archives; without it the source is a name in datasets.tsv"
    )
    image_size: int = Field(224, ge=8, le=1024, description="pixels of a side; the middle is cut out")
    split_path: str | None = Field(
        None, description="folder of the split files; default: where the images are"
    )
    rotated: bool = Field(
        False, description="characters turned by 90, 180 and 270 degrees are classes of their own"
    )


def prepare(block: OmniglotSource, context: "SourceContext") -> "SourceTables":
    """List the images and their classes."""
    from relatask.sources.images.class_images import class_tables
    from relatask.sources.images.omniglot import read_omniglot

    folder = folder_of(block, context)
    splits = Path(block.split_path) if block.split_path else folder
    images = read_omniglot(folder, splits, block.rotated, "given" in context.schemes)
    return class_tables(images, block.image_size)
