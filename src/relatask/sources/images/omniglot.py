"""Omniglot (Lake et al., 2015): characters of alphabets, each drawn by 20 people; a character is a class.

Read in its own layout, `images_background/ALPHABET/characterNN/NNNN_NN.png` and likewise of every other
archive called images_*, from the archives as they are handed out or unpacked. The two small archives share
drawings, which count once. Vinyals' split is in split_vinyals_train.txt, _val.txt and _test.txt, a character
on each line; a fourth field for turned ones (rot090) may follow and is left out, as `rotated` says it.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from relatask.core.errors import RelataskError
from relatask.sources.archives import opened_zip
from relatask.sources.images.class_images import ClassImages, Picture
from relatask.sources.split_files import PARTS

LARGEST = 1 << 20  # bytes of a drawing; those of the data set have some 250
DEGREES = (0, 90, 180, 270)


def read_omniglot(folder: Path, splits: Path, rotated: bool, given: bool) -> ClassImages:
    """Return the drawings, by alphabet, character, turn and name.

    Args:
        folder: of the archives.
        splits: folder of Vinyals' split files.
        rotated: each character, turned by a quarter, half and three quarters, is a class of its own (Vinyals
            et al., 2016), in the fold of the character.
        given: whether Vinyals' split is wanted, or alphabets are to be drawn.

    Raises:
        RelataskError: there is no archive, one is broken, or the split names characters without drawings.
    """
    drawings = _drawings(folder)
    characters = sorted({name.rpartition("/")[0] for name in drawings})
    fold_of = _vinyals(splits, characters) if given else {}
    by_character: dict[str, list[str]] = {}
    for name in sorted(drawings):
        by_character.setdefault(name.rpartition("/")[0], []).append(name)
    turns = range(len(DEGREES) if rotated else 1)
    classes = [(character, turn) for character in characters for turn in turns]
    pictures, class_of = [], []
    for number, (character, turn) in enumerate(classes):
        for name in by_character[character]:
            label = f"{name}{_turned(turn)}"
            pictures.append(Picture(label, folder / name, drawings[name], turn))
            class_of.append(number)
    return ClassImages(
        classes=[f"{character}{_turned(turn)}" for character, turn in classes],
        groups=[character.partition("/")[0] for character, _ in classes],
        folds=np.array([fold_of[character] for character, _ in classes], np.int64) if given else None,
        pictures=pictures,
        class_of=np.array(class_of, np.int64),
    )


def _turned(turn: int) -> str:
    return f" turned {DEGREES[turn]}" if turn else ""


def _drawings(folder: Path) -> dict[str, bytes]:
    """Return ALPHABET/CHARACTER/FILE -> content of every drawing."""
    found: dict[str, bytes] = {}
    for origin, path, content in _files(folder):
        name = "/".join(Path(path).parts[-3:])
        if found.setdefault(name, content) != content:
            raise RelataskError(f"{origin}: {name} is another drawing than in the archive before; keep one.")
    if not found:
        raise RelataskError(
            f"{folder} holds no images_*.zip of Omniglot, nor such a folder, with ALPHABET/CHARACTER/*.png."
        )
    return found


def _files(folder: Path) -> Iterator[tuple[Path, str, bytes]]:
    """Yield origin, path in it and content of every PNG file of the archives, by name."""
    for place in sorted(folder.glob("images_*")):
        if place.is_dir():
            yield from ((place, str(file), file.read_bytes()) for file in sorted(place.glob("*/*/*.png")))
        elif place.suffix == ".zip":
            with opened_zip(place, str(place)) as archive:
                for info in sorted(archive.infolist(), key=lambda info: info.filename):
                    if info.filename.endswith(".png") and len(Path(info.filename).parts) >= 3:
                        if info.file_size > LARGEST:
                            raise RelataskError(f"{place}: {info.filename} is too large for a drawing.")
                        yield place, info.filename, archive.read(info)


def _vinyals(folder: Path, characters: list[str]) -> dict[str, int]:
    """Return character -> fold.

    Raises:
        RelataskError: a file is missing, or the files and the drawings are not of the same characters.
    """
    fold_of: dict[str, int] = {}
    for fold, part in enumerate(PARTS):
        path = folder / f"split_vinyals_{part}.txt"
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise RelataskError(
                f"{path} cannot be read ({error}); put Vinyals' split there, name its folder in split_path, "
                "or set splits.schemes to [grouped]."
            ) from None
        listed = {"/".join(line.strip().split("/")[:2]) for line in lines if line.strip()}
        if twice := sorted(listed & fold_of.keys()):
            raise RelataskError(f"{path}: the character {twice[0]} is in another part as well.")
        if absent := sorted(listed - {*characters}):
            raise RelataskError(
                f"{path} names {len(absent)} of {len(listed)} characters without drawings, e.g. {absent[0]}; "
                "get images_background.zip and images_evaluation.zip, or set splits.schemes to [grouped]."
            )
        fold_of |= dict.fromkeys(listed, fold)
    if unlisted := sorted({*characters} - fold_of.keys()):
        raise RelataskError(
            f"{folder}: Vinyals' split does not name {unlisted[0]}, of which there are drawings."
        )
    return fold_of
