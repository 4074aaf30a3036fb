"""The tables on disk: their columns and types, and the only functions that read and write them.

Every table is Parquet. Its columns are declared here once; writing casts to them and refuses what does
not fit, reading checks them, so a step can rely on what another step wrote.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relatask.atomic import atomic_path
from relatask.errors import RelataskError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

# name -> {column: type}; "key" columns come first and may not be null. A trailing "?" allows nulls.
COLUMNS: dict[str, dict[str, str]] = {
    "assay_targets": {  # what ChEMBL says an assay measures
        "assay_id": "string",
        "target_id": "string?",
        "organism": "string?",
        "uniprots": "list<string>",  # of human targets only
        "reason": "string?",  # why there are none
    },
    "proteins": {  # how STRING calls the proteins of tasks
        "identifier": "string",  # UniProt accession, or the STRING id of a task without one
        "string_id": "string?",  # null: STRING does not know it
        "preferred_name": "string?",
    },
    "molecules": {
        "mol_id": "int32",  # row of the molecule in its source's standardised table
        "smiles": "string",  # canonical
        "source_id": "string?",
        "n_heavy_atoms": "int16",
        "mol_weight": "float32",  # Da
        "scaffold": "string",  # Bemis-Murcko SMILES, empty for acyclic molecules
    },
    "items": {  # of a data set without molecules; `mol_id` in its labels and splits is the item
        "item_id": "int32",
        "name": "string",  # a point in time as the source writes it, or an image's file
    },
    "rejected": {
        "row": "int64?",  # of the input file, from 1; null for a molecule that densification left out
        "source_id": "string?",
        "smiles": "string?",
        "reason": "string",
    },
    "tasks": {
        "task_id": "string",  # safe in file names, HTML and shells
        "name": "string",  # as the source writes it
        "source_id": "string?",
        "uniprots": "list<string>",
        "string_ids": "list<string>",
        "n_pos": "int32",  # labels that are 1
        "n_neg": "int32",  # all others; measured values are others
    },
    "rejected_tasks": {"task_id": "string", "name": "string", "reason": "string"},
    "labels": {"mol_id": "int32", "task_id": "category", "label": "float32"},
    "classes": {  # in place of labels, where each item has one class out of many: a task is a class
        "mol_id": "int32",
        "task_id": "category",  # the item's class; it is of no other
    },
    "relations": {"task_i": "string", "task_j": "string", "score": "float32", "kind": "string"},
    "split": {"mol_id": "int32", "fold": "category"},
    "cell_split": {"mol_id": "int32", "task_id": "category", "fold": "category"},  # of the scheme cells
    "plan": {
        "run_id": "string",
        "label": "string",  # row of the tables
        "dataset": "string",
        "method": "string",
        "encoder": "string?",  # null for methods without one
        "balancing": "string",
        "split": "string",  # scheme, e.g. scaffold
        "seed": "int32",
        "tasks": "string",  # JSON: "all", {"part": i, "of": n} or a list of task ids
        "collection": "string?",  # gains that the run is trained for; null for rows of the tables
        "hyperparameters": "string",  # JSON
        "predicted_minutes": "float32",  # on one core, times the cost factor
        "cost_factor": "float32",  # of the config: measured over predicted time
        "shard": "int32?",  # null for runs that a strategy asked for, which no shard has
        "spec": "string",  # canonical JSON whose hash is run_id
    },
    "predictions": {
        "run_id": "category",
        "fold": "category",
        "item_id": "int32",
        "task_id": "category",  # of classes: the episode
        "label": "float32",
        "score": "float32",  # probability of label 1; of measured values the value, of classes the class
    },
    "known_labels": {  # of methods that read labels of held-out molecules: all labelled cells of those
        "run_id": "category",
        "fold": "category",
        "item_id": "int32",
        "task_id": "category",
        "predicted_in": "int8",  # the pass that predicts the cell; -1: none, it is not evaluated
        "known_in": "int16",  # bit p is set if the cell's label was known to pass p
    },
    "imputed": {  # every cell of a data set without a label
        "mol_id": "int32",
        "task_id": "category",
        "score": "float32",  # probability of label 1, mean over seeds
        "spread": "float32?",  # population standard deviation over seeds; null with one
        "n_known": "int32",  # labels that the molecule has
    },
    "history": {
        "run_id": "category",
        "task_id": "category?",  # null when one network serves all tasks of the run
        "epoch": "int32",
        "train_loss": "float32",
        # mean ROC-AUC over validation tasks with both classes; MAE of forecasts; accuracy of episodes
        "valid_metric": "float32?",
        "seconds": "float32",
        "examples_per_second": "float32",
    },
    "costs": {  # what each run took; measured, so not the same from run to run
        "run_id": "string",
        "seconds": "float32",
        "peak_rss_mb": "float32",
        "device": "string",
        "host": "string",
    },
    "metrics": {
        "run_id": "category",
        "task_id": "category",
        "fold": "category",
        "metric": "category",
        "value": "float64?",  # null when undefined, then `reason` says why
        "n": "int32",
        "n_pos": "int32",
        "reason": "string?",
    },
    "gains": {  # of one collection: what a task gains in a set of tasks that one network learns
        "task_set_id": "string",  # hash of the names of the set's tasks, which are its rows
        "task_id": "string",
        "seed": "int32?",  # null for gains that others collected
        "fold": "string",
        "metric": "string",
        "alone": "float64?",  # the metric of the task learned alone; null where others kept it
        "together": "float64?",
        "gain": "float64?",  # relative improvement; null where a metric is undefined
    },
    "affinities": {  # of one collection, by TAG
        "task_id": "string",
        "partner": "string",
        "affinity": "float64",  # of the partner onto the task; its scale is its own
    },
    "estimates": {  # of one collection: what strategies say of gains on the validation fold
        "strategy": "category",  # its label
        "rounds": "int32?",  # K of MTG-Net
        "seed": "int32",
        "task_set_id": "category",
        "task_id": "category",
        "estimate": "float64?",
        "trained": "bool",  # whether the strategy was told the gains of the set
    },
    "encodings": {  # of one collection: task sets as MTG-Net encodes them for a task, in two dimensions
        "task_id": "string",
        "stage": "string",  # which sets: those trained after K rounds, or all
        "x": "float32",
        "y": "float32",
        "gain": "float64",  # on the validation fold
    },
    "groups": {  # of one collection: the groups chosen by the estimates
        "strategy": "string",
        "rounds": "int32?",
        "seed": "int32",
        "budget": "int32",  # most groups
        "group": "int32",  # of the choice, from 0
        "task_set_id": "string",
        "task_id": "string",
        "serves": "bool",  # whether the task is predicted by this group
        "estimate": "float64",
        "valid_gain": "float64?",  # null where the set was not trained
        "test_gain": "float64?",
    },
    "groupings": {  # of one collection: what the groups of each choice are worth
        "strategy": "string",
        "rounds": "int32?",
        "seed": "int32",
        "budget": "int32",
        "n_groups": "int32",
        "n_trained": "int32",  # task sets whose training the strategy pays for
        "estimate": "float64?",  # means over tasks, each where it is served
        "valid_gain": "float64?",  # null where a set was not trained
        "test_gain": "float64?",
    },
    "summary": {  # one row: one table cell, e.g. mean test ROC-AUC of a method on a data set
        "dataset": "string",
        "split": "string",
        "method": "string",  # label of the method in tables
        "fold": "string",
        "metric": "string",
        "mean": "float64?",  # over seeds, of the mean over tasks
        "std": "float64?",  # over seeds, population (as the papers report); null with one seed
        "n_seeds": "int32",
        "n_tasks": "int32",  # tasks where the metric is defined in at least one seed
        "n_undefined": "int32",  # (task, seed) cells left out because the metric is undefined
        "delta": "float64?",  # mean minus the single-task baseline, over cells defined in both
    },
    "comparisons": {  # paired test of a method against another one; a pair per task (mean over seeds)
        "dataset": "string",
        "split": "string",
        "metric": "string",
        "method": "string",
        "baseline": "string",
        "n_pairs": "int32",  # tasks with a (seed, task) cell defined in both
        "n_cells": "int32",  # (seed, task) cells defined in both
        "mean_difference": "float64?",
        "ci_low": "float64?",  # 95 % bootstrap interval, tasks resampled
        "ci_high": "float64?",
        "statistic": "float64?",  # Wilcoxon signed-rank
        "p_value": "float64?",
        "p_holm": "float64?",  # corrected within (data set, split, metric)
        "reason": "string?",  # why there is no p value
    },
    # the study's tables as data; publishing/tables.py and data_tables.py say how they are shown
    "table_main": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "metric": "string",
        "mean": "float64?",
        "std": "float64?",
        "delta": "float64?",
        "n_seeds": "int32",
        "n_tasks": "int32",
        "n_undefined": "int32",
        "published": "float64?",  # on the metric's own scale, as `mean`
        "published_std": "float64?",
        "difference_in_spreads": "float64?",  # (mean - published) / published_std
        "chosen": "string?",  # the method that stands in the row, where validation chose among several
    },
    "table_all_metrics": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "metric": "string",
        "mean": "float64?",
        "std": "float64?",
        "delta": "float64?",
        "n_seeds": "int32",
        "n_tasks": "int32",
        "n_undefined": "int32",
    },
    "table_per_task": {
        "dataset": "string",
        "split": "string",
        "task_id": "string",
        "name": "string",
        "n_labels": "int32",  # of the task in the data set, over all folds
        "n_pos": "int32",
        "method": "string",
        "metric": "string",
        "mean": "float64?",
        "std": "float64?",
        "n_seeds": "int32",  # seeds where the metric is defined
        "reason": "string?",  # why it is undefined for the other seeds
    },
    "table_episodes": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "seed": "int32",
        "ways": "int32",  # classes of an episode
        "shots": "int32",  # images of each that are told
        "queries": "int32",  # images of each that are asked
        "metric": "string",
        "n_episodes": "int32",
        "mean": "float64",
        "half_interval": "float64?",  # 1.96 standard errors over episodes; null with one
        "least": "float64",
        "lower": "float64",  # quartiles
        "median": "float64",
        "upper": "float64",
        "greatest": "float64",
    },
    "table_statistics": {
        "dataset": "string",
        "molecules": "int32",
        "tasks": "int32",
        "labels": "int64",
        "labelled_percent": "float64",
        "positive_percent": "float64",
        "edges": "int32",
        "published_molecules": "float64?",
        "published_tasks": "float64?",
        "published_labelled_percent": "float64?",
        "digest": "string",
    },
    "table_splits": {
        "dataset": "string",
        "split": "string",
        "seed": "int32",
        "train": "int32",
        "valid": "int32",
        "test": "int32",
        "digest": "string",
    },
    "table_significance": {
        "dataset": "string",
        "split": "string",
        "metric": "string",
        "method": "string",
        "baseline": "string",
        "n_pairs": "int32",
        "mean_difference": "float64?",
        "ci_low": "float64?",
        "ci_high": "float64?",
        "statistic": "float64?",
        "p_value": "float64?",
        "p_holm": "float64?",
        "verdict": "string",  # better, worse, not told apart, or why there is no test
    },
    "table_gain_by_task": {
        "dataset": "string",
        "split": "string",
        "task_id": "string",
        "method": "string",
        "baseline": "string",
        "metric": "string",
        "n_labels": "int32",  # of the task in the data set, over all folds
        "degree": "int32",  # number of related tasks
        "difference": "float64",  # to the baseline, mean over the seeds defined in both
    },
    "table_correlated_tasks": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "least_tasks": "list<string>",  # whose labels correlate least with those of the others
        "least_mean": "float64?",
        "least_std": "float64?",
        "least_published": "float64?",  # of the paper's own tasks, which it may have chosen otherwise
        "least_published_std": "float64?",
        "most_tasks": "list<string>",
        "most_mean": "float64?",
        "most_std": "float64?",
        "most_published": "float64?",
        "most_published_std": "float64?",
        "spearman": "float64?",  # over tasks: mean correlation with the others, and gain over the baseline
    },
    "table_settings": {
        "setting": "string",  # as in a study file, e.g. training.epochs
        "value": "string",
        "methods": "string",  # that have it
        "searched": "string?",  # by the paper
    },
    "table_grouping": {
        "collection": "string",
        "strategy": "string",
        "rounds": "int32?",
        "row": "string",  # how the table calls strategy and rounds
        "source": "string",  # ours, oracle, or published
        "budget": "int32",
        "mean": "float64",  # test gain in per cent
        "std": "float64?",
        "valid_mean": "float64?",
        "n_seeds": "int32",
        "n_trained": "float64?",
    },
    "table_estimation_errors": {
        "collection": "string",
        "strategy": "string",
        "rounds": "int32?",
        "row": "string",
        "n_trained": "float64",
        "mean": "float64",  # absolute error
        "std": "float64?",
        "correlation": "float64?",
        "n_seeds": "int32",
    },
    "table_gain_distribution": {
        "collection": "string",
        "tasks": "int32",
        "task_sets": "int32",
        "gains": "int32",
        "mean": "float64",
        "positive_percent": "float64",
        "least": "float64",
        "lower": "float64",
        "median": "float64",
        "upper": "float64",
        "greatest": "float64",
        "correlation": "float64",
        "test_error": "float64",
    },
    "table_gain_agreement": {
        "collection": "string",
        "other": "string",  # another of the same tasks
        "fold": "string",
        "task_sets": "int32",  # of two or more tasks, in both
        "gains": "int32",
        "correlation": "float64?",  # Spearman's
        "correlation_by_task": "float64?",  # mean of each task's own
        "same_sign_percent": "float64?",
    },
    "table_groups": {
        "collection": "string",
        "strategy": "string",
        "rounds": "int32?",
        "seed": "int32",
        "budget": "int32",
        "group": "int32",
        "task_set_id": "string",
        "task_id": "string",
        "serves": "bool",
        "estimate": "float64",
        "valid_gain": "float64?",
        "test_gain": "float64?",
    },
    "table_costs": {  # measured
        "dataset": "string",
        "split": "string",
        "method": "string",
        "n_runs": "int32",
        "seconds": "float64",  # of all runs together
        "seconds_per_seed": "float64",
        "predicted_seconds": "float64",  # of all runs together, on one core
        "peak_rss_mb": "float64",
        "devices": "string",
    },
    # what was drawn, beside each figure; the figures' modules explain the columns
    "figure_overview": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "seed": "int32",
        "value": "float64",
        "n_tasks": "int32",
        "mean": "float64",
        "std": "float64?",
        "n_seeds": "int32",
    },
    "figure_grouping_performance": {
        "row": "string",
        "budget": "int32",
        "mean": "float64",
        "std": "float64?",
        "n_seeds": "int32",
    },
    "figure_encodings": {
        "task_id": "string",
        "stage": "string",
        "x": "float32",
        "y": "float32",
        "gain": "float64",
    },
    "figure_estimation_errors": {"row": "string", "error": "float64", "share": "float64"},
    "figure_gain_distribution": {"fold": "string", "gain": "float64", "share": "float64"},
    "figure_per_task": {
        "task_id": "string",
        "name": "string",
        "split": "string",
        "method": "string",
        "mean": "float64",
        "std": "float64?",
        "n_seeds": "int32",
        "difference": "float64?",
    },
    "figure_learning_curves": {
        "split": "string",
        "method": "string",
        "epoch": "int32",
        "mean": "float64?",
        "std": "float64?",
        "n_seeds": "int32",
        "still_training": "float64",
    },
    "figure_label_density": {
        "task_id": "string",
        "name": "string",
        "bin": "int32",
        "n_molecules": "int32",
        "n_labels": "int32",
        "n_pos": "int32",
    },
    "figure_label_correlation": {
        "task_i": "string",
        "task_j": "string",
        "name": "string",  # of task_i
        "correlation": "float64?",
    },
    "figure_known_ratio": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "ratio": "float64",
        "mean": "float64",
        "std": "float64?",
        "n_seeds": "int32",
    },
    "figure_relation_graph": {  # rows without task_j are tasks, the others relations
        "task_i": "string",
        "task_j": "string?",
        "score": "float64?",
        "name": "string?",
        "x": "float64?",
        "y": "float64?",
        "n_labels": "float64?",
        "family": "float64?",
    },
}

# Each page has a checksum, so that a damaged file is an error and never another number.
_FORMAT: dict[str, Any] = {"compression": "zstd", "write_page_checksum": True}


def schema(name: str) -> "pa.Schema":
    """Return the Arrow schema of table `name`."""
    import pyarrow as pa

    types = {
        "category": pa.dictionary(pa.int32(), pa.string()),
        "list<string>": pa.list_(pa.string()),
        "string": pa.string(),
    }
    return pa.schema(
        [
            pa.field(
                column,
                types.get(kind.rstrip("?")) or pa.type_for_alias(kind.rstrip("?")),
                nullable=kind.endswith("?"),
            )
            for column, kind in COLUMNS[name].items()
        ]
    )


def write_table(name: str, frame: "pd.DataFrame", path: str | Path) -> None:
    """Write `frame` as table `name` to `path`, cast to the declared columns, whole or not at all.

    Raises:
        RelataskError: a column is missing, holds a null it may not hold, or does not fit its type.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = schema(name)
    if missing := [column for column in wanted.names if column not in frame.columns]:
        raise RelataskError(f"table {name} for {path} lacks the columns {missing}.")
    try:
        table = pa.Table.from_pandas(frame[wanted.names], schema=wanted, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise RelataskError(f"table {name} for {path} does not fit its columns: {error}") from error
    for field in wanted:
        if not field.nullable and table.column(field.name).null_count:
            raise RelataskError(f"table {name} for {path} has nulls in column {field.name}.")
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata(None), temporary, **_FORMAT)


def write_batches(name: str, batches: "Iterable[pa.RecordBatch]", path: str | Path) -> None:
    """Write table `name` batch by batch, for tables that are larger than memory should hold.

    Raises:
        RelataskError: as `write_table`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = schema(name)
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, wanted, **_FORMAT) as writer:
        for batch in batches:
            arrays = [
                batch.column(field.name).dictionary_encode().cast(field.type)
                if pa.types.is_dictionary(field.type)
                else batch.column(field.name).cast(field.type)
                for field in wanted
            ]
            for field, array in zip(wanted, arrays, strict=True):
                if not field.nullable and array.null_count:
                    raise RelataskError(f"table {name} for {path} has nulls in column {field.name}.")
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=wanted))


@contextmanager
def _told(name: str, path: str | Path) -> Iterator[None]:
    """Tell what is wrong with the file of a table that cannot be read."""
    import pyarrow as pa

    try:
        yield
    except FileNotFoundError:
        raise RelataskError(f"{path} does not exist; run the step that writes table {name} first.") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise RelataskError(
            f"{path} is not a readable Parquet file ({error}); delete it and run the workflow again."
        ) from None


def _open(name: str, path: str | Path, columns: list[str]) -> "pq.ParquetFile":
    """Open the Parquet file of table `name` after checking that it has `columns`."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path, page_checksum_verification=True)
    if missing := [column for column in columns if column not in file.schema_arrow.names]:
        raise RelataskError(f"{path} is not a {name} table: it lacks the columns {missing}.")
    return file


def read_table(name: str, path: str | Path, columns: list[str] | None = None) -> "pd.DataFrame":
    """Read table `name` from `path` as a data frame.

    Raises:
        RelataskError: the file is absent, is not Parquet, or lacks a declared column.
    """
    with _told(name, path), _open(name, path, columns or schema(name).names) as file:
        return file.read(columns=columns).to_pandas()


def read_rows(name: str, path: str | Path, columns: list[str]) -> "list[dict[str, Any]]":
    """Read some columns of table `name` as one dictionary per row, without pandas, which takes long to start.

    Raises:
        RelataskError: as `read_table`.
    """
    with _told(name, path), _open(name, path, columns) as file:
        return file.read(columns=columns).to_pylist()


def read_batches(name: str, path: str | Path, by: str, rows: int = 4_000_000) -> "Iterator[pd.DataFrame]":
    """Yield table `name` in frames of about `rows` rows; rows that share a value of `by` stay together.

    For tables that are larger than memory should hold; rows with one value of `by` must be neighbours.

    Raises:
        RelataskError: as `read_table`, or a value of `by` comes back after others.
    """
    import pyarrow as pa

    finished: set[str] = set()
    pending: pa.Table | None = None
    wanted = schema(name).names
    with _told(name, path), _open(name, path, wanted) as file:
        for batch in file.iter_batches(batch_size=rows, columns=wanted):
            table = pa.Table.from_batches([batch])
            table = table if pending is None else pa.concat_tables([pending, table]).unify_dictionaries()
            frame = table.to_pandas()
            cut = int((frame[by] == frame[by].iloc[-1]).to_numpy().argmax())
            pending = table.slice(cut)
            if cut:
                yield _unseen(frame.iloc[:cut], by, finished, path)
    if pending is not None and len(pending):
        yield _unseen(pending.to_pandas(), by, finished, path)


def _unseen(frame: "pd.DataFrame", by: str, finished: set[str], path: str | Path) -> "pd.DataFrame":
    """Return `frame` after noting its values of `by`; one that was noted before is a mistake."""
    values = set(frame[by].unique())
    if again := sorted(values & finished):
        raise RelataskError(
            f"{path}: the rows of {by} {again[0]!r} are not together; write it sorted by {by}."
        )
    finished |= values
    return frame
