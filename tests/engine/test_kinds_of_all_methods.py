"""Every method that says so learns binary, measured, bounded and several-class tasks in one run.

Forests, boosting and the kernel are also held against scikit-learn itself.
"""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import r2_score

from relatask.core.registry import capabilities, catalogue
from relatask.data.prepared import PreparedDataset
from relatask.data.tasks import Task
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.problem import problems_of
from relatask.engine.run import RunResult, inputs_of, train_run
from relatask.evaluation.metrics_table import evaluate
from relatask.methods.pairwise_kernel.tanimoto import tanimoto
from relatask.plan.spec import RunSpec
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset

NAN = math.nan
TASKS = (
    Task("y", "y"),
    Task("value", "value", kind="real", unit="nM", metric="mae"),
    Task("colour", "colour", kind="class", n_classes=3, metric="accuracy", classes=("r", "g", "b")),
)
ALL_KINDS = [name for name, ability in catalogue("methods").items() if len(ability.kinds) == 3]
VALUES = ["random_forest", "gradient_boosting", "pairwise_kernel"]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> PreparedDataset:
    """80 molecules as bits; the value is that of some bits, and a bound of every fifth molecule."""
    folder = write_dataset(tmp_path_factory.mktemp("kinds"), random_labels(80, 3))
    data = PreparedDataset.load(folder, "scaffold-0", inputs="ecfp")
    bits = data.x(torch.arange(80))
    draw = torch.Generator().manual_seed(0)
    value = 50 + 10 * bits[:, :100].sum(1) + torch.randn(80, generator=draw)
    labels = torch.stack(
        [(value > value.median()).float(), value, (value > 80).float() + (value > 90).float()], 1
    )
    labels[torch.rand(labels.shape, generator=draw) < 0.1] = NAN
    bounds = torch.zeros(80, 3, dtype=torch.int8)
    bounds[::5, 1] = 1
    return replace(data, tasks=TASKS, labels=labels, bounds=bounds)


def spec_of(method: str, **changes: Any) -> RunSpec:
    """A small run; of boosting a few iterations, each of which looks at all bits."""
    if method == "gradient_boosting":
        few = {"max_iter": 4, "learning_rate": 0.3, "max_leaf_nodes": 31, "min_samples_leaf": 5}
        changes = {"options": few, **changes}
    return make_spec(
        method, "fingerprint_mlp" if capabilities("methods", method).uses_encoder else None, **changes
    )


def run(method: str, data: PreparedDataset, folder: Path, **changes: Any) -> RunResult:
    spec = spec_of(method, **changes)
    assert inputs_of(spec) == "ecfp"
    return train_run(
        spec, data, Checkpoint(folder / "none.pt", ""), lambda share, text: None, keep_weights=False
    )


@pytest.mark.parametrize("method", ALL_KINDS)
def test_one_run_has_scores_of_every_kind_with_and_without_weights(
    method: str, mixed: PreparedDataset, tmp_path: Path
) -> None:
    weights = {"classes": {"y": "balanced", "colour": {"r": 2.0}}, "weight_column": "w"}
    data = replace(mixed, sample_weights=torch.arange(80) % 3 + 0.5)
    for given in (None, weights):
        found = run(method, data, tmp_path, weights=given).predictions.astype({"task_id": str})
        scores = {task: own["score"] for task, own in found.groupby("task_id")}
        assert scores["y"].between(0, 1).all()
        assert scores["value"].between(0, 200).all()  # in nM, and not in deviations
        assert scores["value"].mean() > 20
        assert set(scores["colour"]) <= {0.0, 1.0, 2.0}


def test_a_kernel_learns_labels_and_values_together(mixed: PreparedDataset, tmp_path: Path) -> None:
    found = run("pairwise_kernel", mixed, tmp_path, tasks=("y", "value")).predictions.astype({"task_id": str})
    assert found[found["task_id"] == "y"]["score"].between(0, 1).all()
    assert found[found["task_id"] == "value"]["score"].between(20, 150).all()


@pytest.mark.parametrize("method", [*VALUES, "shared_bottom"])
def test_trees_and_kernels_leave_bounds_out_and_networks_learn_from_them(
    method: str, mixed: PreparedDataset, tmp_path: Path
) -> None:
    labels = mixed.labels.clone()
    labels[::5, 1] = 1e4
    options = {"tasks": ("value",)}
    found = [run(method, replace(mixed, labels=own), tmp_path, **options).predictions["score"]
             for own in (mixed.labels, labels)]  # fmt: skip
    assert found[0].equals(found[1]) is (method in VALUES)


@pytest.mark.parametrize("method", [*VALUES, "single_task"])
def test_a_task_of_bounds_alone_has_their_mean(method: str, mixed: PreparedDataset, tmp_path: Path) -> None:
    assert mixed.bounds is not None
    bounds, rows = mixed.bounds.clone(), mixed.folds["train"]
    bounds[rows, 1] = 1
    found = run(method, replace(mixed, bounds=bounds), tmp_path, tasks=("value",)).predictions["score"]
    np.testing.assert_allclose(found, float(mixed.labels[rows, 1].nanmean()), rtol=1e-5)


def exact(mixed: PreparedDataset, fold: str) -> tuple[np.ndarray, np.ndarray]:
    """Bits and values of the task `value` in a fold, without bounds."""
    rows = mixed.folds[fold]
    assert mixed.bounds is not None
    rows = rows[~mixed.labels[rows, 1].isnan() & (mixed.bounds[rows, 1] == 0)]
    return mixed.x(rows).numpy(), mixed.labels[rows, 1].double().numpy()


@pytest.mark.parametrize("method", VALUES)
def test_r2_is_that_of_scikit_learn_on_the_same_molecules(
    method: str, mixed: PreparedDataset, tmp_path: Path
) -> None:
    (train, values), (test, truth) = exact(mixed, "train"), exact(mixed, "test")
    spec = spec_of(method, tasks=("value",))
    options = dict(spec.method.options)
    (problem,) = problems_of(spec, mixed, per_task=True)
    seed = problem.seed("estimator") % 2**32
    mean, deviation = values.mean(), values.std()
    if method == "random_forest":
        del options["class_weight"]
        expected = RandomForestRegressor(**options, random_state=seed).fit(train, values).predict(test)
    elif method == "gradient_boosting":
        model = HistGradientBoostingRegressor(**options, early_stopping=False, random_state=seed)
        expected = model.fit(train, values).predict(test)
    else:
        kernel = [tanimoto(torch.from_numpy(bits), torch.from_numpy(train)).numpy() for bits in (train, test)]
        ridge = KernelRidge(alpha=options["penalty"], kernel="precomputed")
        expected = mean + deviation * ridge.fit(kernel[0], (values - mean) / deviation).predict(kernel[1])
    found = run(method, mixed, tmp_path, tasks=("value",)).predictions
    table = evaluate(found, ["r2", "rmse"], {spec.run_id: {"value": "real"}})
    r2 = table[(table["fold"] == "test") & (table["metric"] == "r2")]["value"].item()
    assert r2 == pytest.approx(r2_score(truth, expected), abs=1e-4)
    own = found[found["fold"] == "test"]
    np.testing.assert_allclose(own["score"], expected, rtol=1e-4)
