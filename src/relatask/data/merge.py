"""From a raw table to a standardised source: duplicates merged, every row and label accounted for."""

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
from tqdm import tqdm

from relatask.core.errors import RelataskError
from relatask.data.raw_table import RawTable
from relatask.data.replicates import Merged, merge_labels
from relatask.data.source_tables import SourceTables, source_tables, table_of_rows
from relatask.data.standardise import Limits, Rejection, standardise_all
from relatask.data.tested_molecules import without_tested

LEVEL = "molecule"
Replicates = Literal["median", "labels"]
MOST_SALTS = 20  # counter-ions and solvents that the counts name
WAY = ("lost", "neutralised")  # of a row, on its way to a molecule
log = logging.getLogger(__name__)


def standardise_source(
    table: RawTable, limits: Limits, name: str, replicates: Replicates = "median"
) -> SourceTables:
    """Standardise the molecules of `table` and merge rows that turn out to be the same molecule.

    The first row of a molecule gives its `source_id`; item_id numbers molecules by first appearance. What
    becomes of several labels of one cell is said in `data.replicates`. In the counts,
    labels.in = labels.out + of_rejected_rows + merged + conflicting + undecided.

    Args:
        table: the rows.
        limits: which molecules are kept, and in which form.
        name: of the source, for messages.
        replicates: whether thresholds are applied to the median of a cell's values, or to each value first.

    Raises:
        RelataskError: no molecule is left.
    """
    kept, rejected = without_tested(*_standardise_rows(table, limits, name), table)
    if kept.empty:
        reasons = Counter(str(reason) for reason in rejected.reason).most_common(3)
        raise RelataskError(
            f"source {name}: none of its {len(table.rows)} rows holds a usable molecule "
            f"({', '.join(f'{count} x {reason}' for reason, count in reasons)}); check the SMILES column."
        )
    codes, _ = pd.factorize(kept.smiles)  # in order of first appearance
    first = np.unique(codes, return_index=True)[1]
    positions = kept.position.to_numpy()[first]
    molecules = kept.iloc[first].drop(columns=["position", *WAY]).reset_index(drop=True)

    again = np.ones(len(kept), dtype=bool)
    again[first] = False
    own, original = kept.position.to_numpy()[again], positions[codes[again]]
    told, differing = _differing_columns(table, own, original)
    again_as = [f"duplicate of row {row}{text}" for row, text in zip(table.rows[original], told, strict=True)]
    duplicates = pd.DataFrame({"position": kept.position[again], "reason": again_as})
    mol_of_row = np.full(len(table.rows), -1, dtype=np.int64)
    mol_of_row[kept.position] = codes
    classes = [table.classes.get(task, ()) for task in table.tasks["name"]]
    merged = merge_labels(
        table.labels, mol_of_row, table.tasks, table.rows, classes, labels_first=replicates == "labels"
    )
    n_tasks = len(table.tasks)
    counts: dict[str, Any] = {
        "source": name,
        "rows": len(table.rows),
        "rejected": dict(sorted(Counter(rejected.category).items())),
        "duplicates_merged": len(duplicates),
        "items": len(molecules),
        "labels": merged.counts,
        "tasks": n_tasks,
        "tasks_without_labels": int((np.bincount(merged.labels.task, minlength=n_tasks) == 0).sum()),
        **_chemistry(kept, limits),
        **_replicates(merged, table.tasks["name"]),
    }
    if table.notes:
        counts["notes"] = table.notes
    if differing:
        counts["duplicates_that_differ"] = differing
    for column, values in {"source_id": table.source_ids, **table.columns}.items():
        molecules[column] = pd.Series([values[p] for p in positions], dtype=object)
    if table.embedding is not None:
        molecules["vector"] = _vectors(table, molecules["smiles"], positions)
        counts["embedding"] = dict(table.embedding.counts)
    molecules = molecules.astype({"n_heavy_atoms": np.int16, "mol_weight": np.float32})
    tables = source_tables(
        molecules,
        table.tasks,
        merged.labels.rename(columns={"item_id": "item"}),
        LEVEL,
        table.classes,
        counts,
        merged.lost,
    )
    tables.rejected = _rejected_table(table, pd.concat([rejected[["position", "reason"]], duplicates]))
    tables.rows = table_of_rows(table.source_ids, mol_of_row)
    return tables


def _lacks_embedding(table: RawTable, smiles: str, position: int) -> bool:
    """Whether the table has an embedding and none of it is of the molecule in the row at a position."""
    return table.embedding is not None and table.embedding.place(smiles, table.source_ids[position]) < 0


def _vectors(table: RawTable, smiles: pd.Series, positions: np.ndarray) -> pd.Series:
    """Return the vectors of molecules, whose first rows are at `positions` of the table."""
    assert table.embedding is not None
    ids = [table.source_ids[position] for position in positions]
    places = [table.embedding.place(text, own) for text, own in zip(smiles, ids, strict=True)]
    return pd.Series(list(table.embedding.vectors[places]), dtype=object)


def _differing_columns(
    table: RawTable, own: np.ndarray, original: np.ndarray
) -> tuple[list[str], dict[str, int]]:
    """Return what merged rows say in a column of the user's that their molecule does not keep.

    Args:
        table: as read.
        own: int64 [d], positions of merged rows.
        original: int64 [d], positions of the rows of which their molecules keep the columns.

    Returns:
        A text for each row, empty where nothing differs, and column -> number of rows that differ.
    """
    told, counts = [""] * len(own), {}
    for column, values in table.columns.items():
        found = np.array(values, object)
        differ = np.flatnonzero(found[own] != found[original])
        if len(differ):
            counts[column] = len(differ)
            log.warning(
                "%d rows are of a molecule whose first row has another %s, which counts; rejected.parquet "
                "lists "
                "them.", len(differ), column,
            )  # fmt: skip
        for place in differ:
            told[place] += f", whose {column} is {found[original[place]]!r} and not {found[own[place]]!r}"
    return told, counts


def _standardise_rows(table: RawTable, limits: Limits, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return (kept rows with their molecule, rejected rows with their reason), by position in the table."""
    kept: dict[str, list] = {
        key: [] for key in ("position", "smiles", "n_heavy_atoms", "mol_weight", "scaffold", *WAY)
    }
    rejected: dict[str, list] = {"position": [], "reason": [], "category": []}
    progress = tqdm(table.smiles, desc=f"standardise {name}", unit="mol", disable=None, leave=False)
    for position, result in standardise_all(progress, limits):
        if position in table.left_out:
            result = Rejection(table.left_out[position])
        elif not isinstance(result, Rejection) and _lacks_embedding(table, result.smiles, position):
            result = Rejection("no embedding")
        if isinstance(result, Rejection):
            row: tuple = (position, str(result), result.reason)
            target = rejected
        else:
            row = (position, *(getattr(result, key) for key in [*kept][1:]))
            target = kept
        for column, value in zip(target.values(), row, strict=True):
            column.append(value)
    return pd.DataFrame(kept), pd.DataFrame(rejected)


def _chemistry(kept: pd.DataFrame, limits: Limits) -> dict[str, Any]:
    """Return how molecules are standardised, which a trained model keeps, and how many rows that changed."""
    beside = Counter(name for names in kept["lost"] for name in names)
    return {
        "standardised": {"neutralise": limits.neutralise, "fragments": limits.fragments},
        "neutralised": int(kept["neutralised"].sum()),
        "salts": {
            "rows": int((kept["lost"].str.len() > 0).sum()),
            "of": dict(sorted(beside.items(), key=lambda one: (-one[1], one[0]))[:MOST_SALTS]),
        },
    }


def _replicates(merged: Merged, tasks: pd.Series) -> Mapping[str, Any]:
    """Return the spread of replicates by the names of tasks; nothing where no cell has two values."""
    spread, names = merged.spread, tasks.tolist()
    if spread.empty:
        return {}
    columns = [spread[name].tolist() for name in ("task", "cells", "measurements", "deviation")]
    return {
        "replicates": {
            names[task]: {"cells": cells, "measurements": measurements, "deviation": round(deviation, 6)}
            for task, cells, measurements, deviation in zip(*columns, strict=True)
        }
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
