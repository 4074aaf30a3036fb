"""What every block of `sources` shares, and the blocks that the files of relatask.sources declare.

A source is a file or folder of relatask.sources with a literal ``SOURCE = {...}`` (see `core.plugins`),
a subclass of `SourceBlock` with the keys that a study may write, and a function ``prepare(block, context)``
that returns its tables (`relatask.data.source_tables`). The blocks are imported while Snakemake parses, so
such a file imports numpy, pandas and RDKit inside functions only.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache, reduce
from operator import or_
from typing import Annotated, Any, ClassVar

from pydantic import Field, TypeAdapter, model_validator

from relatask.core.blocks import Block, parse_as
from relatask.core.errors import RelataskError
from relatask.core.kinds import Kind
from relatask.core.layout import raw_file, raw_folder
from relatask.core.plugins import SourceRecord, load_file, record_of, source_records

TASK_SHEET = "tasks.csv"  # beside raw files: proteins of the tasks, for relations and sequences
# keys that name files or folders of the user's own
FILE_KEYS = ("path", "test_path", "task_sheet", "split_path")
# reasons of `not_here` that several sources have; the error names the reader
LABELS_ONLY = "the reader {reader} has labels and no measured values"
NO_OWN_FILES = "the reader {reader} reads no file of yours; use the reader table"


class SourceBlock(Block):
    """Where items, tasks and labels come from, and how they are read."""

    # keys of other readers that have a reason of their own not to be here -> it; {reader} is filled in
    not_here: ClassVar[Mapping[str, str]] = {}

    reader: str = Field(description="which source it is, a file of relatask.sources")

    @model_validator(mode="before")
    @classmethod
    def _own_keys(cls, values: Any) -> Any:
        """Refuse a key that only other readers read, by their names; all other keys are left to pydantic."""
        for key in values if isinstance(values, Mapping) else ():
            if key in cls.model_fields:
                continue
            if key in cls.not_here:
                raise ValueError(f"{key}: {cls.not_here[key].format(reader=values.get('reader'))}")
            readers = [name for name, block in source_blocks().items() if key in block.model_fields]
            if readers:
                raise ValueError(
                    f"{key}: only the reader {' or '.join(readers)} reads it, not {values.get('reader')}"
                )
        return values

    @property
    def record(self) -> SourceRecord:
        """What the source's file says of it."""
        return record_of(source_records(), self.reader, "reader")

    @property
    def schemes(self) -> tuple[str, ...]:
        """The only schemes of splits it goes with; empty: all for its levels."""
        return self.record.schemes

    @property
    def inputs(self) -> tuple[str, ...]:
        """Files of relatask.inputs that are made of its items whatever the rows of a study read."""
        return self.record.inputs

    def task_kinds(self) -> tuple[Kind, ...]:
        """Kinds of the tasks that the block asks for."""
        return self.record.kinds

    def own_files(self) -> dict[str, str]:
        """Key -> file or folder of the user's own that must be there; of a list, key and place -> file."""
        found: dict[str, str] = {}
        for key in FILE_KEYS:
            value = getattr(self, key, None)
            if isinstance(value, list):
                found |= {f"{key}.{number}": file for number, file in enumerate(value)}
            elif value is not None:
                found[key] = value
        return found

    def item_files(self) -> list[str]:
        """Files and folders of the user's own that inputs read besides the table of items, e.g. images."""
        return []

    def needs_sheet(self) -> bool:
        """Whether its files are those of a data set of config/datasets.tsv."""
        return self.record.raw == "sheet" and getattr(self, "path", None) is None

    def raw_folder(self, name: str, study: str) -> str:
        """Return the folder of its raw files, relative to the folder of results."""
        return raw_folder(name)

    def raw_files(self, name: str, study: str, listed: Sequence[str], related: bool) -> list[str]:
        """Return the files that the source is read from.

        Args:
            name: key of the source.
            study: name of its study.
            listed: files that config/datasets.tsv lists under this name.
            related: whether a data set of the source reads the proteins of its tasks, for relations or
                sequences; without, the sheet that tells of them is not asked for.
        """
        own = list(self.own_files().values())
        if getattr(self, "path", None) is not None:
            return own
        read = [file for file in listed if related or file != TASK_SHEET]
        return [*(f"results/{raw_file('file', source=name, file=file)}" for file in read), *own]


@lru_cache
def source_blocks() -> dict[str, type[SourceBlock]]:
    """Return reader -> the block of each source.

    Raises:
        RelataskError: a file declares no block, or one of another reader.
    """
    found = {}
    for name, record in source_records().items():
        module = load_file(record)
        blocks = [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, SourceBlock)
            and value.__module__ == module.__name__
        ]
        fields: list[Any] = [block.model_fields["reader"].annotation for block in blocks]
        if len(blocks) != 1 or getattr(fields[0], "__args__", None) != (name,):
            raise RelataskError(
                f"{record.file} must declare one subclass of SourceBlock, with reader: Literal[{name!r}]."
            )
        found[name] = blocks[0]
    return found


@lru_cache
def any_source() -> Any:
    """Return the type of a block of any source, told apart by `reader`."""
    blocks = list(source_blocks().values())
    if len(blocks) == 1:
        return blocks[0]
    union: Any = reduce(or_, blocks)
    annotated: Any = Annotated  # mypy takes what follows for a type otherwise
    return annotated[union, Field(discriminator="reader")]


def source_block(values: Mapping[str, Any], where: str) -> SourceBlock:
    """Return the block that `values` write, of the source that their `reader` names.

    Raises:
        RelataskError: there is no such reader, or a key is wrong; names `where` and the key.
    """
    found: SourceBlock = parse_as(TypeAdapter(any_source()), values, where)
    return found
