"""What a block may say of a table of the user's own, beside its path."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from relatask.core.blocks import Block
from relatask.core.errors import RelataskError

if TYPE_CHECKING:
    from relatask.sources.table_files import Reading


class TableKeys(Block):
    """How a file is read where that is not to be found in the file itself."""

    encoding: str | None = Field(
        None,
        description="of a text file, e.g. cp1252; default: UTF-8 or UTF-16 where the file is that, else "
        "Windows-1252, which is told",
    )
    decimal: Literal[".", ","] | None = Field(
        None, description="mark before the decimals of numbers; default: found by the numbers of the file"
    )
    sheet: str | None = Field(
        None, description="of a workbook (.xlsx, .xls, .ods); default: the first that is not empty"
    )

    @field_validator("encoding")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        from relatask.sources.containers.text_encoding import known_encoding

        try:
            return None if name is None else known_encoding(name)
        except RelataskError as error:
            raise ValueError(str(error).removeprefix("encoding: ")) from None

    def reading(self) -> "Reading":
        """Return these keys as `table_files.open_table` takes them."""
        from relatask.sources.table_files import Reading

        return Reading(self.encoding, self.decimal, self.sheet)
