"""The data of the runs that parity compares, from fixed seeds: tables, series, drawings, photographs."""

import io
import json
import zipfile
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

MOLECULES = 120
BEFORE = ("C", "CC", "CC(C)", "FC(F)(F)", "CN(C)")  # bound to a ring by their last atom
RINGS = ("c1ccc(cc1)", "c1ccnc(c1)", "c1csc(n1)", "c1cc2ccc(cc2o1)", "C1CCN(CC1)")
AFTER = ("C(=O)O", "C(=O)N", "CC#N", "CCOC", "CCCl", "C(=O)c1ccccc1")
ASSAYS = tuple(f"assay{i}" for i in range(1, 6))
SERIES = ("flow", "load", "oil")
ALPHABETS = {"Greek": 6, "Latin": 6, "Korean": 5, "Tagalog": 6}
OPINIONS = {"funny": ("laugh", "joke", "silly"), "sad": ("tears", "grief", "loss"), "long": ("hours", "slow")}
CATEGORIES = ("bus", "car", "dog", "tree")
PARTS = {"train2017": 48, "val2017": 16}  # photographs of each


def write_data(folder: Path) -> None:
    """Write all data below `folder`, where the studies look for them."""
    folder.mkdir(parents=True, exist_ok=True)
    write_assays(folder / "assays.csv")
    write_series(folder / "series.csv")
    write_drawings(folder / "drawings")
    write_photographs(folder / "photographs")
    write_reviews(folder / "reviews.csv")


def smiles() -> list[str]:
    """Return different molecules in an order of no meaning, as text."""
    made = ["".join(parts) for parts in product(BEFORE, RINGS, AFTER)]
    return [made[place] for place in np.random.default_rng(0).permutation(len(made))[:MOLECULES]]


def write_assays(path: Path) -> None:
    """Write measured values that follow from what a molecule is made of; a fifth is missing."""
    rng = np.random.default_rng(1)
    molecules = smiles()
    frame = pd.DataFrame({"smiles": molecules})
    pieces = np.array([[piece in one for piece in (*BEFORE, *RINGS, *AFTER)] for one in molecules], float)
    pieces -= pieces.mean(0)
    shared = rng.normal(size=pieces.shape[1])
    for assay in ASSAYS:
        values = (
            6 + pieces @ (shared + 0.5 * rng.normal(size=pieces.shape[1])) + 0.3 * rng.normal(size=MOLECULES)
        )
        frame[assay] = np.where(rng.random(MOLECULES) < 0.2, np.nan, values.round(2))
    frame.to_csv(path, index=False)


def write_series(path: Path) -> None:
    """Write noisy waves with the columns and the times of the electricity transformer series."""
    time = np.arange(600)
    waves = np.sin(time[:, None] / [5, 7, 11]) + 0.1 * np.random.default_rng(2).normal(size=(600, 3))
    dates = pd.date_range("2016-07-01", periods=600, freq="15min").strftime("%Y-%m-%d %H:%M:%S")
    frame = pd.DataFrame(waves.round(4), columns=list(SERIES))
    frame.insert(0, "date", dates)
    frame.to_csv(path, index=False)


def write_drawings(folder: Path) -> None:
    """Write an archive in the layout of Omniglot: blocky patterns, of which each drawing changes a tenth."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(3)
    with zipfile.ZipFile(folder / "images_background.zip", "w") as archive:
        for alphabet, size in ALPHABETS.items():
            for character in range(1, size + 1):
                pattern = np.kron(rng.random((4, 4)) < 0.5, np.ones((5, 5), bool))
                for number in range(1, 9):
                    name = f"images_background/{alphabet}/character{character:02d}/0001_{number:02d}.png"
                    archive.writestr(name, _png(pattern ^ (rng.random(pattern.shape) < 0.1)))


def write_photographs(folder: Path) -> None:
    """Write a folder in the layout of COCO: noise, brighter in one band for each category that is there."""
    rng = np.random.default_rng(4)
    categories = [{"id": number, "name": name} for number, name in enumerate(CATEGORIES, start=1)]
    (folder / "annotations").mkdir(parents=True)
    for first, (part, count) in enumerate(PARTS.items(), start=1):
        (folder / part).mkdir()
        images, annotations = [], []
        for number in range(1000 * first, 1000 * first + count):
            present = rng.random(len(CATEGORIES)) < 0.5
            pixels = rng.integers(0, 128, (32, 32, 3)) + 100 * np.repeat(present, 8)[:, None, None]
            name = f"{number:012d}.png"
            (folder / part / name).write_bytes(_png(pixels.astype(np.uint8)))
            images.append({"id": number, "file_name": name, "width": 32, "height": 32})
            annotations += [
                {"id": 0, "image_id": number, "category_id": int(place) + 1}
                for place in np.flatnonzero(present)
            ]
        content = {"images": images, "annotations": annotations, "categories": categories}
        (folder / "annotations" / f"instances_{part}.json").write_text(json.dumps(content))


def write_reviews(path: Path) -> None:
    """Write a table of short texts, whose words are of their opinions, among others; a tenth is missing."""
    rng = np.random.default_rng(5)
    present = rng.random((120, len(OPINIONS))) < 0.5
    others = [f"word{number}" for number in range(40)]
    texts = []
    for row in present:
        own = [word for words, there in zip(OPINIONS.values(), row, strict=True) if there for word in words]
        texts.append(" ".join(rng.permutation([*own, *rng.choice(others, rng.integers(1, 9))])))
    labels = np.where(rng.random(present.shape) < 0.1, np.nan, present)
    pd.DataFrame({"text": texts, **dict(zip(OPINIONS, labels.T, strict=True))}).to_csv(path, index=False)


def _png(pixels: np.ndarray) -> bytes:
    """Return an image as the content of a file."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "png")
    return content.getvalue()
