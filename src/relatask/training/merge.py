"""One table per study from thousands of journalled runs, in one query."""

import logging
from pathlib import Path

import duckdb
import pandas as pd

from relatask.artifacts import write_table
from relatask.errors import RelataskError
from relatask.files import read_json

log = logging.getLogger(__name__)
ORDERS = {
    "predictions": "row.number, table_.fold, table_.item_id, table_.task_id",
    "history": "row.number, table_.task_id, table_.epoch",
}


def merge_runs(plan: pd.DataFrame, runs: Path, out: dict[str, Path]) -> None:
    """Merge the journal entries of all planned runs, in the plan's order.

    Args:
        plan: table "plan".
        runs: folder of the journal's entries.
        out: file of each table: predictions, history, costs.

    Raises:
        RelataskError: a planned run is missing, by name, or rows got lost.
    """
    entries = [runs / run_id for run_id in plan["run_id"]]
    require_all(plan, entries)
    for name, order in ORDERS.items():
        write_table(name, _merge(name, entries, order), out[name])
    measured = [read_json(entry / "run.json")["measured"] for entry in entries]
    costs = pd.DataFrame(measured)
    costs["run_id"] = plan["run_id"].to_numpy()
    write_table("costs", costs, out["costs"])
    log.info("merged %d runs", len(entries))


def require_all(plan: pd.DataFrame, entries: list[Path]) -> None:
    """Raise with the names of planned runs that the journal lacks."""
    missing = [not (entry / "run.json").exists() for entry in entries]
    if any(missing):
        rows = plan[missing]
        some = [f"{r.run_id} ({r.label}, {r.dataset}, seed {r.seed})" for r in rows.head(5).itertuples()]
        more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
        raise RelataskError(
            f"{len(rows)} of {len(plan)} planned runs are missing: {', '.join(some)}{more}; "
            "run the workflow again, it trains only those."
        )


def _merge(name: str, entries: list[Path], order: str) -> pd.DataFrame:
    """Read table `name` of all entries, sorted, and check that no run is absent from it."""
    files = [str(entry / f"{name}.parquet") for entry in entries]
    numbers = pd.DataFrame({"number": range(len(entries)), "run_id": [entry.name for entry in entries]})
    connection = duckdb.connect()
    connection.register("row", numbers)
    try:
        frame = connection.execute(
            f"SELECT table_.* FROM read_parquet($files, union_by_name=true) table_ "
            f"JOIN row ON row.run_id = table_.run_id ORDER BY {order}",
            {"files": files},
        ).df()
        total = connection.execute(
            "SELECT sum(num_rows) FROM parquet_file_metadata($files)", {"files": files}
        )
        expected = total.fetchone()
    except duckdb.Error as error:
        raise RelataskError(f"table {name} of the runs cannot be merged: {error}") from None
    if expected is None or len(frame) != int(expected[0] or 0):
        raise RelataskError(f"merging table {name} gave {len(frame)} rows instead of {expected}.")
    if name == "predictions" and frame["run_id"].nunique() != len(entries):
        raise RelataskError(f"only {frame['run_id'].nunique()} of {len(entries)} runs have predictions.")
    return frame
