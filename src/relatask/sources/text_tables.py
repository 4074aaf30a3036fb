"""What all sources of texts share: which texts are kept, and how rows become items."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.merge import merge_labels
from relatask.data.source_tables import SourceContext, SourceTables, log_counts, source_tables
from relatask.inputs.words import NO_WORD, words_of
from relatask.sources.folder import folder_of
from relatask.sources.readers import columns_of_tasks, kept_columns, only_table
from relatask.sources.table_files import find_column, open_table
from relatask.sources.wide_table import read_wide

if TYPE_CHECKING:
    from relatask.sources.texts import TextsSource

LEVEL = "text"


@dataclass(frozen=True)
class RawTexts:
    """Rows of a source of texts as it gives them.

    Attributes:
        texts: of n rows, None where there is none.
        source_ids: the source's own names of the rows, None where it has none.
        tasks: their names.
        labels: row_position, task (position in `tasks`) and value, 0 or 1.
        left_out: position of a row that the source itself leaves out -> the reason.
        columns: further columns that the items keep.
    """

    texts: Sequence[Any]
    source_ids: Sequence[Any]
    tasks: Sequence[str]
    labels: pd.DataFrame
    left_out: Mapping[int, str] = field(default_factory=dict)
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)


def text_tables(raw: RawTexts, name: str) -> SourceTables:
    """Return the tables of a source of texts, in which every row is an item or rejected with its reason.

    A text without a word is rejected. Rows whose texts have the same words are one item, as a copy in the
    test fold would give its labels away: equal labels stay, conflicting ones become missing and are counted.
    In the counts, labels.in = labels.out + of_rejected_rows + equal_merged + conflicting.

    Args:
        raw: the rows.
        name: key of the source, for messages.

    Raises:
        RelataskError: no text is left.
    """
    n_rows = len(raw.texts)
    words = pd.Series([" ".join(words_of(text or "")) for text in raw.texts], dtype=object)
    reasons = pd.Series([NO_WORD if not text else None for text in words], dtype=object)
    for row, reason in raw.left_out.items():
        reasons[row] = reasons[row] or reason
    of_kind = Counter(reasons.dropna())
    kept = np.flatnonzero(reasons.isna())
    if not len(kept):
        found = ", ".join(f"{count} x {reason}" for reason, count in of_kind.most_common(3)) or "it has none"
        raise RelataskError(
            f"source {name}: none of its {n_rows} rows holds a usable text ({found}); check the text column."
        )
    codes, _ = pd.factorize(words[kept])  # in order of first appearance
    first = kept[np.unique(codes, return_index=True)[1]]
    original = first[codes]
    again = original != kept
    for row, same in zip(kept[again], original[again], strict=True):
        reasons[row] = f"duplicate of row {same + 1}"
    item_of_row = np.full(n_rows, -1)
    item_of_row[kept] = codes
    labels, label_counts = merge_labels(raw.labels, item_of_row, len(raw.tasks))
    counts: dict[str, Any] = {
        "source": name,
        "rows": n_rows,
        "rejected": dict(sorted(of_kind.items())),
        "duplicates_merged": int(again.sum()),
        "items": len(first),
        "labels": label_counts,
        "tasks": len(raw.tasks),
    }
    own = {"source_id": raw.source_ids, **raw.columns, "text": raw.texts}
    items = pd.DataFrame({key: pd.Series(values, dtype=object)[first] for key, values in own.items()})
    tasks = pd.DataFrame({"name": list(raw.tasks)})
    tables = source_tables(items, tasks, labels.rename(columns={"item_id": "item"}), LEVEL, counts=counts)
    out = np.flatnonzero(reasons.notna())
    ids = pd.Series(raw.source_ids, dtype=object)[out].to_list()
    tables.rejected = pd.DataFrame({"row": out + 1, "source_id": ids, "reason": reasons[out].to_list()})
    log_counts(name, "texts", counts)
    return tables


def read_texts_source(block: "TextsSource", context: SourceContext) -> RawTexts:
    """Read a user's table of texts x tasks.

    Raises:
        RelataskError: there is no such file or column, or a cell is no label.
    """
    folder = folder_of(block, context)
    table = open_table(folder if block.path else only_table(folder, context.name), block.reading())
    text = find_column(table, block.text_column, "text_column")
    keys = [text, *([find_column(table, block.id_column, "id_column")] if block.id_column else [])]
    kept = kept_columns(table, [*block.item_columns, *context.columns], ("text",))
    tasks = columns_of_tasks(table, block.task_columns, [*keys, *kept])
    table = replace(table, numbers=frozenset(tasks))
    wide = read_wide(table, [*keys, *kept], tasks, active=None, names=keys)
    return RawTexts(
        texts=wide.texts[text],
        source_ids=wide.texts[keys[-1]] if block.id_column else [None] * wide.n_rows,
        tasks=tasks,
        labels=wide.labels,
        columns={name: wide.texts[name] for name in kept},
    )
