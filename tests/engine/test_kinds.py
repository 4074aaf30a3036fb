"""Tasks of measured values and of classes: losses, scores, selection, metrics, and whole runs of them."""

import math
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
)
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.data.prepared import PreparedDataset
from relatask.data.tasks import Task
from relatask.engine.checkpoint import Checkpoint, tensor_bytes
from relatask.engine.kinds import kinds_of, selection_values
from relatask.engine.network import build_model
from relatask.engine.problem import problems_of
from relatask.engine.run import RunResult, inputs_of, train_run
from relatask.evaluation.metrics import METRICS, by_column
from relatask.evaluation.metrics_table import evaluate
from relatask.nn.contract import TaskContext, task_linear
from relatask.nn.kinds import KindOutputs, TaskKinds
from relatask.plan.spec import RunSpec
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset

NAN = math.nan
KINDS = TaskKinds(
    ("real", "binary", "class", "real", "class"),
    (1, 1, 3, 1, 2),
    torch.tensor([5.0, 0, 0, -2.0, 0]),
    torch.tensor([2.0, 1, 1, 0.5, 1]),
)
LABELS = torch.tensor(
    [[6.0, 1, 2, -2.5, 0], [NAN, 0, 0, NAN, 1], [4.0, NAN, NAN, -1.0, NAN], [7.5, 1, 1, -2.0, 1]]
)
BOUNDS = torch.tensor(
    [[1, 0, 0, 0, 0], [0, 0, 0, 0, 0], [-1, 0, 0, 1, 0], [0, 0, 0, -1, 0]], dtype=torch.int8
)


def literal_loss(outputs: Tensor, row: int, task: int) -> float:
    """The loss of one cell, as the docstring says it."""
    start = sum(KINDS.n_outputs[:task])
    own, label = outputs[row, start].item(), LABELS[row, task].item()
    if KINDS.kinds[task] == "binary":
        chance = 1 / (1 + math.exp(-own))
        return -math.log(chance if label else 1 - chance)
    if KINDS.kinds[task] == "class":
        chances = outputs[row, start : start + KINDS.n_outputs[task]].softmax(0)
        return -math.log(chances[int(label)].item())
    predicted = own * KINDS.deviation[task].item() + KINDS.mean[task].item()
    bound = BOUNDS[row, task].item()
    if (bound > 0 and predicted > label) or (bound < 0 and predicted < label):
        return 0.0
    return ((predicted - label) / KINDS.deviation[task].item()) ** 2


@pytest.mark.parametrize("seed", range(4))
def test_losses_equal_the_loop_over_cells(seed: int):
    torch.manual_seed(seed)
    outputs = torch.randn(4, 8)
    found = KindOutputs(KINDS).losses(outputs, LABELS, BOUNDS)
    for task in range(5):
        cells = [literal_loss(outputs, row, task) for row in range(4) if not LABELS[row, task].isnan()]
        assert found[task].item() == pytest.approx(sum(cells) / len(cells), rel=1e-5), task


def test_a_bound_costs_only_on_its_wrong_side():
    outputs, kinds = (
        torch.zeros(2, 1, requires_grad=True),
        TaskKinds(("real",), (1,), torch.zeros(1), torch.ones(1)),
    )
    labels, module = torch.tensor([[3.0], [-3.0]]), KindOutputs(kinds)
    more = module.losses(outputs, labels, torch.tensor([[1], [1]], dtype=torch.int8))
    assert more.tolist() == [4.5]  # the first is below "more than 3", the second above "more than -3"
    more.sum().backward()
    assert outputs.grad is not None
    assert outputs.grad.flatten().tolist() == [-3.0, 0.0]


def test_missing_labels_have_no_loss_and_no_gradient():
    outputs = torch.randn(4, 8, requires_grad=True)
    labels = torch.full_like(LABELS, NAN)
    losses = KindOutputs(KINDS).losses(outputs, labels, BOUNDS)
    losses.sum().backward()
    assert losses.tolist() == [0.0] * 5
    assert outputs.grad is not None
    assert not outputs.grad.any()


def test_scores_are_probabilities_values_in_their_unit_and_classes():
    outputs = torch.tensor([[1.0, 0.0, 0.1, 0.9, 0.3, -1.0, 0.2, 0.7]])
    assert KindOutputs(KINDS).scores(outputs)[0].tolist() == pytest.approx([7.0, 0.5, 1.0, -2.5, 1.0])


TASKS = (
    Task("y", "y"),
    Task("value", "value", kind="real", unit="nM", metric="mae"),
    Task("colour", "colour", kind="class", n_classes=3, metric="accuracy", classes=("r", "g", "b")),
    Task("other", "other", kind="real", metric="mae"),
)
REAL = [1, 3]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PreparedDataset]:
    """Data of four tasks; measured values follow the number of bits or atoms of a molecule."""
    folder = write_dataset(tmp_path_factory.mktemp("mixed"), random_labels(120, 4))
    found = {}
    for inputs in ("ecfp", "graph"):
        data = PreparedDataset.load(folder, "scaffold-0", inputs=inputs)
        sizes = torch.tensor([4.0 + int(item) % 9 for item in data.item_ids])
        labels = data.labels.clone()
        missing = labels.isnan()
        labels[:, 1], labels[:, 3] = 100 + 10 * sizes, -sizes
        labels[:, 2] = (sizes % 3).floor()
        labels[missing] = NAN
        bounds = torch.zeros(labels.shape, dtype=torch.int8)
        bounds[::7, 1] = 1
        found[inputs] = replace(data, tasks=TASKS, labels=labels, bounds=bounds)
    return found


def run(spec: RunSpec, data: PreparedDataset, folder: Path) -> RunResult:
    return train_run(
        spec, data, Checkpoint(folder / "none.pt", ""), lambda share, text: None, keep_weights=True
    )


def test_values_are_standardised_by_the_training_fold_without_bounds(mixed):
    (problem,) = problems_of(make_spec(), mixed["ecfp"], per_task=False)
    kinds, rows = kinds_of(problem), problem.rows("train")
    exact = mixed["ecfp"].labels[rows, 1][mixed["ecfp"].bounds[rows, 1] == 0]
    values = exact[~exact.isnan()].double()
    assert kinds.mean[1].item() == pytest.approx(values.mean().item(), rel=1e-6)
    assert kinds.deviation[1].item() == pytest.approx(values.std(correction=0).item(), rel=1e-6)
    assert kinds.mean[[0, 2]].tolist() == [0, 0]
    assert kinds.n_outputs == (1, 1, 3, 1)


@pytest.mark.parametrize("method", ["shared_bottom", "single_task", "random_forest", "gradient_boosting"])
def test_a_run_of_mixed_kinds_learns_each_by_heart_and_predicts_in_its_unit(method, mixed, tmp_path):
    encoder = "gin" if method in {"shared_bottom", "single_task"} else None
    training = {"epochs": 100, "batch_size": 32, "learning_rate": 0.01}
    narrow = {"width": 24, "layers": 2, "dropout": 0.0}
    changes = {"training": training, "encoder_options": narrow} if encoder else {}
    spec = make_spec(method, encoder, **changes)
    data = mixed[inputs_of(spec)]
    data = replace(data, folds=dict.fromkeys(data.folds, data.folds["train"]))
    found = run(spec, data, tmp_path).predictions.astype({"task_id": str, "fold": str})
    labels = data.labels.clone()
    labels[data.bounds != 0] = NAN
    assert len(found) == 2 * (~labels[data.folds["train"]].isnan()).sum()  # a bound is no measured value
    by_task = {task: cells for task, cells in found[found["fold"] == "test"].groupby("task_id")}
    for task in ("value", "other"):
        error = (by_task[task]["score"] - by_task[task]["label"]).abs().mean()
        spread = (by_task[task]["label"] - by_task[task]["label"].mean()).abs().mean()
        assert error < 0.7 * spread, task
    assert (by_task["colour"]["score"] == by_task["colour"]["label"]).mean() > 0.8
    assert set(by_task["colour"]["score"]) <= {0.0, 1.0, 2.0}
    assert by_task["y"]["score"].between(0, 1).all()
    assert by_task["y"].groupby("label")["score"].mean().diff().iloc[-1] > 0.2


def test_a_model_of_mixed_kinds_is_saved_with_its_scale_and_a_binary_one_as_ever(mixed, tmp_path):
    spec = make_spec(encoder="gin")
    weights = run(spec, mixed["graph"], tmp_path).weights
    assert weights is not None
    assert (
        weights["outputs.mean"].tolist()
        == kinds_of(problems_of(spec, mixed["graph"], False)[0]).mean.tolist()
    )
    assert weights["heads.weight"].shape[0] == 6
    binary = replace(mixed["graph"], tasks=tuple(Task(f"t{i}", f"t{i}") for i in range(4)), bounds=None)
    model = build_model(problems_of(spec, binary, False)[0])
    assert {name.split(".")[0] for name in model.state_dict()} == {"encoder", "heads"}


def test_a_task_starts_from_the_same_head_beside_tasks_of_other_kinds(mixed):
    spec = make_spec(encoder="gin")
    whole = build_model(problems_of(spec, mixed["graph"], False)[0])
    alone = build_model(problems_of(replace(spec, tasks=("other",)), mixed["graph"], False)[0])
    assert torch.equal(whole.heads.weight[5:], alone.heads.weight)


@pytest.mark.parametrize("balancing", ["gradnorm", "uncertainty", "jacobian"])
def test_tasks_of_mixed_kinds_can_be_balanced(balancing, mixed, tmp_path):
    result = run(make_spec(encoder="gin", balancing=balancing), mixed["graph"], tmp_path)
    assert np.isfinite(result.predictions["score"]).all()
    assert tensor_bytes(result.weights) != tensor_bytes(
        run(make_spec(encoder="gin"), mixed["graph"], tmp_path).weights
    )


def test_a_method_that_does_not_learn_a_kind_says_so_by_name(mixed, tmp_path):
    with pytest.raises(
        RelataskError, match=r"method 'metalink' learns labels of kind binary, and task 'value' is of"
    ):
        run(make_spec("metalink"), mixed["ecfp"], tmp_path)


def test_epochs_are_compared_by_how_good_each_task_is_on_its_own_scale():
    kinds = TaskKinds(("binary", "real", "class"), (1, 1, 2), torch.zeros(3), torch.tensor([1.0, 10.0, 1.0]))
    labels = torch.tensor([[1.0, 4.0, 0], [0.0, 8.0, 1], [1.0, 99.0, NAN]])
    scores = torch.tensor([[0.9, 6.0, 0], [0.2, 9.0, 0], [0.1, 0.0, 1]])
    exact = torch.tensor([[True, True, True], [True, True, True], [True, False, True]])
    found = selection_values(kinds, labels, scores, exact)
    assert found.tolist() == pytest.approx([0.5, 1 - 1.5 / 10, 0.5])


def test_heads_of_classes_have_a_row_for_each():
    graph = torch.zeros(2, 0, dtype=torch.int64), torch.zeros(0)
    context = TaskContext(
        ["a", "b"],
        *graph,
        lambda task: ord(task),
        kinds=replace(KINDS, kinds=("class", "real"), n_outputs=(3, 1)),
    )

    heads = task_linear(4, context)
    assert heads.weight.shape == (4, 4)
    assert len(heads.weight.unique(dim=0)) == 4


@pytest.mark.parametrize("ties", [3, 1000])
def test_metrics_of_values_equal_those_of_scikit_learn_and_scipy(ties: int):
    rng = np.random.default_rng(ties)
    labels = np.round(rng.normal(size=(60, 3)) * ties) / ties
    scores = np.round((labels + rng.normal(size=labels.shape)) * ties) / ties
    labels[rng.random(labels.shape) < 0.3] = NAN
    for task in range(3):
        known = ~np.isnan(labels[:, task])
        pair = labels[known, task], scores[known, task]
        expected = {
            "mae": mean_absolute_error(*pair),
            "rmse": mean_squared_error(*pair) ** 0.5,
            "r2": r2_score(*pair),
            "spearman": spearmanr(*pair).statistic,
            "pearson": pearsonr(*pair).statistic,
            "nrmse": mean_squared_error(*pair) ** 0.5 / pair[0].std(),
        }
        found = {name: by_column(METRICS[name], labels, scores)[task] for name in expected}
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_metrics_of_classes_equal_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, (50, 3)).astype(float)
    scores = np.where(rng.random(labels.shape) < 0.6, labels, rng.integers(0, 6, labels.shape))
    labels[rng.random(labels.shape) < 0.3] = NAN
    for task in range(3):
        known = ~np.isnan(labels[:, task])
        pair = labels[known, task].astype(int), scores[known, task].astype(int)
        assert by_column(METRICS["accuracy"], labels, scores)[task] == pytest.approx(accuracy_score(*pair))
        with warnings.catch_warnings():  # of classes that are predicted and no label
            warnings.simplefilter("ignore")
            expected = balanced_accuracy_score(*pair)
        assert by_column(METRICS["balanced_accuracy"], labels, scores)[task] == pytest.approx(expected)
        expected = f1_score(*pair, average="macro")
        assert by_column(METRICS["macro_f1"], labels, scores)[task] == pytest.approx(expected)


def test_a_task_has_the_metrics_of_its_kind_alone():
    rows = {
        "label": [0.0, 1, 1, 5, 7, 9],
        "score": [0.1, 0.8, 0.7, 4, 7, 8],
        "task_id": ["y"] * 3 + ["value"] * 3,
    }
    frame = pd.DataFrame({"run_id": "r", "fold": "test", "item_id": range(6), **rows})
    kinds = {"r": {"y": "binary", "value": "real"}}
    table = evaluate(frame, ["roc_auc", "mae", "r2"], kinds)
    test = table[table["fold"] == "test"].astype({"task_id": str, "metric": str})
    assert dict(
        zip(zip(test["task_id"], test["metric"], strict=True), test["value"], strict=True)
    ) == pytest.approx({("value", "mae"): 2 / 3, ("value", "r2"): 0.75, ("y", "roc_auc"): 1.0})


def test_values_that_are_all_equal_have_no_correlation_and_the_row_says_why():
    frame = pd.DataFrame(
        {
            "run_id": "r",
            "fold": "test",
            "task_id": "v",
            "item_id": range(3),
            "label": 2.0,
            "score": [1.0, 2, 3],
        }
    )
    table = evaluate(frame, ["spearman", "r2", "mae"], {"r": {"v": "real"}})
    test = table[table["fold"] == "test"].set_index("metric")
    assert test.loc[["spearman", "r2"], "value"].isna().all()
    assert test.loc["spearman", "reason"] == "labels or scores all equal"
    assert test.loc["mae", "value"] == pytest.approx(2 / 3)
