"""What a table of a user's own holds: which column names the molecules, and which are tasks of what kind."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from relatask.core.errors import RelataskError
from relatask.core.kinds import Kind
from relatask.core.records import suggest
from relatask.sources.cells import MISSING, number_of, texts_of
from relatask.sources.table_files import TableFile, find_column, open_table

SMILES = ("smiles", "canonical_smiles", "structure", "smi", "mol", "molecule", "compound_structure")
SPLIT = ("split", "fold", "set", "subset", "splits")
IDS = re.compile(
    r"(.*[\s_.-])?(id|ids|name|names|inchi|inchikey|cas|compound|molecule|zinc|number)|chembl_?id|unnamed.*",
    re.I,
)
FOLDS = {"train", "training", "valid", "validation", "val", "test", "hidden"}
MOST_WORDS = 200  # different texts of a column that are kept
MOST_CLASSES = 20
MEASURED = re.compile(r"(<=|>=|[<>=≤≥~]?)\s*([^<>=≤≥~\s].*)")


@dataclass
class Column:
    """What the cells of a column are."""

    filled: int = 0
    numbers: int = 0
    words: Counter[str] = field(
        default_factory=Counter
    )  # different texts with their counts, of the first ones

    @property
    def kind(self) -> Kind | None:
        """What labels the cells can be; None where they name something."""
        values = {number_of(word) for word in self.words}
        if self.filled and self.numbers == self.filled:
            return "binary" if values <= {0.0, 1.0} else "real"
        if {word.lower() for word in self.words} <= FOLDS:
            return None
        few = 2 <= len(self.words) <= min(MOST_CLASSES, self.filled // 3)
        return "class" if few else None


@dataclass(frozen=True)
class OwnTable:
    """What `describe` found; `tasks` are in the order of the file."""

    path: Path
    n_rows: int
    smiles_column: str
    tasks: dict[str, Kind]
    n_labels: int  # cells of tasks that are filled
    id_column: str | None = None
    splits_column: str | None = None
    left_out: tuple[str, ...] = ()  # columns that are no tasks, and not named otherwise


def describe(
    path: Path,
    smiles: str | None = None,
    targets: Sequence[str] | None = None,
    ignored: Sequence[str] = (),
    splits: str | None = None,
    task_type: Kind | None = None,
) -> OwnTable:
    """Look at a table of molecules x tasks; memory grows with the columns alone.

    Args:
        path: of the file.
        smiles: name of the column of SMILES, found by its name otherwise.
        targets: columns of tasks; default: all that hold labels.
        ignored: columns to leave out.
        splits: the column of folds, if wanted.
        task_type: what the cells of all tasks are; default: as they look.

    Raises:
        RelataskError: there is no such column, no SMILES, or no task.
    """
    table = open_table(path)
    if smiles:
        smiles = find_column(table, smiles, "--smiles-columns")
    else:
        by_name = {name.strip().lower(): name for name in reversed(table.names)}
        smiles = next((by_name[name] for name in SMILES if name in by_name), None)
        if smiles is None:
            raise RelataskError(
                f"{path} has no column called smiles; name the one that holds them with --smiles-columns. "
                f"Columns: {', '.join(table.names[:20])}."
            )
    for option, names in (("--target-columns", targets or ()), ("--ignore-columns", ignored)):
        for name in names:
            if name not in table.names:
                raise RelataskError(f"{path} has no column {name!r} ({option}).{suggest(name, table.names)}")
    if splits:
        splits = find_column(table, splits, "--splits-column")
    columns, n_rows = _columns(table)
    taken = {smiles, splits, *ignored}
    tasks: dict[str, Kind] = {}
    for name in targets or [name for name in table.names if name not in taken]:
        kind = columns[name].kind
        named = IDS.fullmatch(name.strip()) or name.strip().lower() in SPLIT
        if targets or not (named or kind is None):
            tasks[name] = task_type or kind or "class"
    if not tasks:
        raise RelataskError(
            f"{path} has no column of labels beside {smiles!r}: numbers, or a few words; name the columns "
            "with --target-columns."
        )
    others = [name for name in table.names if name not in {*taken, *tasks}]
    id_column = next((name for name in others if IDS.fullmatch(name.strip())), None)
    return OwnTable(
        path=path,
        n_rows=n_rows,
        smiles_column=smiles,
        tasks=tasks,
        n_labels=sum(columns[name].filled for name in tasks),
        id_column=id_column,
        splits_column=splits,
        left_out=tuple(name for name in [*others, *ignored] if name != id_column),
    )


def _columns(table: TableFile) -> tuple[dict[str, Column], int]:
    """Return what each column holds, and the number of rows."""
    found = {name: Column() for name in table.names}
    n_rows = 0
    for batch in table.batches(table.names):
        n_rows += batch.num_rows
        for name, cells in zip(batch.schema.names, batch.columns, strict=True):
            texts, codes = texts_of(cells)
            counts = Counter(codes.tolist())
            column = found[name]
            for place, count in counts.items():
                text = texts[place]
                if text is None or text.lower() in MISSING:
                    continue
                column.filled += count
                column.numbers += count if _is_number(text) else 0
                if text in column.words or len(column.words) < MOST_WORDS:
                    column.words[text] += count
    return found, n_rows


def _is_number(text: str) -> bool:
    measured = MEASURED.fullmatch(text)
    number = number_of(measured[2]) if measured else None
    return number is not None and math.isfinite(number)
