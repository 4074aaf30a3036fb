"""From a raw table to a standardised source: duplicates merged, every row and label accounted for."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from relatask.core.errors import RelataskError
from relatask.core.tables import COLUMNS
from relatask.data.raw_table import RawTable
from relatask.data.standardise import Limits, Rejection, standardise_all
from relatask.data.task_ids import task_ids
from relatask.data.tasks import completed_tasks, with_counts

LEVEL = "molecule"


@dataclass
class SourceTables:
    """The tables of one source, ready to be written, and what was counted on the way."""

    items: pd.DataFrame
    rejected: pd.DataFrame
    tasks: pd.DataFrame
    labels: pd.DataFrame
    classes: pd.DataFrame
    counts: dict[str, Any]


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
    molecules = kept.iloc[first].reset_index(drop=True)
    molecules.insert(0, "item_id", np.arange(len(first), dtype=np.int32))

    again = np.ones(len(kept), dtype=bool)
    again[first] = False
    original = table.rows[kept.position.to_numpy()[first][codes[again]]]
    duplicates = pd.DataFrame(
        {
            "position": kept.position[again],
            "reason": [f"duplicate of row {row}" for row in original],
        }
    )
    mol_of_row = np.full(len(table.rows), -1, dtype=np.int64)
    mol_of_row[kept.position] = codes
    names = task_ids(table.tasks["name"])
    labels, label_counts = merge_labels(table.labels, mol_of_row, len(names))
    counts: dict[str, Any] = {
        "source": name,
        "rows": len(table.rows),
        "rejected": dict(sorted(Counter(rejected.category).items())),
        "duplicates_merged": len(duplicates),
        "molecules": len(molecules),
        "labels": label_counts,
        "tasks": len(names),
    }
    tasks = completed_tasks(table.tasks.assign(task_id=names), LEVEL)
    tasks = with_counts(tasks, labels.task.to_numpy(), labels.value.to_numpy())
    counts["tasks_without_labels"] = int((tasks.n_labels == 0).sum())
    if table.notes:
        counts["notes"] = table.notes
    molecules["source_id"] = pd.Series([table.source_ids[p] for p in molecules.position], dtype=object)
    molecules = molecules.astype({"n_heavy_atoms": np.int16, "mol_weight": np.float32})
    molecules["level"] = LEVEL
    molecules["parent"] = pd.Series(pd.NA, molecules.index, dtype="Int32")
    return SourceTables(
        items=molecules.drop(columns="position"),
        rejected=_rejected_table(table, pd.concat([rejected[["position", "reason"]], duplicates])),
        tasks=tasks,
        labels=pd.DataFrame(
            {
                "item_id": labels.item_id.astype(np.int32),
                "task_id": pd.Categorical.from_codes(labels.task.to_numpy(), categories=pd.Index(names)),
                "value": labels.value.astype(np.float32),
                "bound": pd.Categorical(["="] * len(labels)),
            }
        ),
        classes=pd.DataFrame({column: [] for column in COLUMNS["classes"]}),
        counts=counts,
    )


def _standardise_rows(table: RawTable, limits: Limits, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return (kept rows with their molecule, rejected rows with their reason), by position in the table."""
    kept: dict[str, list] = {
        key: [] for key in ("position", "smiles", "n_heavy_atoms", "mol_weight", "scaffold")
    }
    rejected: dict[str, list] = {"position": [], "reason": [], "category": []}
    progress = tqdm(table.smiles, desc=f"standardise {name}", unit="mol", disable=None, leave=False)
    for position, result in standardise_all(progress, limits):
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
    labels: pd.DataFrame, mol_of_row: np.ndarray, n_tasks: int
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Merge the labels of rows that are one molecule.

    Args:
        labels: row_position, task, value (0 or 1), in any order.
        mol_of_row: int64 [n_rows]; molecule of each row, -1 for a rejected row.
        n_tasks: number of tasks.

    Returns:
        The merged labels (item_id, task, value) sorted by molecule and task, and the counts.
    """
    mol = mol_of_row[labels.row_position.to_numpy()]
    valid = mol >= 0
    values = labels.value.to_numpy()[valid]
    if not np.isin(values, (0.0, 1.0)).all():
        raise ValueError("a reader gave a label that is neither 0 nor 1")
    cells, cell_of = np.unique(mol[valid] * n_tasks + labels.task.to_numpy()[valid], return_inverse=True)
    total = np.bincount(cell_of, minlength=len(cells))
    positive = np.bincount(cell_of, weights=values, minlength=len(cells))
    agree = (positive == 0) | (positive == total)
    merged = pd.DataFrame(
        {
            "item_id": cells[agree] // n_tasks,
            "task": (cells[agree] % n_tasks).astype(np.int32),
            "value": (positive[agree] > 0).astype(np.float32),
        }
    )
    return merged, {
        "in": len(labels),
        "of_rejected_rows": int((~valid).sum()),
        "equal_merged": int(total[agree].sum() - agree.sum()),
        "conflicting": int(total[~agree].sum()),
        "conflicting_cells": int((~agree).sum()),
        "out": len(merged),
    }


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
