"""Tables of measurements, one a row: their values in one unit, with their bounds, by task."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from relatask.core.errors import RelataskError
from relatask.data.raw_table import RawTable
from relatask.data.source_tables import SourceContext
from relatask.sources.active import rule_columns
from relatask.sources.cells import MISSING, number_of
from relatask.sources.joined_tables import joined
from relatask.sources.label_cells import MEASURED, LabelColumn
from relatask.sources.readers import MOLECULE_COLUMNS, find_smiles, kept_columns, with_sheet
from relatask.sources.table_files import TableFile, find_column, open_table
from relatask.sources.task_sheet import tasks_without_sheet
from relatask.sources.units import MOLAR, P_UNIT, plain_unit
from relatask.sources.wide_table import read_wide

if TYPE_CHECKING:
    from relatask.sources.measurements import MeasurementsSource


@dataclass(frozen=True)
class MeasurementFile(TableFile):
    """A file of measurements, whose value column holds bound and value in the unit of their task.

    Attributes:
        source: the file as it is.
        task: column of the tasks; likewise of values, relations and units.
        units: task -> unit of its values, None where it has none.
        molar_only: values in units that are no concentration do not count.
    """

    source: TableFile = None  # type: ignore[assignment]  # after fields with defaults
    smiles: str = ""
    id: str | None = None
    kept: tuple[str, ...] = ()
    task: str = ""
    value: str = ""
    relation: str | None = None
    unit: str | None = None
    units: Mapping[str, str | None] = field(default_factory=dict)
    molar_only: bool = False

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns."""
        own = [name for name in (self.task, self.value, self.relation, self.unit) if name]
        for batch in self.source.batches(list(dict.fromkeys([*columns, *own]))):
            cells = dict(zip(batch.schema.names, batch.columns, strict=True))
            arrays = [self._values(cells) if name == self.value else cells[name] for name in columns]
            yield pa.RecordBatch.from_arrays(arrays, names=columns)

    def place(self, position: int) -> str:
        """Return what messages call a row."""
        return self.source.place(position)

    def _values(self, cells: Mapping[str, pa.Array]) -> pa.Array:
        """Return the values of a batch as texts such as >7.5."""
        values = plain_texts(cells[self.value])
        if self.unit:
            tasks, units = (plain_texts(cells[name]).to_pylist() for name in (self.task, self.unit))
            pairs = list(zip(tasks, units, strict=True))
            if self.molar_only:
                molar = [plain_unit(unit) in MOLAR for unit in units]
                values = pc.if_else(pa.array(molar, pa.bool_()), values, "")
            powers = {pair: self._power(*pair) for pair in set(pairs)}
            if any(powers.values()):
                own = zip(values.to_pylist(), pairs, strict=True)
                values = pa.array([_scaled(text, powers[pair]) for text, pair in own], pa.string())
        if not self.relation:
            return values
        signs = plain_texts(cells[self.relation]).dictionary_encode()
        said = [_sign(text) for text in signs.dictionary.to_pylist()]
        sign = pa.DictionaryArray.from_arrays(signs.indices, pa.array(said, pa.string())).dictionary_decode()
        missing = pc.is_in(pc.utf8_lower(values), pa.array(sorted(MISSING)))
        return pc.if_else(missing, values, pc.binary_join_element_wise(sign, values, ""))

    def _power(self, task: str, unit: str) -> int:
        """Return the power of ten by which a value becomes one in the unit of its task."""
        target = self.units.get(task)
        own = plain_unit(unit)
        return MOLAR[own] - MOLAR[target] if own in MOLAR and target in MOLAR else 0


def plain_texts(column: pa.Array) -> pa.Array:
    """Return a column as texts without spaces around them, empty where there is nothing."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return pc.utf8_trim_whitespace(pc.fill_null(pc.cast(column, pa.string()), ""))


def _sign(relation: str) -> str:
    """Return the sign that stands before a value; ChEMBL writes relations in quotation marks."""
    text = relation.strip("'\" ")
    return "" if text in {"=", "=="} else text


def _scaled(text: str, power: int) -> str:
    """Return a number times a power of ten, as text; what is no number stays as it is."""
    found = MEASURED.fullmatch(text)
    number = number_of(found[2]) if power and found else None
    if found is None or number is None or not math.isfinite(number):
        return text
    return found[1] + str(Decimal(found[2]).scaleb(power))


def read_measurements(config: "MeasurementsSource", context: SourceContext) -> RawTable:
    """Read files of measurements; a row of the table is one of a file.

    Raises:
        RelataskError: a file or column is missing, or a value is not what it must be; names file and row.
    """
    paths = config.paths(context)
    reading = config.reading(paths)
    files = [_opened(open_table(path, reading), config, context) for path in paths]
    units = _units_of(files, config.p_values)
    if config.p_values and not {*units.values()} & {*MOLAR}:
        raise RelataskError(
            f"{paths[0]}: no row has a unit of concentration ({', '.join(MOLAR)}) in the column "
            f"{files[0].unit!r}; remove p_values."
        )
    parts = [_read_file(replace(file, units=units), config) for file in files]
    return with_sheet(joined(parts, paths), config, context, files[0].path)


def _opened(table: TableFile, config: "MeasurementsSource", context: SourceContext) -> MeasurementFile:
    """Find the columns of a file."""
    found: dict[str, str | None] = {
        key: None if name is None else find_column(table, name, key)
        for key in ("id_column", "task_column", "value_column", "relation_column", "unit_column")
        for name in [getattr(config, key)]
    }
    own = [name for name in found.values() if name]
    if again := [name for name in own if own.count(name) > 1]:
        raise RelataskError(
            f"{table.path}: the column {again[0]!r} is named by two keys of the source; correct one."
        )
    value = str(found["value_column"])
    return MeasurementFile(
        table.path,
        table.names,
        source=replace(table, numbers=frozenset([value])),
        smiles=find_smiles(table, config.smiles_column),
        id=found["id_column"],
        kept=tuple(kept_columns(table, [*config.item_columns, *context.columns], MOLECULE_COLUMNS)),
        task=str(found["task_column"]),
        value=value,
        relation=found["relation_column"],
        unit=found["unit_column"],
        molar_only=config.p_values,
    )


def _units_of(files: Sequence[MeasurementFile], molar_first: bool) -> dict[str, str | None]:
    """Return task -> the unit that most of its rows have; of concentrations, that of most of all.

    With `molar_first` a task that has any concentration has their unit.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for file in files:
        if file.unit is None:
            continue
        for batch in file.source.batches([file.task, file.unit]):
            columns = {name: plain_texts(batch.column(name)) for name in (file.task, file.unit)}
            rows = pa.table(columns).group_by([file.task, file.unit]).aggregate([([], "count_all")])
            for task, unit, count in zip(
                *(rows[name].to_pylist() for name in (*columns, "count_all")), strict=True
            ):
                counts[task, plain_unit(unit)] += count
    molar: Counter[str] = Counter()
    of_task: dict[str, Counter[str]] = {}
    for (task, unit), count in counts.items():
        concentration = unit in MOLAR
        molar.update({unit: count} if concentration else {})
        of_task.setdefault(task, Counter())["M" if concentration else unit] += count
    common = molar.most_common(1)[0][0] if molar else "M"
    found = {}
    for task, own in of_task.items():
        unit = "M" if molar_first and "M" in own else own.most_common(1)[0][0]
        found[task] = (common if unit == "M" else unit) or None
    return found


def _read_file(file: MeasurementFile, config: "MeasurementsSource") -> RawTable:
    """Read the rows of a file."""
    texts = [file.smiles, file.task, *([file.id] if file.id else []), *([file.unit] if file.unit else [])]
    names = [file.task, *([file.id] if file.id else []), *([file.unit] if file.unit else [])]
    molar = next((unit for unit in file.units.values() if unit in MOLAR), None) if config.p_values else None
    cells = LabelColumn(file.value, config.kind, config.active, molar)
    wide = read_wide(file, [*dict.fromkeys([*texts, *file.kept])], [cells], names)
    if not wide.n_rows:
        raise RelataskError(f"{file.path} has a header but no rows; it must hold one row per measurement.")
    task_of_row = wide.texts[file.task]
    tasks = list(dict.fromkeys(task for task in task_of_row if task is not None))
    if not tasks:
        raise RelataskError(
            f"{file.path}: no row names a task in the column {file.task!r}; name another column."
        )
    left_out = {row: "no task" for row, task in enumerate(task_of_row) if task is None}
    if file.unit:
        left_out |= _of_other_units(file, wide.texts[file.unit], task_of_row)
    place = {task: number for number, task in enumerate(tasks)}
    codes = np.array([-1 if task is None else place[task] for task in task_of_row], np.int32)
    codes[list(left_out)] = -1
    labels = wide.labels.assign(task=codes[wide.labels["row_position"]])
    n_values = len(labels)
    labels = labels[labels["task"] >= 0].reset_index(drop=True)
    classes: dict[str, list[str]] = {}
    if config.kind == "class":
        for number, task in enumerate(tasks):  # each has those that some row of it has
            of_task = (labels["task"] == number).to_numpy()
            own, position = np.unique(labels["value"].to_numpy()[of_task], return_inverse=True)
            labels.loc[of_task, "value"] = position.astype(np.float64)
            classes[task] = [wide.classes[0][int(code)] for code in own]
    return RawTable(
        smiles=wide.texts[file.smiles],
        source_ids=wide.texts[file.id] if file.id else [None] * wide.n_rows,
        rows=np.arange(1, wide.n_rows + 1, dtype=np.int64),
        labels=labels,
        tasks=tasks_without_sheet(tasks).assign(
            kind=config.kind,
            unit=pd.Series([P_UNIT if molar else file.units.get(task) for task in tasks], dtype=object),
            transform=pd.Series([f"{P_UNIT} of {molar}" if molar else None] * len(tasks), dtype=object),
            **rule_columns([config.active] * len(tasks)),
        ),
        classes=classes,
        columns={name: wide.texts[name] for name in file.kept},
        left_out=left_out,
        notes={**wide.notes, "rows_without_value": wide.n_rows - n_values},
    )


def _of_other_units(
    file: MeasurementFile, units: Sequence[str | None], tasks: Sequence[str | None]
) -> dict[int, str]:
    """Return rows whose value cannot be converted to the unit of their task, with the reason."""
    reasons: dict[tuple[str | None, str | None], str] = {}
    for task, unit in set(zip(tasks, units, strict=True)):
        target = file.units.get(task or "")
        if task is None:
            continue
        own, said = plain_unit(unit or ""), f"the unit {unit}" if unit else "no unit"
        if file.molar_only and own not in MOLAR:
            reasons[task, unit] = f"{said}, which is no concentration"
        elif own != (target or "") and not (own in MOLAR and target in MOLAR):
            reasons[task, unit] = f"{said}, where its task has {target}"
    return (
        {row: reasons[pair] for row, pair in enumerate(zip(tasks, units, strict=True)) if pair in reasons}
        if reasons
        else {}
    )
