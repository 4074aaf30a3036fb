"""Few-shot learning equals its equations, reads nothing of what it asks, and learns from training classes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from relatask.config import StudyConfig, load_study
from relatask.core.errors import RelataskError
from relatask.core.plugins import load_file
from relatask.data.prepared import PreparedDataset
from relatask.data.source_tables import SourceContext
from relatask.engine import checkpoint as checkpoints
from relatask.engine.checkpoint import Checkpoint, tensor_bytes
from relatask.engine.problem import Problem, problems_of
from relatask.engine.run import RunResult, train_run
from relatask.evaluation.metrics_table import evaluate
from relatask.inputs.image import Images
from relatask.methods.few_shot.episodes import Pool, evaluated_episodes, true_ways
from relatask.methods.few_shot.few_shot import Training
from relatask.methods.few_shot.prototypes import Prototypes
from relatask.nn.contract import TaskContext
from relatask.plan.plan import plan_runs
from relatask.plan.spec import RunSpec
from relatask.publishing.published_values import lookup, read_published
from tests.helpers.class_layouts import write_omniglot
from tests.helpers.data_tables import prepared_folder, source_of
from tests.helpers.prepared_dataset import make_spec
from tests.helpers.training_results import learned, scores
from tests.oracles.few_shot import episode, meta_baseline

WIDTH, WAYS, SHOTS, ASKED = 6, 3, 2, 5
FORM = {"ways": 3, "shots": 2, "queries": 4, "evaluated": 20}
ENCODER = {"depth": 12, "width": 2, "weights": ""}


class Given(nn.Module):
    """An encoder whose output is its input."""

    width = WIDTH

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def model_of(layers: int) -> Prototypes:
    torch.manual_seed(0)
    context = TaskContext(["a", "b"], torch.zeros(2, 0), torch.zeros(0), lambda task: ord(task))
    model = Prototypes(Given(), context, layers, classifies=False).double()  # type: ignore[arg-type]
    nn.init.uniform_(model.temperatures, 1, 3)
    return model


def embeddings() -> tuple[torch.Tensor, torch.Tensor]:
    """Of two episodes: support [2, N, K, D] and queries [2, Q, D]."""
    generator = torch.Generator().manual_seed(1)
    shapes = ((2, WAYS, SHOTS, WIDTH), (2, ASKED, WIDTH))
    return tuple(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)  # type: ignore


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PreparedDataset:
    folder = tmp_path_factory.mktemp("characters")
    source = source_of(reader="omniglot", path=str(write_omniglot(folder / "o")), image_size=16)
    tables = load_file(source.record).prepare(source, SourceContext("o", schemes=("grouped",)))
    splits = {"grouped": {"seeds": (0, 1), "fractions": (0.5, 0.25, 0.25)}}
    prepared_folder(folder / "made", tables, ["image"], splits)
    return PreparedDataset.load(folder / "made", "grouped-0", inputs="image")


def spec_of(layers: int = 0, pretraining: int = 0, episodes: int = 8, **changes: Any) -> RunSpec:
    options = {"layers": layers, "pretraining": pretraining, "episodes": episodes}
    training = {"epochs": 2, "batch_size": 4, **changes.pop("training", {})}
    fixed = {"split": "grouped", "options": options, "encoder_options": ENCODER, "training": training}
    return make_spec("prototypes", "resnet", episodes=FORM, **{**fixed, **changes})


def problem_of(spec: RunSpec, data: PreparedDataset) -> Problem:
    (problem,) = problems_of(spec, data, per_task=False)
    return problem


def run(spec: RunSpec, data: PreparedDataset, path: Path) -> RunResult:
    return train_run(spec, data, Checkpoint(path, ""), lambda share, text: None, keep_weights=True)


def test_without_layers_it_is_meta_baseline() -> None:
    model, (support, queries) = model_of(0), embeddings()
    found = model.relate(support, queries)
    for number in range(2):
        expected = meta_baseline(model.temperatures[0], support[number], queries[number])
        torch.testing.assert_close(found[number], expected)
    ways = torch.tensor([[0, 1, 2, 0, 1], [2, 2, 1, 0, 0]])
    expected = torch.stack([F.cross_entropy(*pair) for pair in zip(found, ways, strict=True)])
    torch.testing.assert_close(model.losses(found, ways), expected)


@pytest.mark.parametrize("layers", [0, 1, 2, 3])
def test_episodes_side_by_side_equal_their_equations_with_gradients(layers: int) -> None:
    model, (support, queries) = model_of(layers), embeddings()
    parameters = dict(model.named_parameters())
    found = model.relate(support, queries)
    expected = torch.stack([episode(parameters, layers, support[n], queries[n]) for n in range(2)])
    torch.testing.assert_close(found, expected)
    weights = torch.linspace(-1, 1, found.numel()).double().view(found.shape).cos()
    mine, theirs = (
        torch.autograd.grad((output * weights).sum(), [*parameters.values()], materialize_grads=True)
        for output in (found, expected)
    )
    torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_a_query_sees_no_other_query_and_the_told_images_move_it(layers: int) -> None:
    model, (support, queries) = model_of(layers), embeddings()
    before = model.relate(support, queries)
    others = queries.clone()
    others[:, 1:] = torch.randn_like(others[:, 1:])
    after = model.relate(support, others)
    assert torch.equal(after[:, 0], before[:, 0])
    assert not torch.equal(after[:, 1:], before[:, 1:])
    swapped = support.clone()
    swapped[:, [0, 1], 0] = support[:, [1, 0], 0]  # one image of each is told to be of the other class
    assert not torch.isclose(model.relate(swapped, queries), before).all(2).any()


def test_the_images_of_an_episode_are_of_its_classes_and_all_different(data: PreparedDataset) -> None:
    problem = problem_of(spec_of(), data)
    generator = torch.Generator().manual_seed(0)
    for fold in data.folds:
        drawn = Pool.of(problem, fold).draw(1500, 3, 6, generator)
        assert drawn.shape == (1500, 3, 6)
        assert set(drawn.flatten().tolist()) <= set(data.folds[fold].tolist())
        classes = data.class_of[drawn]
        assert (classes == classes[..., :1]).all()
        assert all(len(set(of)) == 3 for of in classes[..., 0].tolist())
        assert all(len(set(images)) == 18 for images in drawn.flatten(1).tolist())
        assert set(drawn.flatten().tolist()) == set(data.folds[fold].tolist())  # each has its turn


def test_held_out_episodes_are_the_same_for_every_method_and_others_for_each_fold_and_seed(
    data: PreparedDataset,
) -> None:
    first, second = (problem_of(spec_of(layers, training={"epochs": 2 + layers}), data) for layers in (0, 2))
    for fold in ("valid", "test"):
        episodes = evaluated_episodes(first, fold)
        assert torch.equal(episodes, evaluated_episodes(second, fold))
        assert set(episodes.flatten().tolist()) <= set(data.folds[fold].tolist())
        other = evaluated_episodes(problem_of(replace(first.spec, seed=1), data), fold)
        assert not torch.equal(episodes, other)


def test_an_episode_that_no_fold_can_hold_is_refused(data: PreparedDataset, tmp_path: Path) -> None:
    for form, message in (
        ({**FORM, "queries": 7}, "0 of [0-9]+ classes of the fold 'train' have the 9 images"),
        ({**FORM, "ways": 7}, "lower ways, shots or queries of datasets.episodes"),
    ):
        with pytest.raises(RelataskError, match=message):
            run(replace(spec_of(), episodes=form), data, tmp_path / "c.pt")


@pytest.mark.parametrize("layers", [0, 2])
def test_what_is_asked_is_no_input_of_the_answer(layers: int, data: PreparedDataset) -> None:
    training = Training(problem_of(spec_of(layers), data))
    training.run_epoch(lambda: None)
    rows = training.held_out["test"]
    before = training.predict(rows)
    asked = rows[..., SHOTS:].flatten()
    classes = data.class_of.clone()
    classes[asked] = classes[asked.flip(0)]  # labels of the queries
    training.problem = replace(training.problem, data=replace(data, labels=classes[:, None].float()))
    assert torch.equal(training.predict(rows), before)
    moved = rows.clone()  # images asked in the place of another class's: their answers go with them
    moved[:, :, SHOTS:] = rows[:, [1, 2, 0], SHOTS:]
    answers = [found.view(len(rows), WAYS, -1, WAYS) for found in (training.predict(moved), before)]
    torch.testing.assert_close(answers[0], answers[1][:, [1, 2, 0]], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("options", [{}, {"layers": 1, "pretraining": 1}])
def test_images_of_test_classes_change_nothing_that_was_learned_or_chosen(
    options: dict[str, int], data: PreparedDataset, tmp_path: Path
) -> None:
    assert isinstance(data.inputs, Images)
    pixels = data.inputs.pixels.clone()
    pixels[data.folds["test"]] = 255 - pixels[data.folds["test"]]
    spec = spec_of(**options)
    first, second = (run(spec, d, tmp_path / "c.pt") for d in (data, replace(data, inputs=Images(pixels))))
    assert learned(first) == learned(second)
    assert scores(first, "valid").equals(scores(second, "valid"))
    pixels = data.inputs.pixels.clone()
    pixels[data.folds["valid"]] = 255 - pixels[data.folds["valid"]]
    third = run(spec, replace(data, inputs=Images(pixels)), tmp_path / "c.pt")
    # validation chooses, and teaches nothing
    assert third.history["train_loss"].equals(first.history["train_loss"])


def test_the_saved_predictions_are_the_answers_of_each_episode(data: PreparedDataset, tmp_path: Path) -> None:
    spec = spec_of(1)
    result = run(spec, data, tmp_path / "c.pt")
    found = result.predictions
    assert len(found) == 2 * FORM["evaluated"] * FORM["ways"] * FORM["queries"]
    assert set(found["task_id"]) == {f"episode{number:05d}" for number in range(FORM["evaluated"])}
    assert found["label"].isin(range(3)).all()
    assert found["score"].isin(range(3)).all()
    episodes = evaluated_episodes(problem_of(spec, data), "test")
    own = found[(found["fold"] == "test") & (found["task_id"] == "episode00007")]
    told = {data.class_of[images[0]].item(): way for way, images in enumerate(episodes[7])}
    assert sorted(own["item_id"]) == sorted(data.item_ids[episodes[7, :, SHOTS:].flatten()].tolist())
    assert own["label"].tolist() == [told[data.class_of[item].item()] for item in own["item_id"]]
    metrics = evaluate(found, ["accuracy"])
    values = metrics[(metrics["fold"] == "test") & (metrics["task_id"] == "episode00007")]["value"]
    assert values.tolist() == [(own["label"] == own["score"]).mean()]
    best = result.history["valid_metric"].max()
    valid = metrics[metrics["fold"] == "valid"]["value"].mean()
    assert best == pytest.approx(valid, abs=1e-6)  # the epoch that is kept predicts


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_new_characters_are_told_apart(layers: int, data: PreparedDataset, tmp_path: Path) -> None:
    spec = spec_of(layers, episodes=40, training={"epochs": 4}, encoder_options={**ENCODER, "width": 4})
    found = run(spec, data, tmp_path / "c.pt").predictions
    right = (found["label"] == found["score"])[found["fold"] == "test"]
    assert right.mean() > 0.75  # chance: 1 / 3


def test_the_first_stage_classifies_training_classes_and_counts_for_no_choice(data: PreparedDataset) -> None:
    training = Training(problem_of(spec_of(1, pretraining=1), data))
    seen = data.class_of[data.folds["train"]].unique()
    start = training.model.heads.weight.clone()
    layer = training.model.layers[0].update.weight.clone()
    training.run_epoch(lambda: None)
    moved = (training.model.heads.weight != start).any(1)
    assert moved.nonzero()[:, 0].tolist() == seen.tolist()
    assert torch.equal(training.model.layers[0].update.weight, layer)
    rows = training._drawn[1].flatten()
    counts = torch.bincount(rows)[data.folds["train"]]
    assert len(rows) == 8 * 3 * 6
    assert counts.max() - counts.min() <= 1  # each as often as any other
    training.selections[0].best = 2.0  # more than any accuracy
    training.run_epoch(lambda: None)
    assert training.selections[0].best <= 1
    assert not torch.equal(training.model.layers[0].update.weight, layer)


def test_patience_ends_no_first_stage_before_the_second(data, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(Training, "valid_value", lambda training: 0.5)  # nothing gets better
    patient = {"epochs": 6, "patience": 1}
    lengths = [
        len(run(spec_of(0, pretraining, training=patient), data, tmp_path / "c.pt").history)
        for pretraining in (0, 3, 6)
    ]
    assert lengths == [2, 5, 2]


def test_rows_start_from_the_same_encoder_and_share_the_first_stage(data: PreparedDataset) -> None:
    trained = []
    for layers, pretraining in ((0, 1), (2, 1), (0, 2)):
        training = Training(problem_of(spec_of(layers, pretraining), data))
        training.run_epoch(lambda: None)
        trained.append(training)
    first, *others = (tensor_bytes(one.model.encoder.state_dict()) for one in trained)
    assert all(other == first for other in others)
    assert len({one.problem.spec.run_id for one in trained}) == 3
    seeds = {replace(trained[0].problem.spec, seed=seed).random_seed("initialisation") for seed in (0, 1)}
    assert len(seeds) == 2


def test_a_killed_run_goes_on_to_the_same_bytes(data: PreparedDataset, tmp_path: Path, monkeypatch) -> None:
    spec = spec_of(1, pretraining=1)
    whole = run(spec, data, tmp_path / "whole.pt")
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "LEAST_WORK", 0)

    for last in (2, 4):  # in either stage
        path, steps = tmp_path / f"{last}.pt", iter(range(1, last + 1))

        def told(share: float, text: str, steps: Iterator[int] = steps, last: int = last) -> None:
            if next(steps) == last:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train_run(spec, data, Checkpoint(path, ""), told, True)
        assert Checkpoint(path, "").in_flight is not None
        again = run(spec, data, path)
        assert learned(again) == learned(whole)
        assert again.predictions.equals(whole.predictions)


def test_the_class_of_a_query_is_its_place() -> None:
    assert true_ways(torch.zeros(2, 3, 4, dtype=torch.int64), 2).tolist() == [[0, 0, 1, 1, 2, 2]] * 2


STUDY: dict[str, Any] = {
    "title": "t",
    "sources": {"o": {"reader": "omniglot", "path": "o"}},
    "datasets": {"d": {"source": "o"}},
    "splits": {"schemes": ["grouped"]},
    "methods": [{"label": "P", "method": "prototypes", "encoder": "resnet"}],
    "baseline": "P",
    "metrics": ["accuracy"],
    "scales": {"quick": {}},
}
MOLECULES = {"sources": {"o": {"reader": "planted"}}, "splits": {}, "metrics": ["roc_auc"]}
COCO = {
    "sources": {"o": {"reader": "coco", "path": "o"}},
    "splits": {"schemes": ["given"]},
    "metrics": ["roc_auc"],
}
ROW = STUDY["methods"][0]
EPISODES = {"datasets": {"d": {"source": "o", "episodes": {"shots": 1}}}}
REFUSED: dict[str, dict[str, Any]] = {
    "method 'prototypes' does not learn from molecules": MOLECULES,
    "method 'prototypes' does not learn from images; name another": COCO,
    "method 'shared_bottom' does not learn from images with one class each": {
        "methods": [{**ROW, "method": "shared_bottom"}]
    },
    "method 'metalink' does not learn from images with one class each": {
        "methods": [{**ROW, "method": "metalink"}]
    },
    "encoder 'gin' does not read images": {"methods": [{**ROW, "encoder": "gin"}]},
    "'prototypes' is no network that learns tasks together": {"methods": [{**ROW, "ensemble": 3}]},
    "so there is nothing to balance": {"methods": [{**ROW, "balancing": "dwa"}]},
    "`imputation` needs one model of all tasks": {"imputation": ["P"]},
    "metrics: the tasks have classes, .* accuracy, .*macro_f1.* for classes": {"metrics": ["roc_auc"]},
    "splits.schemes: it is \\['given'\\] or \\['grouped'\\] for images": {"splits": {"schemes": ["random"]}},
    "splits.schemes: it is \\['given'\\] for images": {
        "sources": {"o": {"reader": "miniimagenet", "path": "o"}}
    },
    "sources: images and others do not go into one study": {
        "sources": {**STUDY["sources"], "c": {"reader": "coco", "path": "c"}}
    },
    "datasets.d.episodes: they are of images with one class each": {**MOLECULES, **EPISODES},
    "rotated: only the reader omniglot reads it": {
        "sources": {"o": {"reader": "tieredimagenet", "path": "o", "rotated": True}}
    },
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_makes_no_sense_is_refused_before_anything_is_trained(message: str) -> None:
    with pytest.raises((RelataskError, ValueError), match=message):
        plan_runs(StudyConfig.model_validate({**STUDY, **REFUSED[message]}), "quick")


def test_the_form_of_episodes_is_part_of_a_run_and_of_no_other_kind_of_data() -> None:
    (five,) = plan_runs(StudyConfig.model_validate({**STUDY, "scales": {"quick": {"seeds": [0]}}}), "quick")
    assert five.spec.episodes == {"ways": 5, "shots": 5, "queries": 15, "evaluated": 800}
    assert RunSpec.from_json(five.spec.as_dict()) == five.spec
    assert replace(five.spec, episodes={**five.spec.episodes, "shots": 1}).run_id != five.spec.run_id
    assert make_spec().episodes is None


def test_published_numbers_stand_beside_the_rows_that_have_them(root: Path) -> None:
    study = load_study(root / "config" / "studies" / "metalink_imagenet.yaml")
    printed = lookup(read_published(root / "config" / "published.csv"), study.paper, study.metrics[0])
    found = {
        (row.label, name): printed[row.published, dataset.published].value
        for row in study.methods
        for name, dataset in study.datasets.items()
        if row.published
    }
    assert found["Meta_Baseline", "mini_imagenet"] == 79.26
    assert found["MetaLink_1", "tiered_imagenet"] == 83.91
    assert found["MetaLink_2", "mini_imagenet"] == 81.13
    assert len(found) == 6
