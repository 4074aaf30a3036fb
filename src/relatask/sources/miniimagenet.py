"""mini-ImageNet (Vinyals et al., 2016): 100 classes of 600 images."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from relatask.core.source_block import SourceBlock
from relatask.sources.molecules import folder_of

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


class MiniImagenetSource(SourceBlock):
    """Images with one class each."""

    not_here: ClassVar[Mapping[str, str]] = {
        "active": "the reader miniimagenet has labels and no measured values"
    }

    reader: Literal["miniimagenet"] = Field(
        description="images with one class each, in the layout of miniimagenet"
    )
    path: str | None = Field(None, description="folder of its images")
    image_size: int = Field(224, ge=8, le=1024, description="pixels of a side; the middle is cut out")
    split_path: str | None = Field(
        None, description="folder of the split files; default: where the images are"
    )

    @model_validator(mode="after")
    def _has_images(self) -> "MiniImagenetSource":
        if self.path is None:
            raise ValueError("path: the reader miniimagenet needs the folder of its images")
        return self


def prepare(block: MiniImagenetSource, context: "SourceContext") -> "SourceTables":
    """List the images and their classes."""
    from relatask.sources.images.class_images import class_tables
    from relatask.sources.images.miniimagenet import read_miniimagenet

    folder = folder_of(block, context)
    splits = Path(block.split_path) if block.split_path else folder
    images = read_miniimagenet(folder, splits)
    return class_tables(images, block.image_size)
