"""COCO's layout becomes images, tasks, labels and splits; what is not COCO's layout is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score

from relatask.core.errors import RelataskError
from relatask.core.files import read_json
from relatask.data.prepared import PreparedDataset
from relatask.encoders.resnet import build
from relatask.engine.checkpoint import Checkpoint, tensor_bytes
from relatask.engine.run import RunResult, train_run
from relatask.inputs.image import decode
from relatask.sources.images.coco import coco_tables, read_coco
from tests.helpers.coco_layout import write_layout
from tests.helpers.data_tables import prepared_folder, source_of
from tests.helpers.prepared_dataset import make_spec
from tests.helpers.training_results import scores

FRACTIONS = (0.8, 0.1, 0.1)


def made(layout: Path, seeds: tuple[int, ...], out: Path, size: int = 32) -> Path:
    splits = {"given": {"seeds": seeds, "fractions": FRACTIONS}}
    return prepared_folder(out, coco_tables(layout, size), ["image"], splits)


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    return write_layout(tmp_path / "coco")


def test_categories_are_tasks_and_images_are_in_the_order_of_their_ids(layout):
    names, parts = read_coco(layout)
    assert names == ["car", "dog", "bus"]
    train = parts["train2017"]
    assert [file.name for file in train.files] == [f"{100 + i:012d}.jpg" for i in range(20)]
    expected = [[float(i % 4 == 0), float(i % 2), 0.0] for i in range(20)]
    assert train.labels.tolist() == expected


def test_the_data_set_is_what_methods_read(layout, tmp_path):
    out = made(layout, (0, 5), tmp_path / "made")
    sizes = [len(pd.read_parquet(out / f"{name}.parquet")) for name in ("items", "tasks", "labels")]
    assert sizes == [26, 3, 78]
    data = PreparedDataset.load(tmp_path / "made", "given-5", inputs="image")
    assert [len(rows) for rows in data.folds.values()] == [18, 2, 6]
    assert data.folds["test"].tolist() == list(range(20, 26))
    assert not set(data.folds["train"].tolist()) & set(data.folds["valid"].tolist())
    other = PreparedDataset.load(tmp_path / "made", "given-0", inputs="image")
    assert other.folds["valid"].tolist() != data.folds["valid"].tolist()
    x = data.x(data.folds["test"])
    assert x.shape == (6, 3, 32, 32)
    pixels = decode(layout / "val2017" / "000000000500.jpg", 32)
    scale = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[:, :, None, None]
    np.testing.assert_allclose(x[0], (pixels / 255 - scale[0]) / scale[1], rtol=1e-5, atol=1e-5)
    items = pd.read_parquet(tmp_path / "made" / "items.parquet")
    assert items["source_id"].iloc[20] == "val2017/000000000500.jpg"
    record = read_json(tmp_path / "made" / "splits" / "given-5.json")
    assert record["folds"]["test"]["items"] == 6


@pytest.mark.parametrize("method", ["shared_bottom", "metalink"])
def test_methods_learn_what_images_show(tmp_path, method):
    layout = write_layout(tmp_path / "coco", n=80, n_test=24, visible=True)
    made(layout, (0,), tmp_path / "made", size=16)
    options = {"depth": 12, "width": 4, "weights": ""}
    spec = make_spec(method, "resnet", split="given", encoder_options=options, training={"epochs": 15})
    data = PreparedDataset.load(tmp_path / "made", "given-0", inputs="image")
    found = train_run(spec, data, Checkpoint(tmp_path / "c.pt", ""), lambda share, text: None, True)
    test = found.predictions.query("fold == 'test'")
    assert len(test) == 24 * 3
    areas = {
        task: roc_auc_score(cells["label"], cells["score"])
        for task, cells in test.groupby("task_id", observed=True)
        if cells["label"].nunique() == 2  # no image shows a bus
    }
    assert set(areas) == {"dog", "car"}
    assert min(areas.values()) > 0.95


META = pytest.mark.parametrize(
    ("method", "setting"), [("baseline_pp", "meta"), ("metalink", "meta"), ("metalink", "relational_meta")]
)
UNSEEN = [4, 5]  # the last two of six categories


@pytest.fixture(scope="module")
def six_categories(tmp_path_factory: pytest.TempPathFactory) -> PreparedDataset:
    folder = tmp_path_factory.mktemp("six")
    made(write_layout(folder / "coco", n=40, n_drawn=3), (0,), folder / "made", size=16)
    return PreparedDataset.load(folder / "made", "given-0", inputs="image")


def run_meta(method: str, setting: str, data: PreparedDataset, folder: Path) -> RunResult:
    resnet = {"depth": 12, "width": 4, "weights": ""}
    training = {"epochs": 2, "augmentation": "crop_flip", "schedule": "cosine"}
    spec = make_spec(method, "resnet", split="given", encoder_options=resnet, training=training)
    chosen = {"setting": setting, "shots": 12, "support": 8, "unseen": 0.34, "known_ratio": 0.5}
    spec.method.options.update({name: value for name, value in chosen.items() if name in spec.method.options})
    return train_run(spec, data, Checkpoint(folder / "c.pt", ""), lambda share, text: None, True)


@META
def test_unseen_categories_are_tested_and_seen_ones_validate(six_categories, tmp_path, method, setting):
    data = six_categories
    found = run_meta(method, setting, data, tmp_path).predictions
    tasks = found.groupby("fold")["task_id"].unique()
    assert sorted(tasks["test"]) == sorted(data.task_ids[task] for task in UNSEEN)
    assert sorted(tasks["valid"]) == sorted(data.task_ids[:4])
    assert len(found) == 6 * 2 + len(data.folds["valid"]) * 4


@META
def test_labels_of_unseen_categories_are_read_from_the_support_alone(
    six_categories, tmp_path, method, setting
):
    data = six_categories
    first = run_meta(method, setting, data, tmp_path)
    support = torch.randperm(
        len(data.folds["train"]),
        generator=torch.Generator().manual_seed(make_spec(split="given").data_seed("support")),
    )[:12]
    in_support = torch.zeros(len(data.labels), dtype=torch.bool)
    in_support[data.folds["train"][support]] = True
    for changed, moves in ((~in_support, False), (in_support, True)):
        labels = data.labels.clone()
        labels[changed.nonzero(), UNSEEN] = 1 - labels[changed.nonzero(), UNSEEN]
        second = run_meta(method, setting, replace(data, labels=labels), tmp_path)
        assert tensor_bytes(first.weights) == tensor_bytes(second.weights)
        assert scores(first, "valid").equals(scores(second, "valid"))
        assert scores(first, "test").equals(scores(second, "test")) != moves


def test_an_image_is_scaled_by_its_shorter_side_and_cut_in_the_middle(tmp_path):
    pixels = np.zeros((20, 60, 3), np.uint8)
    pixels[:, 20:40] = 200  # the middle square
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    found = decode(tmp_path / "wide.png", 10)
    assert found.shape == (3, 10, 10)
    assert found[:, :, 2:8].min() == 200
    Image.fromarray(np.full((4, 4), 77, np.uint8)).save(tmp_path / "grey.png")
    assert (decode(tmp_path / "grey.png", 8) == 77).all()


def test_what_is_not_coco_is_refused(layout, tmp_path):
    path = layout / "annotations" / "instances_val2017.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "annotations": [{"image_id": 1, "category_id": 3}]}))
    with pytest.raises(RelataskError, match="annotates the image or category 1, which it does not list"):
        read_coco(layout)
    path.write_text(json.dumps({**content, "images": [{"id": 3}]}))
    with pytest.raises(RelataskError, match="'images' must list id and file_name"):
        read_coco(layout)
    path.write_text(json.dumps(content))
    (layout / "val2017" / "000000000501.jpg").write_bytes(b"no image")
    with pytest.raises(RelataskError, match=r"000000000501\.jpg cannot be read as an image"):
        made(layout, (0,), tmp_path / "made")
    (layout / "val2017" / "000000000501.jpg").unlink()
    with pytest.raises(RelataskError, match=r"000000000501\.jpg does not exist"):
        made(layout, (0,), tmp_path / "made")


def test_other_annotations_are_another_data_set(layout, tmp_path):
    digests = [read_json(made(layout, (0,), tmp_path / "first") / "dataset.json")["digest"]]
    path = layout / "annotations" / "instances_train2017.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "annotations": content["annotations"][1:]}))
    digests.append(read_json(made(layout, (0,), tmp_path / "second") / "dataset.json")["digest"])
    assert digests[0] != digests[1]


def test_a_folder_must_be_named():
    with pytest.raises(RelataskError, match="path: the reader coco needs the folder"):
        source_of({"reader": "coco"})


def test_embeddings_are_of_length_one_where_asked_for():
    images = torch.rand(3, 3, 32, 32)
    torch.manual_seed(0)
    plain = build(depth=12, width=4).eval()
    torch.manual_seed(0)
    unit = build(depth=12, width=4, normalise=True).eval()
    with torch.no_grad():
        expected = plain(images) / plain(images).norm(dim=1, keepdim=True)
        torch.testing.assert_close(unit(images), expected)


def test_weights_are_read_from_a_file_of_torchvision(tmp_path):
    torch.manual_seed(0)
    model = build(depth=18)
    assert sum(value.numel() for value in model.parameters()) == 11_176_512  # torchvision's without fc
    assert sum(value.numel() for value in build(depth=50).parameters()) == 23_508_032
    state = {**model.state_dict(), "fc.weight": torch.zeros(3, 3), "fc.bias": torch.zeros(3)}
    torch.save(state, tmp_path / "weights.pth")
    again = build(depth=18, weights=str(tmp_path / "weights.pth"))
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())
    with pytest.raises(RelataskError, match="does not fit a ResNet-50"):
        build(depth=50, weights=str(tmp_path / "weights.pth"))
    with pytest.raises(RelataskError, match="does not exist"):
        build(depth=18, weights=str(tmp_path / "none.pth"))
    with pytest.raises(RelataskError, match="must be 12 or one of"):
        build(depth=13)
