"""Reader of activities that ChEMBL was asked for: measurements on targets become labelled molecules."""

import logging
import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.core.files import read_json
from relatask.data.raw_table import RawTable
from relatask.sources.active import ActiveRule, rule_columns

if TYPE_CHECKING:
    from relatask.sources.chembl.chembl_activities import ChemblActivitiesSource

FILE = "activities.json"
_SHAPE = {"targets": list, "unknown_targets": list, "activities": list}
log = logging.getLogger(__name__)


def read_activities(config: "ChemblActivitiesSource", raw: Path) -> RawTable:
    """Read activities.json: the pChEMBL values of molecules on targets, and `active` as their threshold.

    One row per molecule that has a pChEMBL value on a target, in order of ChEMBL's activity_id; `rows`
    numbers its first activity in the file. Records without a value, and molecules without a SMILES, are
    counted; the latter keep their row, so that standardisation rejects it with its reason.

    Args:
        config: `active` decides the labels; `targets` chooses tasks, all of the file where it is empty.
        raw: folder of activities.json.

    Raises:
        RelataskError: the file has another shape, `active` is absent, or nothing has a value.
    """
    path = raw / FILE
    if config.active is None:
        raise RelataskError(
            "reader chembl_activities needs `active`, such as {at_least: 6.5}: the pChEMBL from which on a "
            "molecule is active."
        )
    content = _load(path)
    tasks = _tasks(config.targets, content, path)
    task_of = {target_id: position for position, target_id in enumerate(tasks.source_id)}
    records, notes = _usable(content["activities"], task_of, path)
    if records.empty:
        raise RelataskError(f"{path}: no activity has a pChEMBL value ({notes}); choose other targets.")
    notes["unknown_targets"] = len(content["unknown_targets"])
    counts = _counts(records, config.active)
    molecules = records.drop_duplicates("molecule")  # codes count from 0 in order of first appearance
    log.info("%s: %s", path, ", ".join(f"{key} {value}" for key, value in (notes | counts).items()))
    return RawTable(
        smiles=molecules.smiles.tolist(),
        source_ids=molecules.source_id.tolist(),
        rows=molecules.row.to_numpy(dtype=np.int64),
        labels=pd.DataFrame(
            {
                "row_position": records.molecule.astype(np.int64),
                "task": records.task.astype(np.int32),
                "value": records.pchembl.astype(np.float64),
            }
        ),
        tasks=tasks.assign(**rule_columns([config.active] * len(tasks))),
        notes=notes | counts,
    )


def _load(path: Path) -> dict[str, list]:
    content = read_json(path)
    if not isinstance(content, dict) or not all(
        isinstance(content.get(key), kind) for key, kind in _SHAPE.items()
    ):
        raise RelataskError(f"{path} must hold {', '.join(_SHAPE)}, as the step query_activities writes it.")
    return content


def _tasks(wanted: list[str], content: dict[str, list], path: Path) -> pd.DataFrame:
    """Return the tasks table: the targets of the file, or those of them that the config names."""
    known = {target["target_id"]: target for target in content["targets"]}
    if missing := [name for name in wanted if name not in known and name not in content["unknown_targets"]]:
        raise RelataskError(f"{path} holds nothing of the target {missing[0]}; run query_activities again.")
    if content["unknown_targets"]:
        log.warning("targets that ChEMBL does not know: %s", ", ".join(content["unknown_targets"]))
    chosen = [known[name] for name in (dict.fromkeys(wanted) or known) if name in known]
    return pd.DataFrame(
        {
            "name": pd.Series([target["name"] for target in chosen], dtype=object),
            "source_id": pd.Series([target["target_id"] for target in chosen], dtype=object),
            "uniprots": pd.Series([target["uniprots"] for target in chosen], dtype=object),
            "string_ids": pd.Series([[] for _ in chosen], dtype=object),
        }
    )


def _usable(
    activities: list[dict], task_of: dict[str, int], path: Path
) -> tuple[pd.DataFrame, dict[str, int | str]]:
    """Return the records that have a value, and how many were left out for which reason."""
    left_out: Counter[str] = Counter()
    rows = []
    smiles: dict[str, str] = {}
    for number, record in enumerate(activities, start=1):
        task, molecule = task_of.get(record["target_chembl_id"]), record.get("molecule_chembl_id")
        if task is None:
            left_out["of_other_targets"] += 1
        elif not molecule:
            left_out["without_molecule"] += 1
        elif record.get("pchembl_value") in (None, ""):
            left_out["without_pchembl"] += 1
        else:
            if text := record.get("canonical_smiles"):
                smiles.setdefault(molecule, text)
            rows.append((number, molecule, task, _value(record, path)))
    frame = pd.DataFrame(rows, columns=["row", "source_id", "task", "pchembl"])
    frame["molecule"] = pd.factorize(frame.source_id)[0]
    frame["smiles"] = pd.Series([smiles.get(name) for name in frame.source_id], dtype=object)
    return frame, {
        "activities": len(activities),
        "activities_of_other_targets": left_out["of_other_targets"],
        "activities_without_molecule": left_out["without_molecule"],
        "activities_without_pchembl": left_out["without_pchembl"],
        "activities_without_smiles": int(frame.smiles.isna().sum()),
    }


def _value(record: dict, path: Path) -> float:
    try:
        value = float(record["pchembl_value"])
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise RelataskError(
            f"{path}: activity {record.get('activity_id')} has the pChEMBL {record['pchembl_value']!r}, "
            "expected a number; run query_activities again."
        )
    return value


def _counts(records: pd.DataFrame, rule: ActiveRule) -> dict[str, int | str]:
    """Return how many cells were measured more than once, and how often the values lie on both sides."""
    values = records.pchembl
    active = values >= rule.at_least if rule.at_least is not None else values <= rule.at_most
    cells = (
        records.assign(active=active)
        .groupby(["molecule", "task"], sort=True, as_index=False)
        .agg(
            measurements=("pchembl", "size"),
            values=("pchembl", "nunique"),
            share=("active", "mean"),
        )
    )
    return {
        "cells": len(cells),
        "cells_measured_again": int((cells.measurements > 1).sum()),
        "cells_with_different_values": int((cells["values"] > 1).sum()),
        "cells_with_values_on_both_sides": int(((cells.share > 0) & (cells.share < 1)).sum()),
    }
