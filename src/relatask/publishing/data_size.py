"""What tables and figures say where a study ran on a part of its data."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from relatask.config import StudyConfig
from relatask.core.files import read_fields
from relatask.core.layout import dataset_folder, in_dataset

if TYPE_CHECKING:
    from relatask.publishing.formatting import Table

SMOKE_SHARE = 0.01  # of the whole data: a run on less shows that the code runs, and nothing else


def wholes(study: StudyConfig) -> dict[str, int]:
    """Return data set -> items of the whole, of those that say it."""
    return {name: dataset.whole for name, dataset in study.datasets.items() if dataset.whole}


def size_notes(study: StudyConfig, folder: Path) -> list[str]:
    """Return a note for each data set that is smaller than the whole; `folder` is that of the study."""
    notes = []
    for name, whole in wholes(study).items():
        if (n := _n_items(folder, name)) < whole:
            note = f"{n:,} of the {whole:,} {study.items} of {name}"
            if n < SMOKE_SHARE * whole:
                note += ", a smoke run: its numbers mean nothing beyond that the code runs"
            notes.append(note)
    return notes


def smoke_run(study: StudyConfig, folder: Path) -> str:
    """Return "smoke run on 159 items of coco" where a data set is a small share of the whole, else ""."""
    own = wholes(study)
    counts = {name: _n_items(folder, name) for name in own}
    small = [name for name, whole in own.items() if counts[name] < SMOKE_SHARE * whole]
    return "smoke run on " + ", ".join(f"{counts[name]:,} items of {name}" for name in small) if small else ""


def titled(table: "Table", words: str) -> "Table":
    """Return the table with a title that says so, where it is of a smoke run."""
    return replace(table, title=f"{table.title} ({words})") if words else table


def _n_items(folder: Path, name: str) -> int:
    return int(read_fields(folder / dataset_folder(name) / in_dataset("dataset"), items=int)["items"])
