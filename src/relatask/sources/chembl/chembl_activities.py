"""Activities on targets of today's ChEMBL, asked of its web service."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from relatask.core.layout import queries_folder, study_file
from relatask.core.source_block import NO_OWN_FILES
from relatask.sources.active import ActiveRule
from relatask.sources.folder import folder_of
from relatask.sources.molecules import MoleculeBlock, prepare_molecules

if TYPE_CHECKING:
    from relatask.data.raw_table import RawTable
    from relatask.data.source_tables import SourceContext

SOURCE = {
    "summary": "activities that ChEMBL knows on a list of targets",
    "items": "molecules",
    "levels": ("molecule",),
    "inputs": ("graph", "ecfp"),
    "raw": "activities",
    "sparse": True,
}


class ChemblActivitiesSource(MoleculeBlock):
    """A data set from today's ChEMBL."""

    not_here: ClassVar[Mapping[str, str]] = {"path": NO_OWN_FILES}

    reader: Literal["chembl_activities"] = Field(
        description="activities that ChEMBL knows on a list of targets"
    )
    targets: list[str] = Field([], description="ChEMBL target ids to build a data set from")
    active: ActiveRule | None = Field(None, description="turns pChEMBL values into labels")

    def raw_folder(self, name: str, study: str) -> str:
        """Return the folder of the answers of ChEMBL."""
        return queries_folder(study, name)

    def raw_files(self, name: str, study: str, listed: Sequence[str], related: bool) -> list[str]:
        """Return the answers of ChEMBL, and the task sheet."""
        return [f"results/{study_file('activities', study, source=name)}", *self.own_files().values()]


def read(block: ChemblActivitiesSource, context: "SourceContext") -> "RawTable":
    """Read the activities."""
    from relatask.sources.chembl.activities import read_activities

    return read_activities(block, folder_of(block, context))


prepare = prepare_molecules
