"""A table of texts x tasks of the user's own."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from relatask.core.source_block import LABELS_ONLY, SourceBlock
from relatask.sources.table_keys import TableKeys

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext, SourceTables

SOURCE = {
    "summary": "CSV, Excel or Parquet of texts x tasks",
    "items": "texts",
    "levels": ("text",),
    "inputs": ("words",),
    "raw": "sheet",
    "sparse": True,
}


class TextsSource(SourceBlock, TableKeys):
    """A table of texts x tasks, cells 0 or 1; an empty cell is a label that is not known."""

    not_here: ClassVar[Mapping[str, str]] = {"active": LABELS_ONLY}

    reader: Literal["texts"] = Field(description="CSV, Excel or Parquet of texts x tasks")
    path: str | None = Field(
        None,
        description="a file of yours, absolute or from where the workflow is started; without it the source "
        "is a name in datasets.tsv",
    )
    text_column: str = Field("text", description="column that holds the texts")
    id_column: str | None = Field(None, description="column that names a text")
    task_columns: list[str] | None = Field(
        None, description="columns that are tasks; default: all the others"
    )
    item_columns: list[str] = Field([], description="columns that are no tasks and are kept with the texts")


def prepare(block: TextsSource, context: "SourceContext") -> "SourceTables":
    """Read the table; texts without a word are rejected, and rows with the same words merged."""
    from relatask.sources.text_tables import read_texts_source, text_tables

    return text_tables(read_texts_source(block, context), context.name)
