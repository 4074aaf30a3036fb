"""A table in long format: one row a measurement, with its molecule, its task and its value."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from relatask.core.kinds import Kind
from relatask.sources.active import ActiveRule
from relatask.sources.molecule_files import MoleculeFiles
from relatask.sources.molecules import prepare_molecules

if TYPE_CHECKING:
    from relatask.data.raw_table import RawTable
    from relatask.data.source_tables import SourceContext

SOURCE = {
    "summary": "CSV, Excel or Parquet with a row for each measurement",
    "items": "molecules",
    "levels": ("molecule",),
    "kinds": ("binary", "real", "class"),
    "inputs": ("graph", "ecfp"),
    "raw": "sheet",
    "sparse": True,
}


class MeasurementsSource(MoleculeFiles):
    """A table of measurements, as laboratories and ChEMBL export them; each task that it names is one."""

    reader: Literal["measurements"] = Field(
        description="CSV, Excel or Parquet with a row for each measurement"
    )
    task_column: str = Field(description="column that names what was measured, e.g. the assay or target")
    value_column: str = Field(description="column that holds the result")
    relation_column: str | None = Field(
        None, description="column that says whether a value is a bound: =, <, >, <=, >= or ~"
    )
    unit_column: str | None = Field(
        None,
        description="column that holds the unit of a value; concentrations are converted to the unit that "
        "most of them have, and rows of a task in other units are rejected",
    )
    p_values: bool = Field(
        False,
        description="concentrations become -log10(mol/L), of which `active` then speaks; rows with other "
        "units are rejected",
    )
    values: Kind | None = Field(
        None, description="what the values are; default: real, or binary where `active` makes labels"
    )
    active: ActiveRule | None = Field(None, description="turns measured values into labels of 0 and 1")

    @model_validator(mode="after")
    def _rules_fit(self) -> "MeasurementsSource":
        if self.active is not None and self.kind != "binary":
            raise ValueError("active: it makes labels of 0 and 1, and `values` asks for others; remove one")
        if self.kind == "class" and (self.relation_column or self.unit_column):
            raise ValueError("values: classes have neither bounds nor units; remove their columns")
        if self.p_values and not self.unit_column:
            raise ValueError("p_values: name the column of the units of concentrations in `unit_column`")
        return self

    @property
    def kind(self) -> Kind:
        """What the labels of all tasks are."""
        return self.values or ("real" if self.active is None else "binary")

    def task_kinds(self) -> tuple[Kind, ...]:
        """Kinds of the tasks."""
        return (self.kind,)


def read(block: MeasurementsSource, context: "SourceContext") -> "RawTable":
    """Read the measurements."""
    from relatask.sources.measurement_tables import read_measurements

    return read_measurements(block, context)


prepare = prepare_molecules
