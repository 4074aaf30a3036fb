"""Where the files of a source are."""

from pathlib import Path
from typing import TYPE_CHECKING

from relatask.core.errors import RelataskError
from relatask.core.source_block import SourceBlock

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext


def folder_of(block: SourceBlock, context: "SourceContext") -> Path:
    """Return the folder or file that a source is read from: its `path`, else the folder of its raw files.

    Raises:
        RelataskError: there is neither.
    """
    path = getattr(block, "path", None)
    if path is None and context.raw is None:
        raise RelataskError(
            f"sources.{context.name}: give `path`, or the folder of its raw files with --raw."
        )
    return Path(path) if path is not None else Path(str(context.raw))
