"""A table of molecules x tasks in a file of any kind: a user's, or MoleculeNet's."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from relatask.core.kinds import KINDS, Kind
from relatask.sources.active import ActiveRule
from relatask.sources.molecule_files import MoleculeFiles
from relatask.sources.molecules import prepare_molecules
from relatask.sources.units import concentration_unit

if TYPE_CHECKING:
    from relatask.data.raw_table import RawTable
    from relatask.data.source_tables import SourceContext

ConcentrationUnit = Annotated[str, AfterValidator(concentration_unit)]

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
    test_path: str | None = Field(
        None,
        description="a second file of yours with the same columns, whose molecules are for test; with "
        "`splits: {schemes: [given]}`. A molecule of both is tested, and left out of training",
    )
    task_columns: list[str] | None = Field(
        None, description="columns that are tasks; default: all the others"
    )
    values: Kind = Field(
        "binary",
        description="what the cells are: labels, such as 0 and 1, or active and inactive (or `active` makes "
        "them), measured values, which may have a bound as in >10, or classes",
    )
    kinds: dict[str, Kind] = Field({}, description="task column -> what its cells are, where not as `values`")
    units: dict[str, str] = Field({}, description="task column of measured values -> its unit, for tables")
    active: ActiveRule | None = Field(
        None, description="turns measured values of binary tasks into labels of 0 and 1"
    )
    thresholds: dict[str, ActiveRule | None] = Field(
        {}, description="task column -> its own rule instead of `active`; null: its cells are labels"
    )
    p_values: dict[str, ConcentrationUnit] = Field(
        {},
        description="task column of concentrations -> their unit (M, mM, uM, nM, pM, fM); they become "
        "-log10(mol/L), of which `active` and `thresholds` then speak",
    )

    @model_validator(mode="after")
    def _active_has_labels(self) -> "TableSource":
        if self.active is not None and "binary" not in self.task_kinds():
            raise ValueError("active: it makes labels of 0 and 1, and `values` asks for others; remove one")
        for column in self.thresholds:
            if (kind := self.kind_of(column)) != "binary":
                raise ValueError(f"thresholds: the column {column!r} is of kind {kind}; remove it there")
        for column in self.units:
            if (kind := self.kind_of(column)) != "real":
                raise ValueError(f"units: the column {column!r} is of kind {kind}; remove it there")
        for column in self.p_values:
            if self.kind_of(column) != "real" and self.rule_of(column) is None:
                raise ValueError(
                    f"p_values: the cells of {column!r} are no concentrations but of kind "
                    f"{self.kind_of(column)}; give the column the kind real, or a rule in `thresholds`"
                )
            if column in self.units:
                raise ValueError(f"units: {column!r} has the unit that p_values gives it; remove it in units")
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

    def rule_of(self, column: str) -> ActiveRule | None:
        """Return which values of a task column are label 1; None where no rule makes its labels."""
        if self.kind_of(column) != "binary":
            return None
        return self.thresholds.get(column, self.active)

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
