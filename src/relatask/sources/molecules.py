"""What all sources of molecules share: which molecules are kept, and how a raw table becomes items."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from relatask.core.plugins import load_file
from relatask.core.source_block import SourceBlock
from relatask.sources.embedding import EmbeddingConfig, read_embedding

if TYPE_CHECKING:
    from relatask.data.raw_table import RawTable
    from relatask.data.source_tables import SourceContext, SourceTables


class MoleculeBlock(SourceBlock):
    """A source of molecules, standardised and within limits of size."""

    task_sheet: str | None = Field(
        None, description="CSV of task, uniprot (several separated by ;), string_id; found as `path` is"
    )
    min_heavy_atoms: int = Field(3, ge=1, description="molecules with fewer heavy atoms are rejected")
    min_weight: float = Field(50.0, ge=0, description="Da; lighter molecules are rejected")
    max_weight: float = Field(900.0, gt=0, description="Da; heavier molecules are rejected")
    neutralise: bool = Field(
        True,
        description="move protons, so that an amine and its ammonium, acid and salt are the same",
    )
    fragments: Literal["parent", "largest"] = Field(
        "parent",
        description="of several fragments, parent: counter-ions and solvents go, and a mixture of others is "
        "rejected; largest: the one with most atoms stays, whatever the others are",
    )
    replicates: Literal["median", "labels"] = Field(
        "median",
        description="of several measurements of a molecule in a task, median: their median, before "
        "thresholds; labels: thresholds first, and labels that differ are a conflict",
    )
    embedding: EmbeddingConfig | None = Field(
        None, description="vectors of yours, one for each molecule, which rows read by `inputs: [vectors]`"
    )

    @property
    def inputs(self) -> tuple[str, ...]:
        """Files of relatask.inputs that are made of its molecules: with an embedding its vectors too."""
        own = super().inputs
        return own if self.embedding is None else (*own, "vectors")

    def own_files(self) -> dict[str, str]:
        """Key -> file of the user's own that must be there."""
        own = super().own_files()
        return own if self.embedding is None else {**own, "embedding.path": self.embedding.path}

    @model_validator(mode="after")
    def _limits_in_order(self) -> "MoleculeBlock":
        if self.min_weight >= self.max_weight:
            raise ValueError(f"min_weight {self.min_weight:g} must be below max_weight {self.max_weight:g}")
        return self


def read_source(block: MoleculeBlock, name: str, raw: Path | None = None) -> "RawTable":
    """Read one source of molecules as it is, before any chemistry.

    Args:
        block: how to read it.
        name: key of the source, for messages.
        raw: folder of its raw files; not needed where the block's `path` names a file.

    Raises:
        RelataskError: a file, column or cell is not as expected.
    """
    from relatask.data.source_tables import SourceContext

    found: RawTable = load_file(block.record).read(block, SourceContext(name, raw))
    return found


def prepare_molecules(block: MoleculeBlock, context: "SourceContext") -> "SourceTables":
    """Return the tables of a source of molecules: read, standardised, and duplicates merged."""
    from relatask.data.merge import standardise_source
    from relatask.data.rejected_rows import as_in_files, conflicts_in_files
    from relatask.data.source_tables import log_counts
    from relatask.data.standardise import Limits

    table = load_file(block.record).read(block, context)
    limits = Limits(
        block.min_heavy_atoms, block.min_weight, block.max_weight, block.neutralise, block.fragments
    )
    if block.embedding is not None:
        table.embedding = read_embedding(block.embedding, limits)
    tables = standardise_source(table, limits, context.name, block.replicates)
    tables.rejected = as_in_files(tables.rejected, table)
    tables.conflicts = conflicts_in_files(tables.conflicts, table)
    log_counts(context.name, "molecules", tables.counts)
    return tables
