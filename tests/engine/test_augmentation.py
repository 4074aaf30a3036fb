"""Images are cropped and flipped in training, and in training alone."""

import io
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from relatask.config import StudyConfig, parse
from relatask.core.errors import RelataskError
from relatask.data.prepared import PreparedDataset
from relatask.engine.augmentation import crop_flip
from relatask.engine.checkpoint import tensor_bytes
from relatask.engine.epochs import EpochTraining
from relatask.engine.problem import problems_of
from relatask.plan.plan import plan_runs
from relatask.sources.images.coco import coco_tables
from tests.helpers.coco_layout import write_layout
from tests.helpers.data_tables import prepared_folder
from tests.helpers.prepared_dataset import make_spec, training_of

SIDE = 16
LOOPS = pytest.mark.parametrize(
    ("method", "setting"),
    [("shared_bottom", None), ("metalink", "relational"), ("metalink", "meta"), ("baseline_pp", "meta")],
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PreparedDataset:
    folder = tmp_path_factory.mktemp("images")
    tables = coco_tables(write_layout(folder / "coco", n=30, n_drawn=3), SIDE)
    splits = {"given": {"seeds": (0,), "fractions": (0.8, 0.1, 0.1)}}
    prepared_folder(folder / "made", tables, ["image"], splits)
    return PreparedDataset.load(folder / "made", "given-0", inputs="image")


def make_training(data: PreparedDataset, method: str, setting: str | None, **training: Any) -> EpochTraining:
    spec = make_spec(
        method,
        "resnet",
        split="given",
        encoder_options={"depth": 12, "width": 4, "weights": ""},
        training={"augmentation": "crop_flip", "epochs": 2, **training},
    )
    small = {"setting": setting, "support": 6, "shots": 12, "unseen": 0.34}
    spec.method.options.update({name: value for name, value in small.items() if name in spec.method.options})
    return training_of(problems_of(spec, data, per_task=False)[0])


def places(image: torch.Tensor, found: torch.Tensor) -> list[tuple[bool, int, int]]:
    """(mirrored, row, column) of each window of the padded `image` [C, H, W] that is `found`."""
    height, width = image.shape[1:]
    reach = (height // 8, width // 8)
    padded = F.pad(image[None], (reach[1], reach[1], reach[0], reach[0]), mode="reflect")[0]
    wanted = {False: found, True: found.flip(2)}
    return [
        (mirrored, row - reach[0], column - reach[1])
        for row in range(2 * reach[0] + 1)
        for column in range(2 * reach[1] + 1)
        for mirrored, window in wanted.items()
        if torch.equal(padded[:, row : row + height, column : column + width], window)
    ]


def test_each_image_becomes_a_window_of_the_mirrored_image_half_of_them_flipped():
    torch.manual_seed(0)
    images = torch.rand(400, 2, 16, 24)  # windows move by 2 rows and 3 columns
    cut = crop_flip(images)
    assert (cut.shape, cut.dtype) == (images.shape, images.dtype)
    drawn = [places(*pair) for pair in zip(images, cut, strict=True)]
    assert all(len(found) == 1 for found in drawn)
    mirrored, rows, columns = zip(*(found[0] for found in drawn), strict=True)
    assert 160 < sum(mirrored) < 240
    for moves, reach in ((rows, 2), (columns, 3)):
        counts = [moves.count(move) for move in range(-reach, reach + 1)]
        assert sum(counts) == 400
        assert min(counts) > 0.6 * 400 / len(counts)


def test_draws_are_those_of_the_global_generator():
    images = torch.rand(8, 3, 16, 16)
    torch.manual_seed(5)
    first, second = crop_flip(images), crop_flip(images)
    torch.manual_seed(5)
    assert torch.equal(crop_flip(images), first)
    assert not torch.equal(first, second)


def test_an_image_too_small_to_move_in_is_at_most_flipped():
    image = torch.arange(49.0).view(1, 1, 7, 7).expand(50, 1, 7, 7)
    cut = crop_flip(image)
    assert {found[0, 0, 0].item() for found in cut} == {0.0, 6.0}


@LOOPS
def test_a_step_reads_windows_of_all_its_images_and_the_support_is_among_them(data, method, setting):
    training = make_training(data, method, setting)
    batch, seen = training.rows[:5], list[torch.Tensor]()
    training.model.encoder.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    training.take_step(batch)
    (read,) = seen
    assert len(read) == 5 + 6 * (method == "metalink")
    originals = data.x(torch.arange(len(data.labels)))
    moved = 0
    for position, image in enumerate(read):
        among = originals[batch[position]][None] if position < 5 else originals[training.rows]
        found = [place for original in among for place in places(original, image)]
        assert len(found) == 1
        moved += found[0] != (False, 0, 0)
    assert moved > len(read) / 2


@LOOPS
def test_prediction_and_validation_read_images_as_they_are_and_draw_nothing(data, method, setting):
    training = make_training(data, method, setting)
    plain = make_training(data, method, setting, augmentation="none")
    plain.model.load_state_dict(training.model.state_dict())
    before = torch.get_rng_state()
    for fold in ("valid", "test"):
        rows = data.folds[fold]
        assert torch.equal(training.predict(rows), plain.predict(rows))
        assert torch.equal(training.probabilities(rows), plain.probabilities(rows))
    assert training.valid_value() == pytest.approx(plain.valid_value(), nan_ok=True)
    assert torch.equal(torch.get_rng_state(), before)


@LOOPS
def test_it_changes_what_is_learned_and_going_on_after_any_step_gives_the_same_bytes(data, method, setting):
    training, states = make_training(data, method, setting), list[bytes]()
    while not training.is_over():
        training.run_epoch(lambda: states.append(tensor_bytes(training.state())))
    plain = make_training(data, method, setting, augmentation="none")
    while not plain.is_over():
        plain.run_epoch(lambda: None)
    assert tensor_bytes(plain.selections[0].weights) != tensor_bytes(training.selections[0].weights)
    for state in states[:-1]:
        torch.manual_seed(99)  # whatever the new process drew before
        resumed = make_training(data, method, setting)
        resumed.restore(torch.load(io.BytesIO(state), weights_only=True))
        while not resumed.is_over():
            resumed.run_epoch(lambda: None)
        assert tensor_bytes(resumed.selections[0].weights) == tensor_bytes(training.selections[0].weights)


def study(reader: str, encoder: str, **training: str) -> StudyConfig:
    path = {"path": "somewhere"} if reader == "coco" else {}
    values = {
        "title": "t",
        "sources": {"s": {"reader": reader, **path}},
        "datasets": {"d": {"source": "s"}},
        "splits": {"schemes": ["given" if reader == "coco" else "random"]},
        "training": training,
        "methods": [{"label": "MTL", "method": "shared_bottom", "encoder": encoder}],
        "baseline": "MTL",
        "scales": {"quick": {"seeds": [0]}},
    }
    return parse(StudyConfig, values, "here")


def test_molecules_refuse_it_in_one_sentence():
    with pytest.raises(RelataskError) as caught:
        plan_runs(study("planted", "gin", augmentation="crop_flip"), "quick")
    assert str(caught.value) == (
        "methods.MTL on data set 'd': `training.augmentation: crop_flip` is for images, not for molecules; "
        "remove it."
    )


def test_it_is_part_of_a_runs_name():
    (none,), (default,), (augmented,) = (
        plan_runs(study("coco", "resnet", **training), "quick")
        for training in ({"augmentation": "none"}, {}, {"augmentation": "crop_flip"})
    )
    assert none.spec.run_id == default.spec.run_id != augmented.spec.run_id
