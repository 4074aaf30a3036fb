"""A file of the user's own whose molecules are for test, read beside the one that is trained on."""

from dataclasses import replace
from typing import TYPE_CHECKING

from relatask.core.errors import RelataskError
from relatask.data.raw_table import RawTable
from relatask.sources.joined_tables import joined

if TYPE_CHECKING:
    from relatask.sources.table import TableSource

FOLD = "fold"  # the column of the items that the scheme given reads


def with_test_file(table: RawTable, test: RawTable, block: "TableSource") -> RawTable:
    """Return the rows of both tables, those to train on first, with the fold of each.

    Raises:
        RelataskError: they have no task in common, one is of two kinds, or the rows have a column fold.
    """
    if FOLD in table.columns:
        raise RelataskError(
            f"test_path: items get a column {FOLD!r} by it, and item_columns names one too; remove either."
        )
    own, other = str(block.path), str(block.test_path)
    if not set(table.tasks["name"]) & set(test.tasks["name"]):
        raise RelataskError(
            f"test_path: {other} has no task in common with {own}; its columns must have the same names."
        )
    whole = joined([table, test], [own, other])
    sizes = len(table.rows), len(test.rows)
    return replace(
        whole,
        tested_from=sizes[0],
        columns={**whole.columns, FOLD: [*["train"] * sizes[0], *["test"] * sizes[1]]},
        notes={**whole.notes, "rows_of_test_file": sizes[1]},
        files=[*(table.files or [(own, sizes[0])]), (other, sizes[1])],
    )
