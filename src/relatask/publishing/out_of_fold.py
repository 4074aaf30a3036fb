"""Predictions out of fold of a row of a study, and what calibration makes of them."""

import numpy as np
import pandas as pd

from relatask.core.files import require_recorded
from relatask.core.kinds import Kind
from relatask.core.layout import dataset_file, study_file
from relatask.core.tables import read_table
from relatask.evaluation.coverage import cross_fitted, with_parts
from relatask.evaluation.out_of_fold import out_of_fold
from relatask.publishing.inputs import Inputs


def kinds_of(inputs: Inputs, dataset: str) -> dict[str, Kind]:
    """Return task id -> kind of a data set's tasks."""
    tasks = inputs.of_dataset(dataset, "tasks", ["task_id", "kind"])
    return dict(zip(tasks["task_id"], tasks["kind"], strict=True))


def predicted_out_of_fold(inputs: Inputs, dataset: str, split: str, method: str) -> pd.DataFrame:
    """Return the predictions out of fold of a row on a data set, see `evaluation.out_of_fold`."""
    plan = inputs.plan
    plan = plan[(plan["dataset"] == dataset) & (plan["split"] == split) & (plan["label"] == method)]
    seeds = dict(zip(plan["run_id"], plan["seed"], strict=True))
    frame = inputs.table("predictions")
    training = {seed: _training(inputs, dataset, split, seed) for seed in set(seeds.values())}
    similarity = _similarity(inputs, dataset, split)
    return out_of_fold(
        frame[(frame["fold"] == "test") & frame["run_id"].isin(seeds)],
        {run: training[seed] for run, seed in seeds.items()},
        kinds_of(inputs, dataset),
        {run: f"{seed:06d}" for run, seed in seeds.items()},
        None if similarity is None else {run: similarity[seed] for run, seed in seeds.items()},
    )


def checked_out_of_fold(inputs: Inputs, dataset: str, split: str, method: str) -> pd.DataFrame:
    """Return the same with what is said of each prediction by the others, see `coverage.cross_fitted`."""

    def read() -> pd.DataFrame:
        frame = predicted_out_of_fold(inputs, dataset, split, method)
        return cross_fitted(with_parts(frame), kinds_of(inputs, dataset))

    return inputs.once(("out of fold", dataset, split, method), read)


def _training(inputs: Inputs, dataset: str, split: str, seed: int) -> np.ndarray:
    """Return the items that a split trains on, with some label or with all of theirs, int64 [n]."""
    inputs.require("splits")
    path = inputs.results / dataset_file("split", inputs.name, dataset, scheme=split, seed=str(seed))

    def read() -> np.ndarray:
        require_recorded(path.with_suffix(".json"), path)
        table = read_table("split", path, ["item_id", "fold"])
        return table.loc[table["fold"] == "train", "item_id"].unique().astype(np.int64)

    return inputs.once(("training", dataset, split, seed), read)


def _similarity(inputs: Inputs, dataset: str, split: str) -> dict[int, pd.Series] | None:
    """Return seed -> similarity to training of the items that it tests; None where items are no molecules."""
    inputs.require("similarity")
    if inputs.study.items != "molecules":
        return None
    path = inputs.results / study_file("similarity", inputs.name, dataset=dataset)
    frame = inputs.once(("similarity", dataset), lambda: read_table("similarity", path))
    own = frame[frame["split"] == split].astype({"similarity": np.float64})
    seeds = inputs.study.scales[inputs.scale].seeds  # type: ignore[index]
    return {seed: own[own["seed"] == seed].set_index("item_id")["similarity"] for seed in seeds}
