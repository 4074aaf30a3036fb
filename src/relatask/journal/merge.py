"""One table per study from thousands of journalled runs, in one query."""

import json
import logging
from collections.abc import Iterator
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json, read_json
from relatask.core.layout import dataset_folder, in_study
from relatask.core.registry import capabilities, saved_tables
from relatask.core.tables import saved_columns, schema, write_batches, write_table
from relatask.journal.digests import code_of_run, data_of_run, forms_of_run
from relatask.journal.journal_entry import damaged_file, is_of_run, read_record, saved_file
from relatask.plan.spec import RunSpec

ROWS = 1_000_000  # in memory at a time
TABLES = ("predictions", "history")
log = logging.getLogger(__name__)


def merge_runs(
    plan: pd.DataFrame,
    runs: Path,
    out: dict[str, Path],
    saved: Path | None = None,
    study: Path | None = None,
) -> None:
    """Merge the journal entries of all planned runs, in the plan's order.

    Args:
        plan: table "plan".
        runs: folder of the journal's entries.
        out: file of each table: predictions, history, costs.
        saved: folder for the tables that methods declare in `saves`; None leaves them in the journal.
        study: its folder, with its data sets; with it, entries of other code or data count as missing.

    Raises:
        RelataskError: a planned run is missing, by name, or rows got lost.
    """
    entries = [runs / run_id for run_id in plan["run_id"]]
    _require_entries(plan, entries, study)
    for name in TABLES:
        write_batches(
            name, _checked(plan, Merged(name, entries, f"{name}.parquet", schema(name).names)), out[name]
        )
    write_table("costs", _costs(entries), out["costs"])
    if saved is not None:
        _merge_saved(plan, runs, saved)
    log.info("merged %d runs", len(entries))


def _costs(entries: list[Path]) -> pd.DataFrame:
    """Return table "costs" of all entries; those of earlier versions of relatask name no libraries."""
    rows = []
    for entry in entries:
        measured = read_record(entry)["measured"]
        libraries = measured.get("libraries")
        rows.append(
            {**measured, "run_id": entry.name, "libraries": canonical_json(libraries) if libraries else None}
        )
    return pd.DataFrame(rows, columns=schema("costs").names)


def _merge_saved(plan: pd.DataFrame, runs: Path, folder: Path) -> None:
    """Merge each table that methods of the plan declare in `saves`, from the runs of those that do.

    Runs that are put together from others (`shards.combined`) have none.
    """
    for name, declared in saved_tables(plan["method"].unique()).items():
        columns = saved_columns(declared)
        saving = [name in capabilities("methods", method).saves for method in plan["method"]]
        entries = [runs / run_id for run_id in plan.loc[saving, "run_id"]]
        entries = [entry for entry in entries if (entry / saved_file(name)).exists()]
        merged = Merged(name, entries, saved_file(name), list(columns))
        write_batches(name, merged.batches(), folder / f"{name}.parquet", columns)


class Merged:
    """Table `name` of all `entries`, in their order, and how many rows of which run it holds.

    Args:
        name: of the table.
        entries: folders of the journal.
        file: name of its file in each of them.
        columns: that it has.
    """

    def __init__(self, name: str, entries: list[Path], file: str, columns: list[str]):
        self.name, self.columns = name, columns
        self.files = {str(entry / file): entry.name for entry in entries}
        self.expected: list[tuple[str, int]] = []  # (run, rows), as the files say
        self.found: list[tuple[str, int]] = []  # as the rows come

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the entries, one entry after the other, each in its own order."""
        columns = ", ".join(f'"{column}"' for column in self.columns)
        files = {"files": list(self.files)}
        try:
            with duckdb.connect() as connection:
                connection.execute("SET preserve_insertion_order = true; SET threads = 1")
                count = "SELECT file_name, num_rows FROM parquet_file_metadata($files)"
                counts = dict(connection.sql(count, params=files).fetchall())
                self.expected = [(run, counts[file]) for file, run in self.files.items() if counts[file]]
                rows = connection.sql(f"SELECT {columns} FROM read_parquet($files)", params=files)
                for batch in rows.to_arrow_reader(ROWS):
                    self._note(batch.column("run_id"))
                    yield batch
        except duckdb.Error as error:
            text = " ".join(str(error).split())
            raise RelataskError(
                f"table {self.name} of the runs cannot be merged ({text}); delete that run's folder and run "
                "the workflow again."
            ) from None

    def _note(self, run_ids: pa.Array) -> None:
        start = 0
        encoded = pc.run_end_encode(run_ids)
        for run, end in zip(encoded.values.to_pylist(), encoded.run_ends.to_pylist(), strict=True):
            before = self.found.pop()[1] if self.found and self.found[-1][0] == run else 0
            self.found.append((run, before + end - start))
            start = end


def _outdated(plan: pd.DataFrame, entries: list[Path], study: Path) -> Iterator[Path | None]:
    """Yield the record of each entry that is another run's, or of other code or data than now, else None."""

    @lru_cache
    def data_of(dataset: str, split: str, forms: tuple[str, ...]) -> str:
        return data_of_run(study / dataset_folder(dataset), split, forms)

    for text, entry in zip(plan["spec"], entries, strict=True):
        spec, record = RunSpec.from_json(json.loads(text)), read_record(entry)
        method, encoder, _, named = spec.names
        forms = forms_of_run(method, encoder, named)
        data = data_of(spec.dataset, f"{spec.split}-{spec.seed}", forms)
        now = {"code": code_of_run(*spec.names), "data": data}
        current = is_of_run(record, entry.name) and now.items() <= record["digests"].items()
        yield None if current else entry / "run.json"


def _require_entries(plan: pd.DataFrame, entries: list[Path], study: Path | None) -> None:
    """Raise with the names of planned runs that the journal lacks or holds damaged, and why the first failed.

    Their shards, or the selection that asked for them, count as unfinished from then on, so that the workflow
    trains them when it runs again.
    """
    bad, state = [damaged_file(entry) for entry in entries], "missing or damaged"
    if study is not None and not any(bad):
        bad, state = list(_outdated(plan, entries, study)), "of other code or data than now"
    if not any(bad):
        return
    rows = plan[[path is not None for path in bad]]
    first = next(path for path in bad if path)
    folder = first.parents[2]
    for shard in rows["shard"].dropna().unique():
        (folder / in_study("shard_done", shard=f"{shard:05d}")).unlink(missing_ok=True)
    for asked in rows[rows["shard"].isna()].itertuples():
        for path in folder.glob(in_study("selected", collection=str(asked.collection), strategy="*")):
            path.unlink()
    failure = folder / in_study("failed") / f"{first.parent.name}.json"
    why = (
        f" {first.parent.name} failed: {read_json(failure)['reason'].rstrip('.')}."
        if failure.exists()
        else ""
    )
    raise RelataskError(
        f"{len(rows)} of {len(plan)} planned runs are {state}: {_names(rows)}; run the workflow again, it "
        f"trains only those.{why}"
    )


def _checked(plan: pd.DataFrame, merged: Merged) -> Iterator[pa.RecordBatch]:
    """Yield the rows; a fault found at their end keeps the file from taking its place."""
    yield from merged.batches()
    _require_rows(plan, merged)


def _require_rows(plan: pd.DataFrame, merged: Merged) -> None:
    """Raise where a row got lost, or a run lies elsewhere than the plan says."""
    if merged.found != merged.expected:
        pairs = zip_longest(merged.expected, merged.found)
        strange = next(planned or found for planned, found in pairs if planned != found)
        raise RelataskError(
            f"the {merged.name} of run {strange[0]} in the journal hold rows of other runs or lack some; "
            "delete that run's folder and run the workflow again."
        )
    silent = ~plan["run_id"].isin([run for run, _ in merged.found])
    if merged.name == "predictions" and silent.any():
        raise RelataskError(
            f"{silent.sum()} of {len(plan)} runs have no predictions: {_names(plan[silent])}; no molecule of "
            "validation or test has a label in their tasks: choose other tasks or another split."
        )


def _names(rows: pd.DataFrame) -> str:
    some = [f"{r.run_id} ({r.label}, {r.dataset}, seed {r.seed})" for r in rows.head(5).itertuples()]
    return ", ".join(some) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
