"""Molecules with their atoms and pairs of atoms as items: assays, the element of an atom, and bonds."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from relatask.sources.table import TableSource, read

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext, SourceTables

__all__ = ["SOURCE", "MoleculePartsSource", "prepare", "read"]

SOURCE = {
    "summary": "CSV or Parquet of SMILES x tasks; tasks of molecules, elements of atoms, and bonds",
    "items": "molecules, atoms and pairs of atoms",
    "levels": ("graph", "node", "pair"),
    "kinds": ("class", "binary"),
    "inputs": ("graph_parts",),
    "schemes": ("random", "stratified", "scaffold", "cross_validation"),
    "raw": "sheet",
}


class MoleculePartsSource(TableSource):
    """A table of SMILES x tasks, whose atoms and pairs of atoms are items too."""

    reader: Literal["molecule_parts"] = Field(  # type: ignore[assignment]
        description="CSV or Parquet of SMILES x tasks; tasks of molecules, elements of atoms, and bonds"
    )
    links: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="share of each molecule's bonds that are held out and asked about, with as many pairs of "
        "atoms that have none; 0: no task of bonds",
    )

    @field_validator("embedding")
    @classmethod
    def _no_embedding(cls, value: object) -> None:
        if value is not None:
            raise ValueError("atoms and pairs of atoms have no embedding; use the reader table")

    def task_kinds(self) -> tuple[Literal["binary", "class"], ...]:
        """Kinds of the tasks: those of atoms and bonds besides what the table has."""
        return ("binary", "class")


def prepare(block: MoleculePartsSource, context: "SourceContext") -> "SourceTables":
    """Read the molecules, and take them apart."""
    from relatask.sources.graph_parts.molecules import taken_apart
    from relatask.sources.graph_parts.tables import Links
    from relatask.sources.molecules import prepare_molecules

    return taken_apart(prepare_molecules(block, context), Links(block.links), context.name)
