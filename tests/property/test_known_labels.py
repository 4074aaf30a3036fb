"""What a method that reads known labels knows of a held-out molecule, and what it must not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from relatask.core.errors import RelataskError
from relatask.core.registry import capabilities, catalogue
from relatask.data.prepared import PreparedDataset
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.known_labels import Setting, apart, passes, support_rows
from relatask.engine.problem import Problem, problems_of
from relatask.engine.run import RunResult, train_run
from relatask.methods.metalink import episodic
from relatask.methods.metalink.episodic import Training
from relatask.plan.spec import RunSpec
from tests.helpers.prepared_dataset import make_spec, random_labels, training_of, write_dataset
from tests.helpers.training_results import learned, scores

SETTINGS = ("standard", "relational", "meta", "relational_meta")
RELATIONAL = pytest.mark.parametrize("setting", ["relational", "relational_meta"])
METHODS = [name for name, ability in catalogue("methods").items() if "setting" in ability.choices]
COMBINATIONS = [
    (method, setting) for method in METHODS for setting in capabilities("methods", method).choices["setting"]
]
ANY = pytest.mark.parametrize(("method", "setting"), COMBINATIONS)
ANY_META = pytest.mark.parametrize(
    ("method", "setting"), [(method, setting) for method, setting in COMBINATIONS if "meta" in setting]
)
N_TASKS = 6


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PreparedDataset:
    folder = write_dataset(tmp_path_factory.mktemp("small"), random_labels(80, N_TASKS))
    return PreparedDataset.load(folder, "scaffold-0", inputs="ecfp")


@pytest.fixture
def run(tmp_path: Path) -> Callable[[RunSpec, PreparedDataset], RunResult]:
    return lambda spec, data: train_run(
        spec, data, Checkpoint(tmp_path / "none.pt", ""), lambda share, text: None, keep_weights=True
    )


def spec_of(setting: str, method: str = "metalink", **options: Any) -> RunSpec:
    spec = make_spec(method)
    small = {"setting": setting, "unseen": 0.34, "shots": 20, "known_ratio": 0.5, "support": 16, **options}
    changed = {name: value for name, value in small.items() if name in spec.method.options}
    return replace(spec, method=spec.method.with_options(**changed))


def problem_of(spec: RunSpec, data: PreparedDataset) -> Problem:
    (problem,) = problems_of(spec, data, per_task=False)
    return problem


def trained(spec: RunSpec, data: PreparedDataset) -> Training:
    training = training_of(problem_of(spec, data))
    assert isinstance(training, Training)
    training.run_epoch(lambda: None)
    return training


@pytest.mark.parametrize("setting", SETTINGS)
def test_each_cell_that_is_evaluated_is_predicted_in_one_pass_that_does_not_know_it(setting, data):
    problem = problem_of(spec_of(setting), data)
    split = Setting.of(problem)
    for fold in ("valid", "test"):
        rows = problem.rows(fold)
        all_passes = list(passes(problem, split, rows))
        times = sum(one.predicted.int() for one in all_passes)
        assert (times[:, split.evaluated(fold)] == 1).all()
        for one in all_passes:
            assert not (one.known & one.predicted).any()
            assert not (one.known & problem.labels(rows).isnan()).any()


@pytest.mark.parametrize("ratio", [0.1, 0.2, 0.5, 0.9])
def test_the_share_of_known_labels_is_the_ratio_of_the_others(tmp_path, ratio):
    full = PreparedDataset.load(
        write_dataset(tmp_path / "full", np.ones((400, 40), np.float32)), "scaffold-0", inputs="ecfp"
    )
    problem = problem_of(spec_of("relational", known_ratio=ratio), full)
    rows = problem.rows("test")
    shares = [float(one.known.float().mean()) for one in passes(problem, Setting.of(problem), rows)]
    assert len(shares) == 10
    assert np.mean(shares) == pytest.approx(ratio, abs=0.01)


@RELATIONAL
def test_the_saved_run_says_what_was_known(setting, data, run):
    result = run(spec_of(setting), data)
    shown, predictions = result.known_labels, result.predictions
    assert shown is not None
    evaluated = shown[shown["predicted_in"] >= 0]
    assert len(evaluated) == len(predictions)
    cell = ["fold", "item_id", "task_id"]
    assert evaluated[cell].reset_index(drop=True).equals(predictions[cell])
    own = np.right_shift(evaluated["known_in"].to_numpy(), evaluated["predicted_in"].to_numpy()) & 1
    assert not own.any()
    assert (shown["known_in"] > 0).mean() > 0.2
    labelled = sum(int((~data.labels[data.folds[fold]].isnan()).sum()) for fold in ("valid", "test"))
    assert (shown["fold"] != "train").sum() == labelled


@pytest.mark.parametrize(
    ("method", "setting", "size"),
    [
        ("metalink", "relational", 16),
        ("metalink", "meta", 20),
        ("metalink", "relational_meta", 20),
        ("baseline_pp", "meta", 20),
    ],
)
def test_the_saved_run_says_what_the_support_told(method, setting, size, data, run):
    shown = run(spec_of(setting, method), data).known_labels
    assert shown is not None
    told = shown[shown["fold"] == "train"]
    assert (told["predicted_in"] == -1).all()
    training = data.item_ids[data.folds["train"]].tolist()
    assert set(told["item_id"]) <= set(training)
    first = told[told["known_in"] & 1 > 0]
    assert first["item_id"].nunique() == size
    expected = {"meta": {"task4", "task5"}}.get(setting, {f"task{task}" for task in range(N_TASKS)})
    assert set(first["task_id"]) == expected
    if "meta" in setting:  # validation is told of seen tasks alone
        assert set(told.loc[told["known_in"] > 1, "task_id"]) >= {"task0"}
        assert not set(told.loc[told["known_in"] & ~1 > 0, "task_id"]) & {"task4", "task5"}


@pytest.mark.parametrize("setting", ["relational", "meta", "relational_meta"])
@pytest.mark.parametrize("predictor", ["dot", "mlp"])
def test_what_is_said_of_a_molecule_does_not_depend_on_those_beside_it(setting, predictor, data):
    training = trained(spec_of(setting, predictor=predictor), data)
    rows = training.problem.rows("test")
    together = training.predict(rows)
    for part in (rows[:1], rows[3:5], rows.flip(0)):
        alone = training.predict(part)
        expected = together[torch.isin(rows, part)]
        expected = expected.flip(0) if part[0] > part[-1] else expected
        torch.testing.assert_close(alone, expected, rtol=1e-5, atol=1e-6)


def test_without_a_support_a_draw_and_not_the_table_says_which_molecules_are_together(data):
    training = trained(spec_of("relational", support=0), data)
    everyone = torch.ones(len(data.labels), dtype=torch.bool)
    rows = torch.arange(len(data.labels))
    batches = training._batches(rows, everyone, alone=False)
    assert sorted(torch.cat(list(batches)).tolist()) == rows.tolist()
    assert [len(batch) for batch in batches] == [16] * 5
    assert all(batch.float().std() > 15 for batch in batches)  # of 80 rows in their order: 4.8
    again = training._batches(rows.flip(0), everyone, alone=False)
    assert [set(rows.flip(0)[batch].tolist()) for batch in again] == [
        set(batch.tolist()) for batch in batches
    ]


def test_a_molecule_of_the_support_is_told_by_the_others():
    rows, support = torch.arange(10), torch.tensor([3, 20, 5, 21, 8])
    asked = torch.zeros(10, dtype=torch.int64)
    for here, beside in apart(rows, support):
        asked += here
        assert not set(rows[here].tolist()) & set(support[beside].tolist())
        assert len(support[beside]) >= 2
    assert (asked == 1).all()


@pytest.mark.parametrize("setting", ["relational", "relational_meta"])
def test_known_labels_help_where_tasks_agree(setting, tmp_path, run):
    rng = np.random.default_rng(0)
    latent = rng.random(300) < 0.5
    labels = (latent[:, None] ^ (rng.random((300, N_TASKS)) < 0.1)).astype(np.float32)
    folder = write_dataset(tmp_path / "agreeing", labels)
    agreeing = PreparedDataset.load(folder, "scaffold-0", inputs="ecfp")  # of random bits
    training = {**spec_of(setting).training, "epochs": 30, "learning_rate": 0.003}
    values = {}
    for ratio in (0.0, 0.5):
        spec = replace(spec_of(setting, known_ratio=ratio, support=64, shots=64), training=training)
        cells = run(spec, agreeing).predictions.query("fold == 'test'")
        values[ratio] = roc_auc_score(cells["label"], cells["score"])
    assert values[0.0] < 0.65
    assert values[0.5] > 0.8


@RELATIONAL
@pytest.mark.parametrize("predictor", ["dot", "mlp"])
def test_a_predicted_label_moves_other_predictions_and_never_its_own(setting, predictor, data):
    training = trained(spec_of(setting, predictor=predictor), data)
    problem, rows = training.problem, training.problem.rows("test")
    evaluated, before = training.setting.evaluated("test"), training.predict(rows)
    moved = 0
    for item, task in torch.nonzero(~problem.labels(rows).isnan()).tolist()[::3]:
        labels = data.labels.clone()
        labels[rows[item], task] = 1 - labels[rows[item], task]
        changed = trained_like(training, replace(data, labels=labels)).predict(rows)
        if evaluated[task]:
            assert changed[item, task] == before[item, task]
        moved += not torch.equal(changed, before)
    assert moved


def trained_like(training: Training, data: PreparedDataset) -> Training:
    """The same network over other labels."""
    other = training_of(problem_of(training.problem.spec, data))
    other.restore(training.state())
    assert isinstance(other, Training)
    return other


@ANY
def test_labels_of_test_change_nothing_that_was_learned_or_chosen(method, setting, data, run):
    spec = spec_of(setting, method)
    labels = data.labels.clone()
    labels[data.folds["test"]] = 1 - labels[data.folds["test"]]
    first, second = run(spec, data), run(spec, replace(data, labels=labels))
    assert learned(first) == learned(second)
    assert scores(first, "valid").equals(scores(second, "valid"))
    if "relational" in setting:  # or the labels would not be read at all
        assert not first.predictions["score"].equals(second.predictions["score"])


@ANY_META
def test_labels_of_unseen_tasks_are_read_for_the_test_alone(method, setting, data, run):
    spec = spec_of(setting, method)
    unseen = Setting.of(problem_of(spec, data)).unseen
    assert unseen.tolist() == [False] * (N_TASKS - 2) + [True] * 2
    labels = data.labels.clone()
    labels[:, unseen] = 1 - labels[:, unseen]
    first, second = run(spec, data), run(spec, replace(data, labels=labels))
    assert learned(first) == learned(second)
    assert scores(first, "valid").equals(scores(second, "valid"))
    assert not scores(first, "test").equals(scores(second, "test"))  # their support is read


@pytest.mark.parametrize("setting", ["meta", "relational_meta"])
def test_validation_asks_nothing_of_unseen_tasks(setting, data, monkeypatch):
    training, asked = trained(spec_of(setting), data), []
    monkeypatch.setattr(
        episodic, "support_rows", lambda *given: asked.append(given[-1].predicted) or support_rows(*given)
    )
    training.valid_value()
    assert len(asked) == (1 if setting == "meta" else 2)
    assert not any((predicted & training.setting.unseen).any() for predicted in asked)


@ANY_META
def test_a_meta_setting_tests_unseen_tasks_and_validates_on_seen_ones(method, setting, data, run):
    tasks = run(spec_of(setting, method), data).predictions.groupby("fold")["task_id"].unique()
    assert sorted(tasks["test"]) == ["task4", "task5"]
    assert sorted(tasks["valid"]) == ["task0", "task1", "task2", "task3"]


@pytest.mark.parametrize("setting", SETTINGS)
def test_support_and_query_share_no_molecule(setting, data, monkeypatch):
    training = trained(spec_of(setting, support=16), data)
    for _ in range(20):
        batch = training.rows[torch.randperm(len(training.rows))[:16]]
        support = training._support(batch)
        assert not set(batch.tolist()) & set(support.tolist())
        assert len(set(support.tolist())) == (0 if setting == "standard" else 16)
    for one in passes(training.problem, training.setting, training.problem.rows("test")):
        told = support_rows(training.problem, training.setting, one)
        assert set(told.tolist()) <= set(data.folds["train"].tolist())
        assert len(told) == {"standard": 0, "relational": 16}.get(setting, 20)


@pytest.mark.parametrize("setting", ["relational", "meta", "relational_meta"])
@pytest.mark.parametrize("batch_size", [16, 40, 1000])
def test_a_query_leaves_molecules_that_tell_of_it(setting, batch_size, data, monkeypatch):
    spec = make_spec("metalink", training={"batch_size": batch_size})
    training = Training(problem_of(replace(spec, method=spec_of(setting, support=16).method), data))
    sizes, drawn = [], training._support
    monkeypatch.setattr(
        training, "_support", lambda batch: sizes.append((len(batch), len(found := drawn(batch)))) or found
    )
    training.run_epoch(lambda: None)
    assert sum(query for query, _ in sizes) == len(training.rows)
    assert len(sizes) == training.n_steps >= 2
    assert {support for _, support in sizes} == {16}


def test_what_is_known_does_not_depend_on_other_options_or_molecules(data):
    first, second = (problem_of(spec_of("relational", layers=layers), data) for layers in (1, 3))
    rows = first.rows("test")
    for one, other in zip(
        passes(first, Setting.of(first), rows), passes(second, Setting.of(second), rows[3:]), strict=True
    ):
        assert torch.equal(one.known[3:], other.known)
        assert torch.equal(one.predicted[3:], other.predicted)


def test_a_setting_that_holds_out_the_only_task_is_refused(tmp_path):
    folder = write_dataset(tmp_path / "one", random_labels(40, 1))
    data = PreparedDataset.load(folder, "scaffold-0", inputs="ecfp")
    training = Training(problem_of(spec_of("meta"), data))
    with pytest.raises(RelataskError, match=r"holds out 1 of 1 tasks.*choose another setting"):
        training.require_examples()
