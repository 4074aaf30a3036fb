"""Structure-data files (SDF): molecules as lists of atoms and bonds, each with properties.

Each record is a row: `smiles` is the canonical SMILES that RDKit writes of the structure, empty where it
cannot read it, `name` the title where some record has one, and each property of some record a column.
"""

import logging
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import TextIOWrapper
from itertools import islice
from pathlib import Path

import pyarrow as pa

from relatask.core.errors import RelataskError
from relatask.sources.containers.delimited import opened, surveyed
from relatask.sources.containers.text_encoding import UTF8
from relatask.sources.table_files import Reading, TableFile

CONTAINER = {
    "summary": "SDF: structures with properties",
    "suffixes": (".sdf", ".sdf.gz", ".sd", ".sd.gz"),
    "keys": ("encoding",),
}
log = logging.getLogger(__name__)
_ROWS = 1 << 10
_LONGEST = 16 << 20  # characters of a record
_LARGE = 100_000  # characters of a structure, from which its atoms are counted first
_MOST_ATOMS = 1000  # of a structure; RDKit takes minutes beyond
_PROPERTY = re.compile(r">.*?<([^>]*)>")
_BROKEN = (OSError, EOFError, UnicodeError, zlib.error)


@dataclass
class _Record:
    """Lines of a structure and its properties."""

    structure: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Its first line."""
        return self.structure[0].strip() if self.structure else ""


@dataclass(frozen=True)
class StructureTable(TableFile):
    """An SDF.

    Attributes:
        encoding: of its characters.
        property_of: column -> property, of the columns that are properties.
    """

    encoding: str = UTF8
    property_of: dict[str, str] = field(default_factory=dict)

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns, whose cells are strings."""
        from rdkit import rdBase

        records = self._records()
        while chunk := list(islice(records, _ROWS)):
            with rdBase.BlockLogs():
                cells = {name: [self._cell(record, name) for record in chunk] for name in columns}
            yield pa.RecordBatch.from_pydict({name: pa.array(cells[name], pa.string()) for name in columns})

    def _cell(self, record: _Record, column: str) -> str:
        if column in self.property_of:
            return record.properties.get(self.property_of[column], "")
        return smiles_of(record.structure) if column == "smiles" else record.title

    def count(self, column: str) -> int:
        """Return the number of records; that of structures takes no parsing."""
        return sum(1 for _ in self._records())

    def place(self, position: int) -> str:
        """Return the number of a record."""
        return f"record {position + 1}"

    def _records(self) -> Iterator[_Record]:
        try:
            with opened(self.path) as handle, TextIOWrapper(handle, encoding=self.encoding) as text:
                yield from _records_of(text, self.path)
        except _BROKEN as error:
            raise RelataskError(
                f"{self.path} cannot be read, it may be cut off or damaged ({error}); fetch it again."
            ) from None


def open_file(path: Path, reading: Reading) -> StructureTable:
    """Find out the encoding, and the properties of all records."""
    table = StructureTable(path, [], encoding=surveyed(path, reading).encoding)
    titles, found, n_records = False, {}, 0
    for record in table._records():
        titles = titles or bool(record.title)
        found.update(dict.fromkeys(record.properties))
        n_records += 1
    if not n_records:
        raise RelataskError(f"{path} is empty; it must hold a record for each molecule.")
    own = ["smiles", *(["name"] if titles else [])]
    property_of = {f"{name} (property)" if name in own else name: name for name in found}
    return StructureTable(path, [*own, *property_of], encoding=table.encoding, property_of=property_of)


def _records_of(text: TextIOWrapper, path: Path) -> Iterator[_Record]:
    """Yield the records of a file; the last one may lack its end."""
    record, size, name, inside = _Record(), 0, None, True
    for raw in text:
        line = raw.rstrip("\r\n")
        if line.startswith("$$$$"):
            yield record
            record, size, name, inside = _Record(), 0, None, True
            continue
        size += len(line) + 1
        if size > _LONGEST:
            raise RelataskError(f"{path} has a record of more than {_LONGEST >> 20} MiB; it is no SDF.")
        if inside and not line.startswith(">"):
            record.structure.append(line)
            inside = not line.startswith("M  END")
        elif (found := _PROPERTY.match(line)) and name is None:
            name, inside = found[1].strip(), False
            record.properties[name] = ""
        elif not line.strip():
            name = None
        elif name is not None:
            before = record.properties[name]
            record.properties[name] = f"{before}\n{line}" if before else line
    if any(line.strip() for line in record.structure) or record.properties:
        yield record


def smiles_of(structure: list[str]) -> str:
    """Return the canonical SMILES of the lines of a structure, empty where RDKit cannot read them."""
    from rdkit import Chem

    block = "\n".join([*structure, ""])
    try:
        if len(block) > _LARGE:
            counted = Chem.MolFromMolBlock(block, sanitize=False)
            if counted is None or counted.GetNumAtoms() > _MOST_ATOMS:
                return ""
        molecule = Chem.MolFromMolBlock(block)
        return "" if molecule is None else Chem.MolToSmiles(molecule)
    except (ValueError, RuntimeError):  # RDKit's own invariants
        return ""
