"""The LSC benchmark of Mayr et al. (2018): ChEMBL 20 assays."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from relatask.core.layout import raw_file
from relatask.core.source_block import LABELS_ONLY
from relatask.sources.folder import folder_of
from relatask.sources.molecules import MoleculeBlock, prepare_molecules

if TYPE_CHECKING:
    from relatask.data.raw_table import RawTable
    from relatask.data.source_tables import SourceContext

SOURCE = {
    "summary": "the pickled files of the LSC benchmark",
    "items": "molecules",
    "levels": ("molecule",),
    "inputs": ("graph", "ecfp"),
    "raw": "sheet",
    "sparse": True,
}


class LscSource(MoleculeBlock):
    """Labels of the LSC benchmark."""

    not_here: ClassVar[Mapping[str, str]] = {"active": LABELS_ONLY}

    reader: Literal["lsc"] = Field(description="the pickled files of the LSC benchmark")
    path: str | None = Field(
        None, description="folder of its files; without it the source is a name in datasets.tsv"
    )
    task_columns: list[str] | None = Field(None, description="assays that are tasks; default: all")

    def raw_files(self, name: str, study: str, listed: Sequence[str], related: bool) -> list[str]:
        """Return the files that it is read from; the proteins of assays are asked of ChEMBL for relations."""
        files = super().raw_files(name, study, listed, related)
        asks = related and self.path is None and self.task_sheet is None
        return [*files, f"results/{raw_file('assay_targets', source=name)}"] if asks else files


def read(block: LscSource, context: "SourceContext") -> "RawTable":
    """Read SMILES and labels."""
    from relatask.sources.lsc.tables import read_lsc

    return read_lsc(block, folder_of(block, context))


prepare = prepare_molecules
