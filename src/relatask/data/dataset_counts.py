"""What dataset.json says of a dataset: sizes at every stage and a digest of the content."""

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any

from relatask.config import DensifyConfig
from relatask.core.columns.data import OPEN
from relatask.core.files import canonical_json
from relatask.core.tables import COLUMNS
from relatask.data.densify import Kept

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

PLACE = "file"  # of an item: where it lies, and not what it is
DIGESTED = ("labels", "relations", "tasks", "classes", "items")


def dataset_counts(
    source: "dict[str, pd.DataFrame]",
    relations: "pd.DataFrame | None",
    config: DensifyConfig | None,
    kept: Kept,
    tables: "dict[str, pd.DataFrame]",
) -> dict[str, Any]:
    """Return the content of dataset.json: sizes at every stage and the digest of the content."""
    import numpy as np

    tasks, labels, edges = tables["tasks"], tables["labels"], tables["relations"]
    uniprots, ids = (source["tasks"][key].map(len).to_numpy() for key in ("uniprots", "string_ids"))
    names = source["tasks"]["task_id"].to_numpy(dtype=object)
    ends = np.union1d(edges["task_i"].to_numpy(dtype=object), edges["task_j"].to_numpy(dtype=object))
    return {
        "source": {
            "items": len(source["items"]),
            "tasks": len(source["tasks"]),
            "labels": len(source["labels"]),
        },
        "relations": {
            "given": relations is not None,
            "edges": 0 if relations is None else len(relations),
            "tasks_without_protein": names[(uniprots == 0) & (ids == 0)].tolist(),
            "tasks_without_string_id": names[(uniprots > 0) & (ids == 0)].tolist(),
        },
        "densify": config.model_dump() if config else None,
        "rounds": kept.rounds,
        "items_left_out": _tally(kept.item_reasons),
        "tasks_left_out": _tally(kept.task_reasons),
        "items": len(tables["items"]),
        "tasks": len(tasks),
        "labels": len(labels),
        "edges": len(edges),
        "tasks_without_edge": len(tasks) - len(ends),
        "classes": len(tables["classes"]),
        "positive_rate": round(_share(tasks["n_pos"].sum(), (tasks["n_pos"] + tasks["n_neg"]).sum()), 6),
        "labelled_share": round(_share(len(labels), len(tables["items"]) * len(tasks)), 6),
        "digest": content_digest(tables),
    }


def _share(part: float, whole: float) -> float:
    return float(part) / whole if whole else 0.0


def _tally(reasons: "np.ndarray") -> dict[str, int]:
    """Return how often each reason was given; "" means kept."""
    return dict(sorted(Counter(reasons[reasons != ""].tolist()).items()))


def content_digest(tables: "dict[str, pd.DataFrame]") -> str:
    """SHA-256 over the values of the tables that methods see, whatever wrote the Parquet files."""
    digest = hashlib.sha256()
    for name in DIGESTED:
        if name == "classes" and tables[name].empty:
            continue  # most data sets have none
        kinds = COLUMNS[name]
        further = (
            {column: "" for column in tables[name].columns if column not in {*kinds, PLACE}}
            if name in OPEN
            else {}
        )
        for column, kind in {**kinds, **further}.items():
            values = tables[name][column]
            digest.update(f"{name}.{column}:{len(values)}\n".encode())
            _add_column(digest, values, kind)
    return digest.hexdigest()


def _add_column(digest: "hashlib._Hash", values: "pd.Series", kind: str) -> None:
    """Add the values of one column, declared as `kind` or of an open table ("")."""
    import numpy as np
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype):
        digest.update(canonical_json(values.cat.categories.tolist()).encode())
        digest.update(np.ascontiguousarray(values.cat.codes, dtype="<i4").tobytes())
    elif kind in {"int32", "int16", "float32"} or (not kind and values.dtype.kind in "biuf"):
        dtype = np.dtype(kind or str(values.dtype)).newbyteorder("<")
        digest.update(np.ascontiguousarray(values, dtype=dtype).tobytes())
    elif _are_numbers(values.dropna()):
        for row in values:
            if not isinstance(row, np.ndarray):
                digest.update(b"null")  # e.g. the vector of an item that is no node
                continue
            digest.update(f"{row.dtype.str}{row.shape}".encode())
            digest.update(np.ascontiguousarray(row).tobytes())
    else:
        digest.update(canonical_json([_plain(value) for value in values]).encode())


def _are_numbers(values: "pd.Series") -> bool:
    """Whether the cells of a column are arrays of numbers."""
    import numpy as np

    return (
        bool(len(values)) and isinstance(values.iloc[0], np.ndarray) and values.iloc[0].dtype.kind in "biuf"
    )


def _plain(value: Any) -> Any:
    """Return a text, a number, a list of texts or None for a cell of another column."""
    import numpy as np
    import pandas as pd

    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, str | int):
        return value
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if value is None or value is pd.NA or isinstance(value, float):
        return None  # pandas reads a null of a text column as NaN
    return [_plain(entry) for entry in value]
