"""Small folders of images with one class each, in the layouts of Omniglot, mini- and tiered-ImageNet."""

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

ALPHABETS = {"Greek": 6, "Latin": 6, "Korean": 5, "Tagalog": 6}


def drawing(name: str, number: int, size: int = 20) -> Image.Image:
    """A blocky pattern of the class `name`, of which a tenth of the pixels is other in each image."""
    pattern = np.random.default_rng(zlib.crc32(name.encode())).random((4, 4)) < 0.5
    pixels = np.kron(pattern, np.ones((size // 4, size // 4), bool))
    pixels ^= np.random.default_rng([zlib.crc32(name.encode()), number]).random(pixels.shape) < 0.1
    return Image.fromarray(pixels)  # one bit a pixel, as Omniglot's


def characters() -> list[str]:
    """ALPHABET/characterNN, in the order of their names."""
    return sorted(f"{name}/character{i:02d}" for name, n in ALPHABETS.items() for i in range(1, n + 1))


def write_omniglot(folder: Path, drawings: int = 8, zipped: bool = True) -> Path:
    """Archives images_background and images_evaluation, or folders; Greek is in both, with equal drawings."""
    parts = {"images_background": ("Greek", "Latin"), "images_evaluation": ("Greek", "Korean", "Tagalog")}
    for part, alphabets in parts.items():
        files = {}
        for character in characters():
            if character.split("/")[0] in alphabets:
                for number in range(1, drawings + 1):
                    content = io.BytesIO()
                    drawing(character, number).save(content, "png")
                    files[f"{part}/{character}/0001_{number:02d}.png"] = content.getvalue()
        folder.mkdir(parents=True, exist_ok=True)
        if zipped:
            with zipfile.ZipFile(folder / f"{part}.zip", "w") as archive:
                for name, data in files.items():
                    archive.writestr(name, data)
            continue
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
    return folder


def write_vinyals(folder: Path, turned: bool = False) -> Path:
    """Vinyals' split files: all characters but Korean and Tagalog, Korean, and Tagalog."""
    folder.mkdir(parents=True, exist_ok=True)
    fold = {"Korean": "val", "Tagalog": "test"}
    for part in ("train", "val", "test"):
        own = [name for name in characters() if fold.get(name.split("/")[0], "train") == part]
        ends = [f"/rot{degrees:03d}" for degrees in (0, 90, 180, 270)] if turned else [""]
        text = "\n".join(name + end for name in own for end in ends)
        (folder / f"split_vinyals_{part}.txt").write_text(text)
    return folder


def write_miniimagenet(folder: Path, images: int = 4) -> Path:
    """A folder as mini-ImageNet's, with 3, 2 and 2 classes."""
    (folder / "images").mkdir(parents=True)
    for part, classes in {"train": (1, 2, 3), "val": (4, 5), "test": (6, 7)}.items():
        rows = [(f"n{label:08d}{i:08d}.jpg", f"n{label:08d}") for label in classes for i in range(images)]
        for number, (name, label) in enumerate(rows):
            drawing(label, number).convert("RGB").save(folder / "images" / name)
        text = "".join(f"{name},{label}\n" for name, label in rows)
        (folder / f"{part}.csv").write_text(f"filename,label\n{text}")
    return folder


def write_tieredimagenet(folder: Path, by_part: bool, images: int = 3) -> Path:
    """Class folders, those of a part below it or all together, and the split files of five classes."""
    folder.mkdir(parents=True)
    rows = {"train": ["n1,a", "n2,a", "n3,b"], "val": ["n4,c"], "test": ["n5,d"]}
    for part, classes in rows.items():
        (folder / f"{part}.csv").write_text("\n".join(classes))
        for row in classes:
            own = (folder / part if by_part else folder) / row.split(",")[0]
            own.mkdir(parents=True)
            for number in range(images):
                drawing(row, number).convert("RGB").save(own / f"{row[:2]}_{number}.JPEG")
    return folder
