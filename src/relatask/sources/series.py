"""Several series of measured values at the same points in time; the tasks are the series."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from relatask.core.source_block import SourceBlock
from relatask.sources.table_keys import TableKeys

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext, SourceTables

SOURCE = {
    "summary": "CSV, Excel or Parquet of points in time x series",
    "items": "series",
    "levels": ("point",),
    "kinds": ("real",),
    "inputs": ("series",),
    "schemes": ("chronological",),
    "raw": "sheet",
    "reads_splits": True,
}


class SeriesSource(SourceBlock, TableKeys):
    """Series that are forecast; every value must be there."""

    not_here: ClassVar[Mapping[str, str]] = {"active": "series are forecast as they are; remove it"}

    reader: Literal["series"] = Field(description="CSV, Excel or Parquet of points in time x series")
    path: str | None = Field(
        None,
        description="a file of yours, absolute or from where the workflow is started; without it the source "
        "is a name in datasets.tsv",
    )
    id_column: str | None = Field(None, description="column that holds the time; default: date")
    task_columns: list[str] | None = Field(
        None, description="columns that are series; default: all the others"
    )
    first: int | None = Field(None, ge=1, description="use only so many points, from the start")


def prepare(block: SeriesSource, context: "SourceContext") -> "SourceTables":
    """Read the series and put them on the scale of the training fold."""
    from relatask.sources.point_series import prepare_series

    return prepare_series(block, context)
