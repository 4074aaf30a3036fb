"""What a reader returns: molecules as the source writes them, with their labels and tasks."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from relatask.data.embedding import Embedding

SIGNS = ("<=", "<", "=", ">", ">=")  # what a measurement is: the value, or a bound of it


@dataclass
class RawTable:
    """One source as read, before any chemistry.

    `smiles`, `source_ids` and `rows` have one entry per input row, also for a row without a SMILES
    (``None``): standardisation rejects it with a reason, so that nothing is lost silently.

    Attributes:
        smiles: SMILES of each row as written, ``None`` where the source has none.
        source_ids: the source's own id of each row, ``None`` where it has none.
        rows: int64 [n]; 1-based number of the data row in the input (header not counted).
        labels: one row per measured cell: `row_position` (int64, position in `smiles`), `task`
            (int32, position in `tasks`), `value` (float64: 0 or 1, a measured value, or the position of a
            class), and `bound` (one of `SIGNS`) where not all are "=". A pair may occur any number of times:
            replicates are merged once it is known which rows are one molecule (`data.replicates`).
        tasks: one row per task in source order: `name`, `source_id` (or None), `uniprots` and
            `string_ids` (lists of str, empty where unknown); `kind` where not all are binary; `at_least` and
            `at_most` (NaN or None: none) where labels of binary tasks are measured values, of which those
            from or up to this threshold are active; `unit` and `transform` where they are known.
        classes: name of each task of kind class -> names of its classes.
        columns: further columns of the rows, that the molecules keep; name -> n texts or None.
        left_out: position of a row that the source itself leaves out -> the reason.
        files: path and number of rows of each file, in order, where the table is made of several.
        tested_from: position of the first row of a file for test, which ends the table; None: there is none.
        embedding: vectors of the user's own that the molecules get; those without one are left out.
        notes: counts and facts about the reading that end in counts.json.
    """

    smiles: "list[str | None]"
    source_ids: "list[str | None]"
    rows: "np.ndarray"
    labels: "pd.DataFrame"
    tasks: "pd.DataFrame"
    notes: dict[str, int | str] = field(default_factory=dict)
    classes: "dict[str, list[str]]" = field(default_factory=dict)
    columns: "dict[str, list[str | None]]" = field(default_factory=dict)
    left_out: dict[int, str] = field(default_factory=dict)
    files: "list[tuple[str, int]]" = field(default_factory=list)
    tested_from: int | None = None
    embedding: "Embedding | None" = None
