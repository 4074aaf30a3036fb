"""The planted data: molecules, assays and protein interactions made by the project, with known truth."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from relatask.core.layout import PLANTED, raw_file, raw_folder
from relatask.core.source_block import LABELS_ONLY, NO_OWN_FILES
from relatask.sources.molecules import MoleculeBlock, prepare_molecules
from relatask.sources.table import TableSource

if TYPE_CHECKING:
    from relatask.data.raw_table import RawTable
    from relatask.data.source_tables import SourceContext

SOURCE = {
    "summary": "planted molecules and assays, whose truth is known",
    "items": "molecules",
    "levels": ("molecule",),
    "inputs": ("graph", "ecfp"),
    "raw": "planted",
    "sparse": True,
}


class PlantedSource(MoleculeBlock):
    """The planted data."""

    not_here: ClassVar[Mapping[str, str]] = {
        "path": NO_OWN_FILES,
        "active": LABELS_ONLY,
    }

    reader: Literal["planted"] = Field(description="planted molecules and assays, whose truth is known")

    def raw_folder(self, name: str, study: str) -> str:
        """Return the folder of raw files, one for all sources of planted data."""
        return raw_folder("planted")

    def raw_files(self, name: str, study: str, listed: Sequence[str], related: bool) -> list[str]:
        """Return what the step plant_data writes, and the task sheet."""
        planted = [f"results/{raw_file('planted', name=file)}" for file in PLANTED]
        return [*planted, *self.own_files().values()]


def read(block: PlantedSource, context: "SourceContext") -> "RawTable":
    """Read molecules.csv and tasks.csv."""
    from relatask.sources.readers import read_table_source

    return read_table_source(TableSource(reader="table", task_sheet=block.task_sheet), context)


prepare = prepare_molecules
