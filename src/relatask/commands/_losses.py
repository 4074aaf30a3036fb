"""What a study's data sets lost on the way from the files to the labels, for people."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from relatask.config import read_study
from relatask.core.files import read_fields
from relatask.core.layout import DATASET_LISTS, dataset_file, in_study
from relatask.core.tables import read_table
from relatask.data.source_tables import counts_said
from relatask.data.tasks import left_out_said


def losses_of(folder: Path) -> Iterator[str]:
    """Yield sentences: what cells were read as, what became of rows and labels, which tasks are left out.

    Args:
        folder: of the results of a study whose data are prepared.
    """
    study = read_study(folder / in_study("study")).study
    for name in study.datasets:
        files = {file: folder.parent / dataset_file(file, folder.name, name) for file in DATASET_LISTS}
        counts = read_fields(folder.parent / dataset_file("dataset", folder.name, name))
        source = counts["source"]["standardisation"]
        if "labels" not in source or "duplicates_merged" not in source:  # neither molecules nor texts
            continue
        if read := _read_as(source.get("notes", {})):
            yield f"{name}: cells read: {read}."
        yield from counts_said(name, study.items, source)
        tables = {file: read_table(file, path) for file, path in files.items()}
        if len(tables["rejected_tasks"]):
            yield f"{name}: {left_out_said(tables['rejected_tasks'])}."
        if lists := [str(path.with_suffix(".csv")) for file, path in files.items() if len(tables[file])]:
            yield f"{name}: listed one by one in {', '.join(lists)}; rows count from 1, without a header."


def _read_as(notes: dict[str, Any]) -> str:
    """Return e.g. "'active' as a word (153), 'n.d.' as not measured (4)", of notes of counts.json."""
    parts = []
    for note, count in notes.items():
        kind, _, text = note.partition(": ")
        if kind in {"word", "not measured"}:
            parts.append(f"{text!r} as {'a label' if kind == 'word' else kind} ({count:,})")
    return ", ".join(parts)
