"""KIBA (Tang et al., 2014): scores of ChEMBL compounds on kinases."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from relatask.sources.active import ActiveRule
from relatask.sources.folder import folder_of
from relatask.sources.molecules import MoleculeBlock, prepare_molecules

if TYPE_CHECKING:
    from relatask.data.raw_table import RawTable
    from relatask.data.source_tables import SourceContext

SOURCE = {
    "summary": "KIBA scores of compounds x kinases, beside molecules.csv and tasks.csv",
    "items": "molecules",
    "levels": ("molecule",),
    "inputs": ("graph", "ecfp"),
    "raw": "sheet",
    "sparse": True,
}


class KibaSource(MoleculeBlock):
    """KIBA scores; a score of at most 3 is active if nothing else is said."""

    reader: Literal["kiba"] = Field(
        description="KIBA scores of compounds x kinases, beside molecules.csv and tasks.csv"
    )
    path: str | None = Field(
        None, description="folder of its files; without it the source is a name in datasets.tsv"
    )
    active: ActiveRule | None = Field(None, description="turns scores into labels; default: at_most 3")


def read(block: KibaSource, context: "SourceContext") -> "RawTable":
    """Read the scores."""
    from relatask.sources.readers import read_kiba

    return read_kiba(block, folder_of(block, context), context.task_sheet)


prepare = prepare_molecules
