"""A CSV or Parquet table of molecules x tasks: a user's, or MoleculeNet's."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from relatask.core.kinds import KINDS, Kind
from relatask.sources.active import ActiveRule
from relatask.sources.molecules import MoleculeBlock, prepare_molecules

if TYPE_CHECKING:
    from relatask.data.raw_table import RawTable
    from relatask.data.source_tables import SourceContext

SOURCE = {
    "summary": "CSV or Parquet of SMILES x tasks",
    "items": "molecules",
    "levels": ("molecule",),
    "kinds": ("binary", "real", "class"),
    "inputs": ("graph", "ecfp"),
    "raw": "sheet",
    "sparse": True,
}


class TableSource(MoleculeBlock):
    """A table of SMILES x tasks; empty cells were not measured."""

    reader: Literal["table"] = Field(description="CSV or Parquet of SMILES x tasks")
    path: str | None = Field(
        None,
        description="a file of yours, absolute or from where the workflow is started; without it the source "
        "is a name in datasets.tsv",
    )
    test_path: str | None = Field(
        None,
        description="a second file of yours with the same columns, whose molecules are for test; with "
        "`splits: {schemes: [given]}`. A molecule of both is tested, and left out of training",
    )
    smiles_column: str = Field("smiles", description="column that holds the SMILES")
    id_column: str | None = Field(None, description="column that names a molecule")
    task_columns: list[str] | None = Field(
        None, description="columns that are tasks; default: all the others"
    )
    item_columns: list[str] = Field(
        [], description="columns that are no tasks and are kept with the molecules"
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

    @model_validator(mode="after")
    def _test_file_has_another(self) -> "TableSource":
        if self.test_path is not None and self.path is None:
            raise ValueError("test_path: it stands beside a `path` of yours; give both")
        return self

    @property
    def schemes(self) -> tuple[str, ...]:
        """The only schemes of splits it goes with; empty: all for its levels."""
        return super().schemes if self.test_path is None else ("given",)

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
    from relatask.sources.test_file import with_test_file

    table = read_table_source(block, context)
    if block.test_path is None:
        return table
    test = read_table_source(block.model_copy(update={"path": block.test_path}), context)
    return with_test_file(table, test, block)


prepare = prepare_molecules
