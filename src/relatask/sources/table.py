"""A table of molecules x tasks in a file of any kind: a user's, or MoleculeNet's."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from relatask.core.kinds import KINDS, Kind
from relatask.sources.active import ActiveRule
from relatask.sources.molecule_files import MoleculeFiles
from relatask.sources.molecules import prepare_molecules

if TYPE_CHECKING:
    from relatask.data.raw_table import RawTable
    from relatask.data.source_tables import SourceContext

SOURCE = {
    "summary": "CSV, Excel, SDF or Parquet of molecules x tasks",
    "items": "molecules",
    "levels": ("molecule",),
    "kinds": ("binary", "real", "class"),
    "inputs": ("graph", "ecfp"),
    "raw": "sheet",
    "sparse": True,
}


class TableSource(MoleculeFiles):
    """A table of molecules x tasks; empty cells were not measured."""

    reader: Literal["table"] = Field(description="CSV, Excel, SDF or Parquet of molecules x tasks")
    task_columns: list[str] | None = Field(
        None, description="columns that are tasks; default: all the others"
    )
    values: Kind = Field(
        "binary",
        description="what the cells are: labels of 0 and 1 (or `active` makes them), measured values, which "
        "may have a bound as in >10, or classes",
    )
    kinds: dict[str, Kind] = Field({}, description="task column -> what its cells are, where not as `values`")
    units: dict[str, str] = Field({}, description="task column of measured values -> its unit, for tables")
    active: ActiveRule | None = Field(None, description="turns measured values into labels of 0 and 1")

    @model_validator(mode="after")
    def _active_has_labels(self) -> "TableSource":
        if self.active is not None and "binary" not in self.task_kinds():
            raise ValueError("active: it makes labels of 0 and 1, and `values` asks for others; remove one")
        return self

    def kind_of(self, column: str) -> Kind:
        """Return what the cells of a task column are."""
        return self.kinds.get(column, self.values)

    def task_kinds(self) -> tuple[Kind, ...]:
        """Kinds of the tasks that the block asks for."""
        named = self.task_columns is not None and set(self.task_columns) <= set(self.kinds)
        asked = {*self.kinds.values(), *([] if named else [self.values])}
        return tuple(kind for kind in KINDS if kind in asked)


def read(block: TableSource, context: "SourceContext") -> "RawTable":
    """Read the table."""
    from relatask.sources.readers import read_table_source

    return read_table_source(block, context)


prepare = prepare_molecules
