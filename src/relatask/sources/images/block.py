"""What all sources of images share: the keys of their blocks."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, model_validator

from relatask.core.source_block import LABELS_ONLY, SourceBlock
from relatask.sources.folder import folder_of

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext


class ImageBlock(SourceBlock):
    """Images, which are cut to squares of one size."""

    not_here: ClassVar[Mapping[str, str]] = {"active": LABELS_ONLY}
    # what `path` must name, e.g. for the message; None: it may be left out
    needs_path: ClassVar[str | None] = "the folder of its images"

    path: str | None = Field(None, description="folder of its images")
    image_size: int = Field(224, ge=8, le=1024, description="pixels of a side; the middle is cut out")

    def item_files(self) -> list[str]:
        """The folder of the images; those of config/datasets.tsv are in the table of items."""
        return [] if self.path is None else [self.path]

    @model_validator(mode="after")
    def _has_images(self) -> Self:
        if self.path is None and self.needs_path is not None:
            raise ValueError(f"path: the reader {self.reader} needs {self.needs_path}")
        return self


class ClassImageBlock(ImageBlock):
    """Images with one class each, and files that say which classes are of which fold."""

    split_path: str | None = Field(
        None, description="folder of the split files; default: where the images are"
    )

    def folders(self, context: "SourceContext") -> tuple[Path, Path]:
        """Return the folder of the images and that of the split files."""
        folder = folder_of(self, context)
        return folder, Path(self.split_path) if self.split_path else folder
