"""Tables and figures that a study may have, found in the folders publishing/tables and publishing/figures.

Each file states in a literal what its output holds, which studies have it and what it is made from; see
CONTRIBUTING.md. The words of `when` are those of `relatask.config.conditions`, those of `needs` the keys of
`relatask.core.layout.NEEDS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from relatask.core.errors import RelataskError
from relatask.core.records import records, suggest


@dataclass(frozen=True)
class TableRecord:
    """What a table's literal ``TABLE`` says; each field but the first two is a key of it."""

    name: str  # the file's name
    file: str  # from the package's folder
    caption: str  # reStructuredText for the report; may hold {study}, {scale}, {metric} and {baseline}
    columns: Mapping[str, str]  # column -> type; a trailing "?" allows nulls
    when: tuple[str, ...]  # words about the study; all of them must hold
    needs: tuple[str, ...]  # what it is made from
    category: str = "Tables"  # where the report lists it
    # Tables of methods (`saves`) that it is made from: name -> columns that it reads. A study has the output
    # only if its methods save them all.
    saved: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    papers: tuple[str, ...] = ()  # only studies of these papers have it; empty: those of all, or of none
    measured: bool = False  # holds timings, so it differs from run to run


@dataclass(frozen=True)
class FigureRecord:
    """What a figure's literal ``FIGURE`` says; each field but the first two is a key of it."""

    name: str
    file: str
    title: str  # its name in the report
    caption: str  # as of a table
    columns: Mapping[str, str]  # of the table of what was drawn
    when: tuple[str, ...]
    needs: tuple[str, ...]
    category: str
    each: str = "study"  # study, dataset or collection: there is one figure for each
    saved: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # as of a table


def tables() -> Mapping[str, TableRecord]:
    """Return name -> record of every table, by name."""
    return records("publishing/tables", "TABLE", TableRecord)


def figures() -> Mapping[str, FigureRecord]:
    """Return name -> record of every figure, by name."""
    return records("publishing/figures", "FIGURE", FigureRecord)


def figure_of(name: str) -> tuple[FigureRecord, str]:
    """Return the record of a figure of a study, and which data set or collection it is of ("" for the study).

    Args:
        name: without ending, e.g. "per_task-tox21" or "overview".

    Raises:
        RelataskError: there is no such figure.
    """
    kind, _, of = name.partition("-")
    if kind not in figures():
        raise RelataskError(f"there is no figure {name!r}.{suggest(kind, figures())}")
    return figures()[kind], of
