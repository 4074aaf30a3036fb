"""What kinds of items and labels there are, by the reader of a source, and what each kind goes with."""

from collections.abc import Collection, Sequence
from typing import Literal

from pydantic import Field

from relatask.config.blocks import Block

Items = Literal["molecules", "series", "images"]
Labels = Literal["binary", "values", "classes"]
CLASS_READERS = ("omniglot", "miniimagenet", "tieredimagenet")
IMAGE_READERS = ("coco", *CLASS_READERS)
METRICS_OF = {"values": "mae", "classes": "accuracy"}  # the only metric of those labels


class EpisodesConfig(Block):
    """What few-shot learning asks: which of a few unseen classes an image is of, told some images of each."""

    ways: int = Field(5, ge=2, le=1000, description="classes of an episode")
    shots: int = Field(5, ge=1, le=1000, description="images of each class whose class is told")
    queries: int = Field(15, ge=1, le=1000, description="other images of each class, whose class is asked")
    evaluated: int = Field(
        800, ge=1, le=100_000, description="episodes of validation and of test, the same for every method"
    )


def items_of(readers: Collection[str]) -> Items:
    """Return what labels are of; in series the items are points in time."""
    if "series" in readers:
        return "series"
    return "images" if {*readers} & {*IMAGE_READERS} else "molecules"


def labels_of(readers: Collection[str]) -> Labels:
    """Return what items are labelled with: 0 or 1 for each task, a measured value, or one of many classes."""
    if "series" in readers:
        return "values"
    return "classes" if {*readers} & {*CLASS_READERS} else "binary"


def check_kinds(readers: Collection[str], schemes: Sequence[str], metrics: Sequence[str]) -> None:
    """Refuse a study that mixes kinds of items, or whose splits or metrics are of another kind.

    Raises:
        ValueError: names the key and what it may be.
    """
    items, labels = items_of(readers), labels_of(readers)
    if any((items_of([reader]), labels_of([reader])) != (items, labels) for reader in readers):
        raise ValueError(f"sources: {items} and others do not go into one study; make two of it")
    own = {"molecules": [], "series": ["chronological"], "images": ["given"]}[items]
    drawn = labels == "classes" and "miniimagenet" not in readers
    if own and [*schemes] != own and not (drawn and [*schemes] == ["grouped"]):
        raise ValueError(f"splits.schemes: it is {own}{' or [grouped]' * drawn} for {items}")
    if not own and (others := {"chronological", "given", "grouped"} & {*schemes}):
        raise ValueError(f"splits.schemes: {min(others)} is not for molecules")
    wanted = METRICS_OF.get(labels)
    if any(one != wanted if wanted else one in METRICS_OF.values() for one in metrics):
        raise ValueError(
            "metrics: it is [mae] for series, [accuracy] for images with one class each, and others are for "
            "labels of 0 and 1"
        )
