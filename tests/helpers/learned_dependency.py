"""A study whose method MTL saved the dependency between tasks that it learned."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from relatask.config import conditions
from relatask.publishing import inputs as publishing_inputs
from relatask.publishing.inputs import Inputs
from tests.helpers.study_tables import TASKS, make_inputs, make_plan, study_of

DEPENDENCY = {"source": "category", "target": "category", "weight": "float32"}
SAVES = {"dependency": DEPENDENCY, "item_dependency": {"item_id": "int32", **DEPENDENCY}}


def let_save(monkeypatch: pytest.MonkeyPatch, saves: Mapping[str, Any] = SAVES) -> None:
    """Let a shared bottom save tables, and so the method "mtl" of the study of tables."""
    for module in (conditions, publishing_inputs):
        monkeypatch.setattr(
            module, "saved_tables", lambda names: saves if {"mtl", "shared_bottom"} & {*names} else {}
        )


def weights(seed: int, tasks: int = len(TASKS)) -> np.ndarray:
    """Each target's weights of its sources, [T, T], which sum to 1."""
    raw = np.random.default_rng(seed).random((tasks, tasks))
    return raw / raw.sum(0)


def long(run_id: str, matrix: np.ndarray, tasks: list[str] = TASKS, **more: Any) -> pd.DataFrame:
    """Rows of a saved table of one run, of weights [T, T]."""
    n = len(tasks)
    rows = {"source": np.repeat(tasks, n), "target": np.tile(tasks, n), "weight": matrix.ravel()}
    return pd.DataFrame({"run_id": run_id, **rows, **more})


def inputs_of(
    folder: Path,
    dependency: Callable[[int], np.ndarray],
    items: Mapping[int, np.ndarray] | None = None,
    items_of_seed_1: Mapping[int, np.ndarray] | None = None,
    study: dict[str, Any] | None = None,
) -> Inputs:
    """The study, of whose method MTL each seed has a matrix, and items of seed 0, or of each, have theirs."""
    plan = make_plan(datasets=["toy"], seeds=(0, 1))
    runs = plan[plan["label"] == "MTL"].set_index("seed")["run_id"]
    saved = {"saved dependency": pd.concat([long(runs[seed], dependency(seed)) for seed in (0, 1)])}
    frames = [
        long(runs[seed], matrix, item_id=item)
        for seed, own in enumerate((items, items_of_seed_1))
        for item, matrix in (own or {}).items()
    ]
    nothing = long(runs[0], weights(0), item_id=0).iloc[:0]
    saved["saved item_dependency"] = pd.concat(frames) if frames else nothing
    return make_inputs(folder, study=study or study_of(), plan=plan, **saved)
