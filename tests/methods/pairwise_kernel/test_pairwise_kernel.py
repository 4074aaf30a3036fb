"""Runs of the method: what they predict, what validation chooses, and what is refused."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.kernel_ridge import KernelRidge
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.registry import capabilities
from relatask.data.prepared import PreparedDataset
from relatask.data.splits import FOLDS
from relatask.data.tasks import Task
from relatask.engine.checkpoint import Checkpoint, tensor_bytes
from relatask.engine.problem import problems_of
from relatask.engine.run import RunResult, train_run
from relatask.methods.pairwise_kernel import kernel_ridge, pairwise_kernel, task_kernels
from relatask.methods.pairwise_kernel.pairwise_kernel import EDGE, PENALTIES, Candidate, probabilities
from relatask.methods.pairwise_kernel.tanimoto import tanimoto
from relatask.plan.spec import RunSpec
from tests.helpers.changed_data import flipped, with_labels
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset
from tests.helpers.training_results import Killed
from tests.oracles import pairwise_kernel as oracle

NAN = math.nan
DEFAULTS = capabilities("methods", "pairwise_kernel").options


def spec_of(**options: Any) -> RunSpec:
    return make_spec("pairwise_kernel", None, options={**DEFAULTS, **options})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PreparedDataset:
    """Three binary tasks whose labels depend on the molecules, two of them alike, many labels missing."""
    labels = random_labels(150, 3)
    bits = np.array([(np.random.default_rng(item).random(2048) < 0.03)[:40].sum() for item in range(150)])
    active = (bits > np.median(bits)).astype(float)
    noise = np.random.default_rng(1).random((2, 150)) < 0.1
    labels[:, 0] = np.where(np.isnan(labels[:, 0]), NAN, np.abs(active - noise[0]))
    labels[:, 1] = np.where(np.isnan(labels[:, 1]), NAN, np.abs(active - noise[1]))
    folder = write_dataset(tmp_path_factory.mktemp("data"), labels)
    return PreparedDataset.load(folder, "scaffold-0", inputs="ecfp")


@pytest.fixture
def run(tmp_path: Path) -> Callable[[RunSpec, PreparedDataset], RunResult]:
    return lambda spec, data: train_run(
        spec, data, Checkpoint(tmp_path / "none.pt", ""), lambda share, text: None, keep_weights=True
    )


def chosen_of(result: RunResult) -> dict[str, float]:
    (row,) = result.saved["task_kernels"].to_dict("records")
    return row


def sets(bits: Tensor) -> list[set[int]]:
    return [set(row.nonzero()[:, 0].tolist()) for row in bits]


@pytest.mark.parametrize("kernel", ["own", "all", "correlation"])
def test_values_and_probabilities_are_those_of_the_dense_solution(kernel, data, run):
    """Of tasks of two kinds; the values are as small as moles, and bounds among them teach nothing."""
    labels, bounds = data.labels.clone(), torch.zeros(data.labels.shape, dtype=torch.int8)
    labels[:, 2] = 3e-7 + 4e-8 * torch.randn(len(labels), generator=torch.Generator().manual_seed(0))
    labels[data.labels.isnan()] = NAN
    bounds[::7, 2], exact = 1, labels.clone()
    exact[::7, 2], labels[::7, 2] = NAN, 9000.0
    tasks = (*data.tasks[:2], Task("value", "value", kind="real", unit="nM", metric="mae"))
    mixed = replace(data, labels=labels, bounds=bounds, tasks=tasks)
    train, test = (data.folds[fold] for fold in ("train", "test"))
    known = exact[train].double().tolist()
    shares = tuple(float(kernel == name) for name in task_kernels.NAMES)
    of_tasks = oracle.task_kernel(known, shares, task_kernels.SHRINKING)  # type: ignore[arg-type]
    molecules = [sets(data.x(rows)) for rows in (train, test)]
    expected = oracle.predict(molecules[0], known, molecules[1], of_tasks, 0.5)

    spec = spec_of(task_kernel=kernel, penalty=0.5)
    weights = run(spec, mixed).weights
    (problem,) = problems_of(spec, mixed, per_task=False)
    found = kernel_ridge.predictor(problem, weights)(test).double().numpy()
    scale = np.array([1.0, 1.0, 4e-8])
    np.testing.assert_allclose(found[:, 2] / 4e-8, expected[:, 2] / 4e-8, rtol=0, atol=1e-6)
    bent = probabilities(torch.from_numpy(expected[:, :2])).numpy()
    np.testing.assert_allclose(found[:, :2], bent, rtol=0, atol=1e-6)
    assert (np.abs(expected - found) / scale < 1e-6).mean() > 0.7, "most probabilities are not bent"
    assert expected[:, 2].std() > 1e-9


def test_one_task_is_kernel_ridge_regression_and_own_kernels_are_one_for_each_task(data, run):
    train, test = data.folds["train"], data.folds["test"]
    together = run(spec_of(task_kernel="own", penalty=2.0), data).predictions.astype({"task_id": str})
    for column, task in enumerate(data.task_ids):
        rows = train[~data.labels[train, column].isnan()]
        labels = data.labels[rows, column].double()
        similar = tanimoto(data.x(rows), data.x(rows))
        ridge = KernelRidge(alpha=2.0, kernel="precomputed").fit(similar, labels - labels.mean())
        values = ridge.predict(tanimoto(data.x(test), data.x(rows))) + float(labels.mean())
        labelled = ~data.labels[test, column].isnan().numpy()
        expected = probabilities(torch.from_numpy(values))[labelled]
        alone = run(replace(spec_of(penalty=2.0), tasks=(task,)), data).predictions
        for found in (together, alone):
            own = found[(found["fold"] == "test") & (found["task_id"] == task)]["score"]
            np.testing.assert_allclose(own, expected, rtol=0, atol=1e-6)


def test_probabilities_keep_what_is_one_and_bend_what_is_none_in_order():
    values = torch.linspace(-0.1, 1.1, 1201).double()
    found = probabilities(values)
    inside = (values >= EDGE) & (values <= 1 - EDGE)
    assert torch.equal(found[inside], values[inside])
    assert (found.diff() > 0).all()
    assert (found.float().diff() > 0).all(), "scores are saved as float32"
    assert found.diff().max() < 1.001e-3, "no jump"
    assert 0 < found.min() < found.max() < 1
    torch.testing.assert_close(probabilities(1 - values), 1 - found)
    extreme = probabilities(torch.tensor([-1e6, 1e6]).double())
    assert 0 < extreme[0] < 1e-9
    assert 0 < 1 - extreme[1] < 1e-9


def test_molecules_of_values_far_beyond_one_do_not_become_equal():
    """Real labels have predictions up to 1.5; those that are alike in float32 would share a rank."""
    values = torch.arange(-1, 2, 3e-4).double()
    assert (probabilities(values).float().diff() > 0).all()
    assert probabilities(torch.tensor([1.3, 1.4])).diff() > 1e-5


def test_a_molecule_unlike_any_in_training_has_the_prevalence_of_the_task(data, run):
    spec = spec_of(penalty=1.0)
    bits = data.x(torch.arange(150))
    bits[data.folds["test"]] = 0
    empty = replace(data, inputs=Bits(bits))
    result = run(spec, empty).predictions.query("fold == 'test'")
    labels = data.labels[data.folds["train"]]
    for column, task in enumerate(data.task_ids):
        scores = result[result["task_id"] == task]["score"]
        np.testing.assert_allclose(scores, float(labels[:, column].nanmean()), rtol=1e-6)


def test_tasks_without_a_label_or_of_one_class_are_predicted(data, run):
    labels = data.labels.clone()
    train = data.folds["train"]
    labels[train, 0] = NAN
    labels[train, 1] = torch.where(labels[train, 1].isnan(), NAN, 1.0)
    for kernel in ("own", "all"):
        found = run(spec_of(task_kernel=kernel), replace(data, labels=labels)).predictions
        scores = [found[found["task_id"] == task]["score"] for task in ("task0", "task1")]
        assert np.isfinite(found["score"]).all()
        if kernel == "own":
            assert scores[0].to_numpy() == pytest.approx(0.5)
            assert scores[1].min() > 1 - EDGE
        else:  # what other tasks say of a molecule counts
            assert min(own.nunique() for own in scores) > 10


def test_validation_chooses_the_best_of_all_kernels_and_penalties(data, run, monkeypatch):
    found = chosen_of(run(spec_of(), data))
    tried = {}
    for shares in task_kernels.SHARES:
        monkeypatch.setattr(pairwise_kernel, "SHARES", (shares,))
        for penalty in PENALTIES:
            tried[shares, penalty] = chosen_of(run(spec_of(penalty=penalty), data))["valid_metric"]
    assert found["valid_metric"] == pytest.approx(tried[shares_of(found), found["penalty"]], abs=0.01)
    peaks = []
    for shares in task_kernels.SHARES:
        path = [tried[shares, penalty] for penalty in PENALTIES]
        peaks.append(next((one for one, after in pairwise(path) if after <= one), path[-1]))
    assert found["valid_metric"] == pytest.approx(max(peaks), abs=0.01)
    assert max(peaks) - min(peaks) > 0.05, "all kernels are worth the same: the test shows nothing"


def test_a_penalty_falls_until_validation_gets_worse_and_of_equals_the_first_is_taken(tmp_path):
    worth = {(1.0, 0.0): [0.5, 0.7, 0.6, 0.9], (0.0, 1.0): [0.7, 0.7, 0.8]}  # the 0.9 is behind a worse one
    tried: list[tuple[Any, float]] = []

    def attempt(shares: Any, penalty: float, start: Tensor | None) -> Candidate:
        assert (start is None) == (penalty == PENALTIES[0])
        tried.append((shares, penalty))
        return Candidate(shares, penalty, worth[shares][PENALTIES.index(penalty)], torch.zeros(1))

    model = pairwise_kernel.build(**DEFAULTS)
    checkpoint = Checkpoint(tmp_path / "none.pt", "")
    found = model._choose(list(worth), attempt, checkpoint, lambda share, text: None)
    asked = zip([(1.0, 0.0)] * 3 + [(0.0, 1.0)] * 2, PENALTIES[:3] + PENALTIES[:2], strict=True)
    assert tried == list(asked)
    assert (found.shares, found.penalty) == ((1.0, 0.0), PENALTIES[1])


def test_bounds_of_validation_decide_nothing(data, run):
    bounds = torch.zeros(data.labels.shape, dtype=torch.int8)
    bounds[::3, 0] = 1
    tasks = tuple(replace(task, kind="real", metric="mae") for task in data.tasks)
    rows = []
    for value in (0.0, 1e6):
        labels = torch.where((bounds != 0) & ~data.labels.isnan(), value, data.labels)
        rows.append(chosen_of(run(spec_of(), replace(data, labels=labels, bounds=bounds, tasks=tasks))))
    assert rows[0] == rows[1]


def test_where_cells_are_split_validation_has_labels_of_its_own(data, run):
    cells = torch.from_numpy(np.random.default_rng(0).choice(3, (150, 3), p=[0.6, 0.2, 0.2])).to(torch.uint8)
    there = ~data.labels.isnan()
    rows = {fold: ((cells == place) & there).any(1).nonzero()[:, 0] for place, fold in enumerate(FOLDS)}
    found = chosen_of(run(spec_of(), replace(data, cell_folds=cells, folds={**data.folds, **rows})))
    assert 0.5 < found["valid_metric"] < 1


def shares_of(row: dict[str, float]) -> tuple[float, ...]:
    return tuple(row[name] for name in task_kernels.NAMES)


def test_labels_of_validation_act_through_the_choice_alone_and_those_of_test_not_at_all(
    data, run, monkeypatch
):
    first = run(spec_of(), data)
    second = run(spec_of(), with_labels(data, "valid", flipped))
    other = run(spec_of(), with_labels(data, "test", flipped))
    assert tensor_bytes(first.weights) == tensor_bytes(other.weights)
    assert chosen_of(first) == chosen_of(other)
    before, after = chosen_of(first), chosen_of(second)
    assert shares_of(before) != shares_of(after) or before["penalty"] != after["penalty"]
    monkeypatch.setattr(pairwise_kernel, "SHARES", (shares_of(after),))
    fixed = run(spec_of(penalty=after["penalty"]), data)
    np.testing.assert_allclose(
        second.weights["coefficients"], fixed.weights["coefficients"], rtol=0, atol=1e-6
    )


def test_a_task_with_few_labels_learns_from_the_labels_of_its_twin(data, run):
    """Molecules of 30 families, each active or not; the first task has labels of a few."""
    rng = np.random.default_rng(0)
    family = np.arange(150) // 5
    bits = (rng.random((30, 64)) < 0.3)[family] ^ (rng.random((150, 64)) < 0.05)
    active = torch.from_numpy((rng.random(30) < 0.5)[family]).float()[:, None].repeat(1, 2)
    active[data.folds["train"][15:], 0] = NAN
    twins = replace(data, labels=active, tasks=data.tasks[:2], inputs=Bits(torch.from_numpy(bits).float()))
    assert chosen_of(run(spec_of(), twins))["own"] < 1
    correct = {}
    for kernel in ("own", "correlation"):
        found = run(spec_of(task_kernel=kernel, penalty=0.1), twins).predictions.query("fold == 'test'")
        own = found[found["task_id"] == "task0"]
        correct[kernel] = ((own["score"] > 0.5) == (own["label"] > 0.5)).mean()
    assert correct["correlation"] > correct["own"] + 0.2


@dataclass(frozen=True)
class Bits:
    """Fingerprints that a test makes."""

    values: Tensor

    def __len__(self) -> int:
        return len(self.values)

    def batch(self, rows: Tensor) -> Tensor:
        return self.values[rows]


def test_where_validation_says_nothing_the_tasks_are_independent_and_the_log_says_so(data, run, caplog):
    silent = with_labels(data, "valid", torch.ones_like)
    with caplog.at_level(logging.WARNING):
        found = chosen_of(run(spec_of(), silent))
    assert (found["own"], found["penalty"]) == (1.0, PENALTIES[0])
    assert math.isnan(found["valid_metric"])
    assert "no task of validation can be evaluated; taken are the kernel {'own': 1.0" in caplog.text


def test_more_molecules_than_memory_are_refused_before_the_kernel_is_made(data, run):
    with pytest.raises(RelataskError, match=r"the kernel of 90 training and 30 validation molecules takes"):
        run(spec_of(max_gigabytes=8e-9 * 90 * 120 * 0.99), data)
    assert run(spec_of(penalty=1.0, max_gigabytes=8e-9 * 90 * 120 * 1.01), data).weights


def test_a_run_without_a_training_label_is_refused(data, run):
    nothing = replace(data, folds={**data.folds, "train": data.folds["train"][:0]})
    with pytest.raises(RelataskError, match="has no labelled item in training; choose other tasks"):
        run(spec_of(), nothing)


def test_progress_says_what_is_tried(data, tmp_path):
    seen: list[tuple[float, str]] = []
    train_run(spec_of(), data, Checkpoint(tmp_path / "none.pt", ""), lambda *args: seen.append(args), True)
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] < 1
    assert any("kernel of tasks 3/7, penalty 30" in text for _, text in seen)
    assert seen[-1][1].startswith("solution for the penalty ")
    seen.clear()
    alone = replace(spec_of(), tasks=("task0",))  # whose kernels are all the same
    train_run(alone, data, Checkpoint(tmp_path / "none.pt", ""), lambda *args: seen.append(args), True)
    assert all("kernel of tasks 1/1" in text for _, text in seen[1:-1])


@pytest.mark.parametrize("stage", ["kernel of tasks 2/7", "kernel of tasks 6/7", "solution for"])
def test_a_killed_run_goes_on_where_it_was_and_ends_with_the_same_bytes(data, tmp_path, monkeypatch, stage):
    monkeypatch.setattr("relatask.engine.checkpoint.SECONDS", 0.0)
    monkeypatch.setattr("relatask.engine.checkpoint.LEAST_WORK", 0)
    path = tmp_path / "run.pt"

    def trained(progress: Callable[[float, str], None]) -> RunResult:
        return train_run(spec_of(), data, Checkpoint(path, "digests"), progress, keep_weights=True)

    undisturbed = trained(lambda share, text: None)
    path.unlink()

    def kill(share: float, text: str) -> None:
        if text.startswith(stage):
            raise Killed

    with pytest.raises(Killed):
        trained(kill)
    seen: list[str] = []
    again = trained(lambda share, text: seen.append(text))
    assert seen[1].startswith(stage), "it started over, or left something out"
    assert tensor_bytes(again.weights) == tensor_bytes(undisturbed.weights)
    assert chosen_of(again) == chosen_of(undisturbed)
    assert again.predictions.equals(undisturbed.predictions)
