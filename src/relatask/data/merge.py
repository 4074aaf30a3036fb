"""From a raw table to a standardised source: duplicates merged, every row and label accounted for."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from relatask.core.errors import RelataskError
from relatask.core.kinds import BOUND_SIGN
from relatask.data.raw_table import RawTable
from relatask.data.source_tables import SourceTables, source_tables
from relatask.data.standardise import Limits, Rejection, standardise_all

LEVEL = "molecule"


def standardise_source(table: RawTable, limits: Limits, name: str) -> SourceTables:
    """Standardise the molecules of `table` and merge rows that turn out to be the same molecule.

    The first row of a molecule gives its `source_id`; item_id numbers molecules by first appearance.
    Equal labels of merged rows stay, conflicting ones become missing and are counted.
    In the counts, labels.in = labels.out + of_rejected_rows + equal_merged + conflicting.

    Raises:
        RelataskError: no molecule is left.
    """
    kept, rejected = _standardise_rows(table, limits, name)
    if kept.empty:
        reasons = Counter(str(reason) for reason in rejected.reason).most_common(3)
        raise RelataskError(
            f"source {name}: none of its {len(table.rows)} rows holds a usable molecule "
            f"({', '.join(f'{count} x {reason}' for reason, count in reasons)}); check the SMILES column."
        )
    codes, _ = pd.factorize(kept.smiles)  # in order of first appearance
    first = np.unique(codes, return_index=True)[1]
    positions = kept.position.to_numpy()[first]
    molecules = kept.iloc[first].drop(columns="position").reset_index(drop=True)

    again = np.ones(len(kept), dtype=bool)
    again[first] = False
    original = table.rows[positions[codes[again]]]
    duplicates = pd.DataFrame(
        {
            "position": kept.position[again],
            "reason": [f"duplicate of row {row}" for row in original],
        }
    )
    mol_of_row = np.full(len(table.rows), -1, dtype=np.int64)
    mol_of_row[kept.position] = codes
    kinds = table.tasks["kind"].tolist() if "kind" in table.tasks else ["binary"] * len(table.tasks)
    labels, label_counts = merge_labels(table.labels, mol_of_row, len(kinds), kinds)
    counts: dict[str, Any] = {
        "source": name,
        "rows": len(table.rows),
        "rejected": dict(sorted(Counter(rejected.category).items())),
        "duplicates_merged": len(duplicates),
        "items": len(molecules),
        "labels": label_counts,
        "tasks": len(kinds),
        "tasks_without_labels": int((np.bincount(labels.task, minlength=len(kinds)) == 0).sum()),
    }
    if table.notes:
        counts["notes"] = table.notes
    own = {"source_id": table.source_ids, **table.columns}
    for column, values in own.items():
        molecules[column] = pd.Series([values[p] for p in positions], dtype=object)
    molecules = molecules.astype({"n_heavy_atoms": np.int16, "mol_weight": np.float32})
    tables = source_tables(
        molecules,
        table.tasks,
        labels.rename(columns={"item_id": "item"}),
        LEVEL,
        table.classes,
        counts,
    )
    tables.rejected = _rejected_table(table, pd.concat([rejected[["position", "reason"]], duplicates]))
    return tables


def _standardise_rows(table: RawTable, limits: Limits, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return (kept rows with their molecule, rejected rows with their reason), by position in the table."""
    kept: dict[str, list] = {
        key: [] for key in ("position", "smiles", "n_heavy_atoms", "mol_weight", "scaffold")
    }
    rejected: dict[str, list] = {"position": [], "reason": [], "category": []}
    progress = tqdm(table.smiles, desc=f"standardise {name}", unit="mol", disable=None, leave=False)
    for position, result in standardise_all(progress, limits):
        if position in table.left_out:
            result = Rejection(table.left_out[position])
        if isinstance(result, Rejection):
            row: tuple = (position, str(result), result.reason)
            target = rejected
        else:
            row = (position, result.smiles, result.n_heavy_atoms, result.mol_weight, result.scaffold)
            target = kept
        for column, value in zip(target.values(), row, strict=True):
            column.append(value)
    return pd.DataFrame(kept), pd.DataFrame(rejected)


def merge_labels(
    labels: pd.DataFrame, mol_of_row: np.ndarray, n_tasks: int, kinds: Sequence[str] | None = None
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Merge the labels of rows that are one molecule.

    Equal labels become one, and so do measured values of equal bound: their mean. Labels that differ, and
    values of different bounds, are missing.

    Args:
        labels: row_position, task, value, and bound where not all are "="; in any order.
        mol_of_row: int64 [n_rows]; molecule of each row, -1 for a rejected row.
        n_tasks: number of tasks.
        kinds: of the tasks; default: all binary.

    Returns:
        The merged labels (item_id, task, value, bound) sorted by molecule and task, and the counts.
    """
    cells, values, sign = _sorted_labels(labels, mol_of_row, n_tasks)
    kind = np.array(kinds or ["binary"] * n_tasks)
    task = (cells % n_tasks).astype(np.int32)
    if not np.isin(values[(kind == "binary")[task]], (0.0, 1.0)).all():
        raise ValueError("a reader gave a label that is neither 0 nor 1")
    is_real = (kind == "real")[task]
    first = np.diff(cells, prepend=-1) != 0  # of the labels of a cell
    starts = np.flatnonzero(first)
    total = np.diff(starts, append=len(cells))
    compared = np.where(is_real, sign, values)  # what labels of one cell must have in common
    conflicts = np.flatnonzero(~first[1:] & (compared[1:] != compared[:-1])) + 1
    agree = np.ones(len(starts), bool)
    agree[np.searchsorted(starts, conflicts, side="right") - 1] = False
    value = values[starts]
    if is_real.any():
        sums = np.bincount(np.repeat(np.arange(len(starts)), total), weights=values)
        value = np.where(is_real[starts], sums / total, value)
    kept = starts[agree]
    merged = pd.DataFrame(
        {
            "item_id": cells[kept] // n_tasks,
            "task": task[kept],
            "value": value[agree].astype(np.float32),
            "bound": pd.Categorical.from_codes(sign[kept] + 1, pd.Index(["<", "=", ">"])),
        }
    )
    return merged, {
        "in": len(labels),
        "of_rejected_rows": len(labels) - len(cells),
        "equal_merged": int(total[agree].sum() - agree.sum()),
        "conflicting": int(total[~agree].sum()),
        "conflicting_cells": int((~agree).sum()),
        "out": len(merged),
    }


def _sorted_labels(
    labels: pd.DataFrame, mol_of_row: np.ndarray, n_tasks: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return molecule * n_tasks + task (int64), value and sign of the bound of each label, by the first.

    Labels of rejected rows are left out.
    """
    cells = mol_of_row[labels.row_position.to_numpy()] * n_tasks + labels.task.to_numpy()
    order = np.argsort(cells, kind="stable")
    order = order[np.searchsorted(cells, 0, sorter=order) :]  # a rejected row is molecule -1
    bounds = labels["bound"].map(BOUND_SIGN).to_numpy(np.int8) if "bound" in labels else None
    sign = np.zeros(len(order), np.int8) if bounds is None else bounds[order]
    return cells[order], labels.value.to_numpy()[order], sign


def _rejected_table(table: RawTable, left_out: pd.DataFrame) -> pd.DataFrame:
    left_out = left_out.sort_values("position", kind="stable").reset_index(drop=True)
    positions = left_out.position.to_numpy(dtype=np.int64)
    return pd.DataFrame(
        {
            "row": table.rows[positions],
            "source_id": pd.Series([table.source_ids[p] for p in positions], dtype=object),
            "smiles": pd.Series([table.smiles[p] for p in positions], dtype=object),
            "reason": left_out.reason,
        }
    )
