"""Which trainings of a study are looks at different molecules, and how much of the data each is tested on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from relatask.config import StudyAtScale
from relatask.core.files import read_fields
from relatask.core.layout import dataset_file
from relatask.core.tables import read_table
from relatask.data.splits import split_digest
from relatask.evaluation.aggregate import CELL

Column = tuple[str, str]  # data set and split


@dataclass(frozen=True)
class Looks:
    """The splits of a study as looks at its data.

    Attributes:
        first: data set and split -> seed -> the first seed whose split tests the same. Trainings that are
            tested on the same items, as those of a test fold that a user names, are one look at these,
            whatever they train on: a test that takes them for several finds differences by chance.
        test_to_train: data set and split -> labels for test over labels for training, mean over seeds.
    """

    first: dict[Column, dict[int, int]]
    test_to_train: dict[Column, float]

    def once(self, cells: pd.DataFrame) -> pd.DataFrame:
        """Return cells with one seed for each look: means over the trainings that are tested on the same."""
        if all(seed == first for own in self.first.values() for seed, first in own.items()):
            return cells
        columns = zip(cells["dataset"].astype(str), cells["split"].astype(str), cells["seed"], strict=True)
        seeds = [self.first[dataset, split].get(seed, seed) for dataset, split, seed in columns]
        return cells.assign(seed=seeds).groupby(CELL, observed=True)["value"].mean().reset_index()


def looks_of(results: Path, chosen: StudyAtScale) -> Looks:
    """Read the splits of a study.

    Args:
        results: folder that holds the study's.
        chosen: the study at its scale.
    """
    first, ratios = {}, {}
    seeds = chosen.study.scales[chosen.scale].seeds  # type: ignore[index]
    for dataset in chosen.study.datasets:
        for split in chosen.study.splits.schemes:
            records = split_records(results, chosen.name, dataset, split, seeds)
            first[dataset, split] = _first_seeds(seeds, records)
            ratios[dataset, split] = tested_to_trained(records)
    return Looks(first, ratios)


def split_records(results: Path, study: str, dataset: str, split: str, seeds: Sequence[int]) -> list[Path]:
    """Return the records of a split, one for each seed."""
    named = [{"scheme": split, "seed": str(seed)} for seed in seeds]
    return [results / dataset_file("split_record", study, dataset, **one) for one in named]


def tested_to_trained(records: Sequence[Path]) -> float:
    """Return labels for test over labels for training, the mean over splits.

    Args:
        records: of the splits, which count the labels of each fold.
    """
    folds = [read_fields(record, folds=dict)["folds"] for record in records]
    return float(np.mean([own["test"]["labels"] / max(own["train"]["labels"], 1) for own in folds]))


def _first_seeds(seeds: Sequence[int], records: Sequence[Path]) -> dict[int, int]:
    """Return seed -> the first seed whose split tests the same."""
    first: dict[str, int] = {}
    found = {}
    for seed, record in zip(seeds, records, strict=True):
        split = read_table("split", record.with_suffix(".parquet"))
        found[seed] = first.setdefault(split_digest(split[split["fold"] == "test"]), seed)
    return found
