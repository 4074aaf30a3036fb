"""Omniglot, mini- and tiered-ImageNet become images with one class each; other layouts are refused."""

import gzip
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relatask.core.errors import RelataskError
from relatask.core.plugins import load_file
from relatask.data.prepared import PreparedDataset
from relatask.data.source_tables import SourceContext
from relatask.data.splits.grouped import draw_groups
from relatask.inputs.image import decode
from relatask.sources.images.omniglot import read_omniglot
from relatask.sources.split_files import read_split_file
from tests.helpers.class_layouts import (
    ALPHABETS,
    characters,
    write_miniimagenet,
    write_omniglot,
    write_tieredimagenet,
    write_vinyals,
)
from tests.helpers.data_tables import prepared_folder, source_of, write_records

FRACTIONS = (0.5, 0.25, 0.25)


def made(
    reader: str, folder: Path, scheme: str = "given", seeds: tuple[int, ...] = (0,), **keys: object
) -> Path:
    """Write the data set of a layout beside it, at 16 pixels a side."""
    values = {"reader": reader, "path": str(folder), "image_size": 16, **keys}
    out = folder.with_name(f"{folder.name}_made")
    block = source_of(values)
    context = SourceContext("mine", None, schemes=(scheme,), fractions=FRACTIONS)
    tables = load_file(block.record).prepare(block, context)
    return prepared_folder(out, tables, ["image"], {scheme: {"seeds": seeds, "fractions": FRACTIONS}})


def classes_by_fold(data: PreparedDataset) -> dict[str, set[str]]:
    (task,) = data.tasks
    return {
        fold: {task.classes[number] for number in data.class_of[rows].tolist()}
        for fold, rows in data.folds.items()
    }


@pytest.mark.parametrize("zipped", [True, False])
def test_characters_are_classes_and_drawings_in_two_archives_count_once(tmp_path: Path, zipped: bool) -> None:
    images = read_omniglot(
        write_omniglot(tmp_path / "o", zipped=zipped), tmp_path, rotated=False, given=False
    )
    assert images.classes == characters()
    assert images.groups == [name.split("/")[0] for name in characters()]
    assert np.bincount(images.class_of).tolist() == [8] * sum(ALPHABETS.values())
    assert [picture.name for picture in images.pictures[:2]] == [
        "Greek/character01/0001_01.png",
        "Greek/character01/0001_02.png",
    ]


def test_turned_characters_are_classes_of_their_own_in_the_same_fold(tmp_path: Path) -> None:
    folder = write_vinyals(write_omniglot(tmp_path / "o"), turned=True)
    data = PreparedDataset.load(made("omniglot", folder, rotated=True), "given-0", inputs="image")
    (task,) = data.tasks
    assert len(task.classes) == 4 * len(characters())
    assert task.classes[:3] == tuple(f"Greek/character01{turn}" for turn in ("", " turned 90", " turned 180"))
    assert (data.class_of.bincount() == 8).all()
    pixels = data.inputs.pixels.view(-1, 3, 16, 16).numpy()  # type: ignore[union-attr]
    for turn in range(4):
        np.testing.assert_array_equal(pixels[8 * turn], np.rot90(pixels[0], turn, axes=(1, 2)))
    folds = classes_by_fold(data)
    assert {fold: len(names) for fold, names in folds.items()} == {"train": 48, "valid": 20, "test": 24}
    assert all("Korean" in name for name in folds["valid"])
    assert all("Tagalog" in name for name in folds["test"])


def test_each_image_has_its_class_and_a_class_is_in_one_fold(tmp_path: Path) -> None:
    folder = write_omniglot(tmp_path / "o")
    out = made("omniglot", folder, "grouped", (0, 1, 2, 3))
    sizes = {name: len(pd.read_parquet(out / f"{name}.parquet")) for name in ("items", "labels", "classes")}
    assert sizes == {"items": 184, "labels": 184, "classes": 23}
    items = pd.read_parquet(out / "items.parquet").set_index("item_id")["source_id"]
    classes = pd.read_parquet(out / "labels.parquet").set_index("item_id")["value"].astype(int)
    names = pd.read_parquet(out / "classes.parquet").set_index("value")["name"]
    assert (classes.map(names) == items.str.rsplit("/", n=1).str[0]).all()
    drawn = []
    for seed in (0, 1, 2, 3):
        folds = classes_by_fold(PreparedDataset.load(out, f"grouped-{seed}", inputs="none"))
        alphabets = {fold: {name.split("/")[0] for name in own} for fold, own in folds.items()}
        assert sum(map(len, alphabets.values())) == 4  # none is in two folds
        assert {fold: len(own) for fold, own in alphabets.items()} == {"train": 2, "valid": 1, "test": 1}
        drawn.append(tuple(sorted(alphabets["test"])))
    assert len(set(drawn)) > 1
    first = PreparedDataset.load(out, "grouped-0", inputs="image")
    again = first.with_split(out, "grouped-1")
    other = PreparedDataset.load(out, "grouped-1", inputs="none")
    assert all(again.folds[fold].tolist() == other.folds[fold].tolist() for fold in other.folds)
    assert first.labels.shape == (184, 1)


def test_groups_are_drawn_whole_and_near_their_share() -> None:
    members = np.array((24, 22, 24, 40, 26, 47, 42, 17))
    for seed in range(50):
        fold = draw_groups(members, (0.6, 0.2, 0.2), seed)
        assert fold.tolist() == draw_groups(members, (0.6, 0.2, 0.2), seed).tolist()
        sizes = np.bincount(fold, members, minlength=3) / members.sum()
        assert np.abs(sizes - [0.6, 0.2, 0.2]).max() < 0.2
        assert sizes.min() > 0.05
    with pytest.raises(RelataskError, match="grouped needs a group for each fold, but there are 2"):
        draw_groups(np.array([2, 1]), FRACTIONS, 0)


def test_what_is_not_omniglot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RelataskError, match=r"holds no images_\*.zip of Omniglot"):
        made("omniglot", tmp_path, "grouped")
    folder = write_omniglot(tmp_path / "o")
    with pytest.raises(RelataskError, match=r"split_vinyals_train.txt cannot be read .*\[grouped\]"):
        made("omniglot", folder)
    write_vinyals(folder)
    path = folder / "split_vinyals_test.txt"
    path.write_text(path.read_text() + "\nUlog/character01")
    with pytest.raises(
        RelataskError, match=r"names 1 of 7 characters without drawings, e.g. Ulog/character01"
    ):
        made("omniglot", folder)
    path.write_text("Korean/character01")
    with pytest.raises(RelataskError, match="the character Korean/character01 is in another part as well"):
        made("omniglot", folder)
    path.write_text("Tagalog/character01")
    with pytest.raises(RelataskError, match="does not name Tagalog/character02, of which there are drawings"):
        made("omniglot", folder)
    (folder / "images_more.zip").write_bytes(b"no archive")
    with pytest.raises(RelataskError, match=r"images_more.zip is no ZIP archive that can be read"):
        made("omniglot", folder, "grouped")
    with zipfile.ZipFile(folder / "images_more.zip", "w") as archive:
        archive.writestr("images_more/Greek/character01/0001_01.png", b"other")
    with pytest.raises(
        RelataskError, match=r"Greek/character01/0001_01\.png is another drawing than in the archive"
    ):
        made("omniglot", folder, "grouped")
    with zipfile.ZipFile(folder / "images_more.zip", "w") as archive:
        archive.writestr("images_more/Ulog/character01/0001_01.png", b"no image")
    with pytest.raises(RelataskError, match=r"0001_01.png cannot be read as an image"):
        made("omniglot", folder, "grouped")


@pytest.mark.parametrize("compressed", [False, True])
def test_mini_imagenet_is_read_in_its_public_layout(tmp_path: Path, compressed: bool) -> None:
    folder, keys = write_miniimagenet(tmp_path / "mini"), {}
    if compressed:  # and apart from the images
        (tmp_path / "splits").mkdir()
        for part in ("train", "val", "test"):
            text = (folder / f"{part}.csv").read_bytes()
            (tmp_path / "splits" / f"{part}.csv.gz").write_bytes(gzip.compress(text))
            (folder / f"{part}.csv").unlink()
        keys = {"split_path": str(tmp_path / "splits")}
    data = PreparedDataset.load(made("miniimagenet", folder, **keys), "given-0", inputs="image")
    assert {fold: len(names) for fold, names in classes_by_fold(data).items()} == {
        "train": 3,
        "valid": 2,
        "test": 2,
    }
    assert [len(rows) for rows in data.folds.values()] == [12, 8, 8]
    name = pd.read_parquet(tmp_path / "mini_made" / "items.parquet")["source_id"].iloc[13]
    assert name == "n0000000400000001.jpg"
    pixels = decode(folder / "images" / name, 16).reshape(-1)
    np.testing.assert_array_equal(data.inputs.pixels[13], pixels)  # type: ignore[union-attr]


def test_what_is_not_mini_imagenet_is_refused(tmp_path: Path) -> None:
    folder = write_miniimagenet(tmp_path / "mini")
    path, text = folder / "val.csv", (folder / "val.csv").read_text()
    for written, message in (
        (text.replace("filename,label\n", ""), "must begin with the row filename,label"),
        (text + "a.jpg,n00000001\n", "the class n00000001 is in train as well"),
        (text + "a.jpg\n", r"row 10: expected filename,label, found 'a.jpg'"),
        (text + "../a.jpg,n00000004\n", r"row 10: expected filename,label, found '../a.jpg,n00000004'"),
        (text + "a.jpg,n00000004\n", r"a.jpg does not exist, but the data set lists it"),
    ):
        path.write_text(written)
        with pytest.raises(RelataskError, match=message):
            made("miniimagenet", folder)
    path.unlink()
    with pytest.raises(RelataskError, match=r"val.csv does not exist; put the split files"):
        made("miniimagenet", folder)
    (folder / "val.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(RelataskError, match=r"val.csv.gz cannot be read"):
        made("miniimagenet", folder)
    shutil.rmtree(folder / "images")
    with pytest.raises(RelataskError, match="images does not exist; it must hold the images"):
        made("miniimagenet", folder)


@pytest.mark.parametrize("by_part", [False, True])
def test_tiered_imagenet_is_read_from_class_folders(tmp_path: Path, by_part: bool) -> None:
    folder = write_tieredimagenet(tmp_path / "tiered", by_part)
    data = PreparedDataset.load(made("tieredimagenet", folder), "given-0", inputs="image")
    assert classes_by_fold(data) == {"train": {"n1", "n2", "n3"}, "valid": {"n4"}, "test": {"n5"}}
    items = pd.read_parquet(tmp_path / "tiered_made" / "items.parquet")["source_id"]
    assert items.iloc[3:5].tolist() == ["n2/n2_0.JPEG", "n2/n2_1.JPEG"]
    drawn = PreparedDataset.load(made("tieredimagenet", folder, "grouped"), "grouped-0", inputs="none")
    assert any({"n1", "n2"} <= names for names in classes_by_fold(drawn).values())  # of one category


def test_what_is_not_tiered_imagenet_is_refused(tmp_path: Path) -> None:
    folder = write_tieredimagenet(tmp_path / "tiered", by_part=False)
    (folder / "n4" / "n4_0.JPEG").rename(folder / "n4" / "n4_0.txt")
    made("tieredimagenet", folder)  # what is no image is passed over
    for file in (folder / "n4").glob("*.JPEG"):
        file.unlink()
    with pytest.raises(RelataskError, match=r"n4 holds no image"):
        made("tieredimagenet", folder)
    shutil.rmtree(folder / "n4")
    with pytest.raises(RelataskError, match=r"has no folder n4 \(nor val/n4\)"):
        made("tieredimagenet", folder)
    (folder / "val.csv").write_text("n1,c")
    with pytest.raises(RelataskError, match="the class n1 is listed twice"):
        made("tieredimagenet", folder)
    (folder / "val.csv").write_text("n4")
    with pytest.raises(RelataskError, match="row 1: expected class,category, found 'n4'"):
        made("tieredimagenet", folder)


@pytest.mark.parametrize("reader", ["miniimagenet", "tieredimagenet"])
def test_the_folder_of_the_images_must_be_named(reader: str) -> None:
    with pytest.raises(RelataskError, match=f"path: the reader {reader} needs the folder of its images"):
        source_of({"reader": reader})


def test_a_table_of_classes_that_lacks_one_is_refused(tmp_path: Path) -> None:
    out = made("omniglot", write_omniglot(tmp_path / "o"), "grouped")
    frame = pd.read_parquet(out / "classes.parquet")
    frame.iloc[1:].to_parquet(out / "classes.parquet")
    write_records(out)
    with pytest.raises(RelataskError, match="classes of 'class' are not numbered"):
        PreparedDataset.load(out, "grouped-0", inputs="none")


def test_the_real_split_files_have_the_published_sizes(mirror: Path) -> None:
    mini = [read_split_file(mirror / "miniimagenet", part, "")[1][1:] for part in ("train", "val", "test")]
    assert [len(rows) for rows in mini] == [38400, 9600, 12000]
    assert [len({label for _, label in rows}) for rows in mini] == [64, 16, 20]
    tiered = [read_split_file(mirror / "tieredimagenet", part, "")[1] for part in ("train", "val", "test")]
    assert [len(rows) for rows in tiered] == [351, 97, 160]
    assert [len({category for _, category in rows}) for rows in tiered] == [20, 6, 8]


def test_the_real_drawings_of_the_small_archives(mirror: Path) -> None:
    images = read_omniglot(mirror / "omniglot", mirror / "omniglot", rotated=False, given=False)
    assert len(images.classes) == 242
    assert len(set(images.groups)) == 8
    assert np.bincount(images.class_of).tolist() == [20] * 242
    with pytest.raises(RelataskError, match=r"names 808 of 1028 characters without drawings"):
        read_omniglot(mirror / "omniglot", mirror / "omniglot", rotated=False, given=True)
