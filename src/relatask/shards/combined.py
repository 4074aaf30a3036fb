"""Rows of a table that are put together from several runs: networks of chosen task groups, ensembles, and two
networks whose logits are averaged.

Their parts are ordinary runs with entries of their own in the journal, so a group that was trained when gains
were collected, or another row's network, is not trained again.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json
from relatask.core.layout import in_study
from relatask.core.source_code import code_of
from relatask.core.tables import COLUMNS, read_table
from relatask.engine.run import RunResult
from relatask.models.averaged import logits, probabilities
from relatask.plan.spec import RunSpec
from relatask.shards.left_out import run_in_journal

CELL = ["fold", "item_id", "task_id"]


@dataclass(frozen=True)
class Part:
    """A run, and the tasks that it predicts for the row; all of its own where that is None."""

    spec: RunSpec
    serves: tuple[str, ...] | None = None


def is_combined(spec: RunSpec) -> bool:
    """Whether a run is put together from others."""
    return spec.groups is not None or spec.ensemble > 1 or spec.averaged


def parts_of(spec: RunSpec, study: Path) -> list[Part]:
    """Return the runs that a row is made of.

    Args:
        spec: the row's run.
        study: the study's folder of results, with the chosen groups.

    Raises:
        RelataskError: its groups were not chosen.
    """
    if spec.averaged:
        assert spec.prior is not None
        return [Part(spec.without_prior()), Part(run_in_journal(spec.prior, study))]
    if spec.groups is None:
        return [Part(replace(spec, ensemble=1, member=member)) for member in range(spec.ensemble)]
    path = study / in_study("groups", collection=spec.groups["gains"])
    rows = read_table("groups", path).fillna({"rounds": -1})
    wanted = {**spec.groups, "rounds": -1 if spec.groups["rounds"] is None else spec.groups["rounds"]}
    for column in ("strategy", "rounds", "seed", "budget"):
        rows = rows[rows[column] == wanted[column]]
    if rows.empty:
        raise RelataskError(f"{path} has no groups of {canonical_json(spec.groups)}; choose others.")
    parts = []
    for _, group in rows.groupby("group"):
        tasks = tuple(sorted(group["task_id"]))
        serves = tuple(sorted(group.loc[group["serves"], "task_id"]))
        parts.append(Part(replace(spec, groups=None, tasks=tasks), serves))
    return parts


def digest_of_parts(parts: Sequence[Part]) -> str:
    """Digest (16 hex digits) of what a row is made of, and of the code that puts it together."""
    text = canonical_json([[part.spec.run_id, part.serves] for part in parts])
    return hashlib.sha256(f"{code_of('shards/combined.py')} {text}".encode()).hexdigest()[:16]


def require_every_task(spec: RunSpec, parts: Sequence[Part], task_ids: Sequence[str]) -> None:
    """Raise where a task of the data set is in none of the groups: a row of a table must hold all."""
    if spec.groups is None:
        return
    served = {task for part in parts for task in part.serves or ()}
    if lost := [task for task in task_ids if task not in served]:
        raise RelataskError(
            f"{spec.label}: {len(lost)} of {len(task_ids)} tasks of {spec.dataset!r} are in no group, e.g. "
            f"{lost[0]!r}; grouping.gains.{spec.groups['gains']}.tasks must name them all."
        )


def combine(
    spec: RunSpec, parts: Sequence[Part], predictions: Sequence[pd.DataFrame], task_ids: Sequence[str]
) -> RunResult:
    """Return what the row predicts: each task by its group, or each cell by the mean of the members.

    Of an averaged row that is the probability at the mean of the logits.

    Args:
        spec: the row's run.
        parts: the runs that it is made of.
        predictions: of each part, table "predictions".
        task_ids: of the data set, in its order.
    """
    chosen = [
        frame if part.serves is None else frame[frame["task_id"].isin(part.serves)]
        for part, frame in zip(parts, predictions, strict=True)
    ]
    table = pd.concat(chosen, ignore_index=True).astype({"fold": str, "task_id": str})
    if spec.averaged:
        table["score"] = logits(torch.tensor(table["score"].to_numpy())).numpy()
    table = table.groupby(CELL, as_index=False, sort=False).agg({"label": "first", "score": "mean"})
    if spec.averaged:
        table["score"] = probabilities(torch.tensor(table["score"].to_numpy())).numpy()
    position = {task: number for number, task in enumerate(task_ids)}
    place = table.assign(task_id=table["task_id"].map(position)).sort_values(CELL, kind="stable").index
    table = table.loc[place].reset_index(drop=True).astype({"score": "float32"})
    history = pd.DataFrame(columns=list(COLUMNS["history"]))  # those of the parts stay with them
    return RunResult(table.assign(run_id=spec.run_id), history, None)


def cost_of(measured: Sequence[dict[str, Any]], own: dict[str, Any]) -> dict[str, Any]:
    """Return what the row cost: its parts' seconds, their highest memory, and all versions that trained them.

    Args:
        measured: of each part, as journalled.
        own: of putting them together.
    """
    seconds = sum(cost["seconds"] for cost in measured)
    peak = max(cost["peak_rss_mb"] for cost in measured)
    return {**own, "seconds": seconds, "peak_rss_mb": peak, "libraries": _libraries(measured)}


def _libraries(measured: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return name -> version of the libraries of all parts, several versions one after the other."""
    of_parts = [cost.get("libraries", {}) for cost in measured]
    names = sorted({name for libraries in of_parts for name in libraries})
    versions = {name: {libraries.get(name, "unknown") for libraries in of_parts} for name in names}
    return {name: ", ".join(sorted(found)) for name, found in versions.items()}
