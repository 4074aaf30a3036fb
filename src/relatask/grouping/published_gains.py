"""The gains that the authors of MTG-Net collected, as they are in their repository."""

from pathlib import Path

import numpy as np

from relatask.config.published_tasks import TASKS
from relatask.core.errors import RelataskError
from relatask.grouping.gains import GainTable

# Files of sets, validation and test gains, and the authors' estimates. Taskonomy has one table of gains.
FILES: dict[str, dict[str, str]] = {
    "taskonomy": {
        "sets": "taskonomy_x.csv",
        "valid": "taskonomy.csv",
        "test": "taskonomy.csv",
        "hoa": "taskonomy_HOA.csv",
        "tag": "taskonomy_TAGHOA.csv",
    },
    "ettm1": {
        "sets": "ETTm1_x.csv",
        "valid": "ETTm1_val_y.csv",
        "test": "ETTm1_y.csv",
        "hoa": "ETTm1_HOA.csv",
        "tag": "ETTm1_TAG_HOA.csv",
    },
    "mimic": {
        "sets": "mimic_x.csv",
        "valid": "mimic_y_valid.csv",
        "test": "mimic_y_test.csv",
        "hoa": "mimic_HOA.csv",
        "tag": "mimic_TAGHOA.csv",
    },
}
# What the gains are relative improvements of, where the paper says it (section 4.1).
METRIC = {"taskonomy": "loss", "ettm1": "mae", "mimic": "roc_auc"}


def read_published(folder: Path, name: str) -> tuple[GainTable, dict[str, np.ndarray]]:
    """Return a table of gains and the authors' estimates "hoa" and "tag", float64 [S, N], NaN outside sets.

    Affinities of TAG have a scale of their own; only their order matters.

    Args:
        folder: with the files.
        name: "taskonomy", "ettm1" or "mimic".

    Raises:
        RelataskError: a file is missing, or not what the authors published.
    """
    files = {what: folder / file for what, file in FILES[name].items()}
    n_tasks = len(TASKS[name])
    sets = _matrix(files["sets"], n_tasks)
    if not np.isin(sets, (0, 1)).all():
        raise RelataskError(f"{files['sets']} must hold 0 and 1, which tasks are in a set.")
    member = sets.astype(bool)
    values = {what: _matrix(file, n_tasks) for what, file in files.items() if what != "sets"}
    for what, table in values.items():
        if len(table) != len(member):
            raise RelataskError(
                f"{files[what]} has {len(table)} rows, but {files['sets']} has {len(member)}."
            )
        if what in {"valid", "test"} and (table[~member] != 0).any():
            row = int(np.flatnonzero(((table != 0) & ~member).any(1))[0]) + 1
            raise RelataskError(f"{files[what]}, row {row}: a task outside the set has a gain; it must be 0.")
        values[what] = np.where(member, table, np.nan)
    return GainTable(list(TASKS[name]), member, values.pop("valid"), values.pop("test")), values


def _matrix(path: Path, columns: int) -> np.ndarray:
    """Read a file without header, its numbers separated by spaces or commas."""
    try:
        lines = path.read_text(encoding="utf-8").replace(",", " ").splitlines()
        table = np.array([line.split() for line in lines if line.strip()], dtype=np.float64)
    except OSError as error:
        raise RelataskError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise RelataskError(f"{path} must be a table of numbers, {columns} in each row.") from None
    if table.ndim != 2 or table.shape[1] != columns or not np.isfinite(table).all():
        raise RelataskError(f"{path} must be a table of finite numbers, {columns} in each row.")
    return table
