"""What sources of molecules in files of the user's own share: their files, and columns that are no tasks."""

from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from relatask.core.blocks import unique
from relatask.sources.molecules import MoleculeBlock
from relatask.sources.table_keys import TableKeys

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext


class MoleculeFiles(MoleculeBlock, TableKeys):
    """Molecules in a file, or in several that become one table."""

    path: str | list[str] | None = Field(
        None,
        description="a file of yours, absolute or from where the workflow is started, or a list of files "
        "that become one table; without it the source is a name in datasets.tsv",
    )
    smiles_column: str | list[str] = Field(
        "smiles", description="column that holds the SMILES; of a list, the first that a file has"
    )
    id_column: str | None = Field(None, description="column that names a molecule")
    item_columns: list[str] = Field(
        [], description="columns that are no tasks and are kept with the molecules"
    )

    @field_validator("path", "smiles_column")
    @classmethod
    def _lists_name_something(cls, value: str | list[str] | None) -> str | list[str] | None:
        if value == []:
            raise ValueError("the list is empty; name something in it")
        return unique(value) if isinstance(value, list) else value

    def paths(self, context: "SourceContext") -> list[str]:
        """Return the files: those of `path`, else the one table in the folder of raw files."""
        from relatask.sources.folder import folder_of
        from relatask.sources.readers import only_table

        if self.path is not None:
            return [self.path] if isinstance(self.path, str) else self.path
        return [str(only_table(folder_of(self, context), context.name))]
