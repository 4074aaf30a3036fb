"""The dataset that methods see: a source and its relations after densification, with all counts."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relatask.config import DensifyConfig
from relatask.config.weights import WeightsConfig
from relatask.core.csv_files import write_csv
from relatask.core.errors import RelataskError
from relatask.core.files import digests_of, read_fields, read_json, write_json
from relatask.core.layout import DATASET_LISTS, SOURCE_FILES, SOURCE_TABLES, in_dataset
from relatask.core.tables import COLUMNS, read_table, write_table
from relatask.data.dataset_counts import dataset_counts
from relatask.data.densify import LEARNABLE, Kept, densify, everything, keep_only
from relatask.data.tasks import left_out_said, task_positions, with_counts
from relatask.data.weights import with_weights

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

log = logging.getLogger(__name__)


@dataclass
class Dataset:
    """The tables of `results/{study}/data/{dataset}` by name, and the content of dataset.json."""

    tables: "dict[str, pd.DataFrame]"
    counts: dict[str, Any]


def write_dataset(
    source: Path,
    relations: Path | None,
    config: DensifyConfig | None,
    report: Path | None,
    out: Path,
    complete: bool = False,
    weights: WeightsConfig | None = None,
) -> dict[str, Any]:
    """Densify the source in folder `source` and write the dataset to folder `out`; return its counts.

    With `complete`, all items and tasks stay, whatever labels they have. With `weights` the items have the
    weights that the user gives.

    dataset.json is written last, so a folder that has it is whole.
    """
    tables = {name: read_table(name, source / SOURCE_FILES[name]) for name in SOURCE_TABLES}
    edges = read_table("relations", relations) if relations else None
    dataset = make_dataset(tables, edges, config, out.name, complete, weights)
    dataset.counts["source"]["standardisation"] = read_json(source / "counts.json")
    if report:
        dataset.counts["relations"] |= read_fields(report)
    dataset.tables["conflicts"] = tables["conflicts"]
    for name, table in dataset.tables.items():
        write_table(name, table, out / in_dataset(name))
        if name in DATASET_LISTS:
            write_csv(table, out / in_dataset(f"{name}_csv"))
    dataset.counts["files"] = digests_of(*(out / in_dataset(name) for name in dataset.tables))
    write_json(out / in_dataset("dataset"), dataset.counts)
    if len(dataset.tables["rejected_tasks"]):
        log.warning("%s: %s.", out.name, left_out_said(dataset.tables["rejected_tasks"]))
    return dataset.counts


def make_dataset(
    source: "dict[str, pd.DataFrame]",
    relations: "pd.DataFrame | None",
    config: DensifyConfig | None,
    name: str,
    complete: bool = False,
    weights: WeightsConfig | None = None,
) -> Dataset:
    """Return the dataset made of the tables of a source and its relations.

    Without `config` everything stays but binary tasks with fewer than two classes, which can be neither
    learned nor evaluated, and items without a label; these stay too if `complete` is set. Rows are ordered:
    items by item_id, tasks as in the source, labels by item and task. Relations keep only pairs of kept
    tasks.

    Raises:
        RelataskError: nothing is left, the relations name a task that the source does not have, or weights
            are of what the data set does not have.
    """
    import numpy as np
    import pandas as pd

    items = source["items"].sort_values("item_id", ignore_index=True)
    tasks = source["tasks"]
    names = pd.Index(tasks["task_id"], dtype=object)
    labels = source["labels"]
    row = pd.Index(items["item_id"]).get_indexer(labels["item_id"])
    column = task_positions(labels["task_id"], names)
    if len(labels) and min(row.min(), column.min()) < 0:
        raise RelataskError(f"dataset {name!r}: labels name an item or task that its source does not list.")
    values = labels["value"].to_numpy()
    active = values > 0.5
    ends = None if relations is None else _ends(relations, names, name)
    related = None if ends is None else np.isin(np.arange(len(tasks)), ends)
    shape = (len(items), len(tasks))
    if complete:
        kept = everything(shape, len(labels))
    else:
        binary = (tasks["kind"] == "binary").to_numpy()
        kept = densify(row, column, active, shape, config or LEARNABLE, related, binary)
    if config is not None and config.tasks:
        keep_only(kept, _named(config.tasks, names, kept, name), row, column)
    if not complete:
        _check_not_empty(kept, row, column, config, name)
    cells = kept.cells[np.lexsort((column[kept.cells], row[kept.cells]))]
    tables = {
        "items": items[kept.items].reset_index(drop=True),
        "rejected": _rejected(source["rejected"], items, kept),
        "tasks": with_counts(tasks, column[cells], values[cells])[kept.tasks].reset_index(drop=True),
        "rejected_tasks": tasks.assign(reason=kept.task_reasons)[~kept.tasks][
            list(COLUMNS["rejected_tasks"])
        ].reset_index(drop=True),
        "labels": pd.DataFrame(
            {
                "item_id": labels["item_id"].to_numpy()[cells],
                "task_id": _categories(column[cells], names, kept.tasks),
                "value": values[cells],
                "bound": pd.Categorical(labels["bound"].to_numpy()[cells]),
            }
        ),
        "classes": _kept_classes(source["classes"], names[kept.tasks]),
        "relations": _kept_relations(relations, ends, kept.tasks),
    }
    if weights is not None:
        tables["items"] = with_weights(tables, weights, name)
    return Dataset(tables, dataset_counts(source, relations, config, kept, tables))


def _named(wanted: Sequence[str], names: "pd.Index", kept: Kept, name: str) -> "np.ndarray":
    """Return which tasks `wanted` names, bool [T].

    Raises:
        RelataskError: one is no task of the source, or was removed as too sparse.
    """
    reasons = dict(zip(names, kept.task_reasons, strict=True))
    for task in wanted:
        if why := reasons.get(task, "it is not in the source"):
            raise RelataskError(f"dataset {name!r}: densify.tasks: {task!r} is left out: {why}; name others.")
    return names.isin(wanted)


def _ends(relations: "pd.DataFrame", names: "pd.Index", name: str) -> "np.ndarray":
    """Return task positions [E, 2] of the relations."""
    import numpy as np

    ends = np.c_[task_positions(relations["task_i"], names), task_positions(relations["task_j"], names)]
    if (unknown := (ends < 0).any(axis=1)).any():
        pair = relations[["task_i", "task_j"]].iloc[int(np.argmax(unknown))].to_list()
        raise RelataskError(
            f"dataset {name!r}: the relations hold the pair {pair}, but its source has no such task; relate "
            "the tasks of the same source."
        )
    return ends


def _check_not_empty(
    kept: Kept, row: "np.ndarray", column: "np.ndarray", config: DensifyConfig | None, name: str
) -> None:
    """Say which key to change when no label is left."""
    import numpy as np

    if len(kept.cells):
        return
    start = kept.rounds[0]
    if not start["tasks"]:
        raise RelataskError(
            f"datasets.{name}: no task has a relation, so none is left; lower relations.min_score, choose "
            "another relations.channel, or set densify.drop_isolated to false."
        )
    if config is None:
        raise RelataskError(
            f"datasets.{name}: no task has labels of both classes; nothing can be learned. Labels that "
            "are 0 and 1 in the file want no `active`."
        )
    most = [int(np.bincount(positions).max()) if len(positions) else 0 for positions in (row, column)]
    raise RelataskError(
        f"datasets.{name}.densify.tau: {config.tau} leaves no molecule and no task (the source has up to "
        f"{most[0]} labels a molecule and {most[1]} a task, and min_positives and min_negatives hold too); "
        "set a lower value."
    )


def _categories(codes: "np.ndarray", names: "pd.Index", kept: "np.ndarray") -> "pd.Categorical":
    """Return task ids as categories, those of the kept tasks in their order."""
    import numpy as np
    import pandas as pd

    return pd.Categorical.from_codes((np.cumsum(kept) - 1)[codes], categories=names[kept])


def _kept_classes(classes: "pd.DataFrame", tasks: "pd.Index") -> "pd.DataFrame":
    """Return the names of the classes of kept tasks."""
    return classes[classes["task_id"].isin(tasks)].reset_index(drop=True)


def _rejected(rejected: "pd.DataFrame", items: "pd.DataFrame", kept: Kept) -> "pd.DataFrame":
    """Return the source's rejected rows and the items that densification left out."""
    import pandas as pd

    out = items.assign(row=None, reason=kept.item_reasons)[~kept.items]
    further = [name for name in rejected.columns if name not in COLUMNS["rejected"]]
    names = [*COLUMNS["rejected"], *further]
    frames = [frame.reindex(columns=names).astype({"row": "Int64"}) for frame in (rejected, out)]
    return pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)


def _kept_relations(
    relations: "pd.DataFrame | None", ends: "np.ndarray | None", kept: "np.ndarray"
) -> "pd.DataFrame":
    """Return the relations between kept tasks; an empty table where there are none."""
    import pandas as pd

    if relations is None or ends is None:
        return pd.DataFrame({column: [] for column in COLUMNS["relations"]})
    return relations[kept[ends].all(axis=1)].reset_index(drop=True)
