"""COCO (Lin et al., 2014) as a data set of images and 80 tasks: is there an object of a category in it?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from relatask.sources.images.block import ImageBlock

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext, SourceTables

SOURCE = {
    "summary": "a folder of images in COCO's layout",
    "items": "images",
    "levels": ("image",),
    "inputs": ("image",),
    "schemes": ("given",),
    "raw": "sheet",
}
PARTS = ("train2017", "val2017")


class CocoSource(ImageBlock):
    """Images and the categories of objects that are in them."""

    needs_path: ClassVar[str | None] = "the folder that holds train2017 and val2017"

    reader: Literal["coco"] = Field(description="a folder of images in COCO's layout")
    path: str | None = Field(None, description="folder that holds train2017, val2017 and annotations")

    def raw_files(self, name: str, study: str, listed: Sequence[str], related: bool) -> list[str]:
        """Return the files that list the images; there are too many images to name each."""
        return [f"{self.path}/annotations/instances_{part}.json" for part in PARTS]


def prepare(block: CocoSource, context: "SourceContext") -> "SourceTables":
    """List the images and their categories."""
    from relatask.sources.images.coco import coco_tables

    return coco_tables(Path(str(block.path)), block.image_size)
