"""Processes that predict parts: each has the model, and all of them end with the one that started them."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path

import pandas as pd
import pyarrow as pa
import torch
from threadpoolctl import threadpool_limits

from relatask.core.errors import RelataskError
from relatask.models.embedding import with_vectors
from relatask.models.ensemble import Ensemble
from relatask.models.items import as_items
from relatask.models.prediction import REASON, Model, load
from relatask.models.wanted import Wanted
from relatask.predicting.known import aligned
from relatask.predicting.parts import PartFiles
from relatask.predicting.rows import items_in

Numbered = tuple[int, pa.Table]  # number of a chunk and its rows


@dataclass(frozen=True)
class Asked:
    """What parts are made by.

    Attributes:
        model: folder of the model.
        device: that predicts.
        column: of the rows, with SMILES or texts.
        header: names of the columns of a prediction.
        wanted: what a prediction says beside the value.
        known: results that are known, of `read_known`, or None.
        embedding: table of SMILES and vectors, of a model that reads an embedding.
        files: where parts are written.
    """

    model: Path
    device: str
    column: str
    header: tuple[str, ...]
    wanted: Wanted
    known: pd.DataFrame | None
    embedding: Path | None
    files: PartFiles


class Predictor:
    """A model that predicts chunks of rows, in any process."""

    def __init__(self, asked: Asked, model: Model | Ensemble | None = None):
        """Load what is needed.

        Args:
            asked: what parts are made by.
            model: the same one, if it is loaded already.

        Raises:
            RelataskError: the model or its embedding cannot be used.
        """
        self.asked = asked
        self.model = load(asked.model, asked.device) if model is None else model
        self.items_of = with_vectors(self.model, asked.embedding)

    def predict(self, number: int, rows: pa.Table) -> int:
        """Predict a chunk of rows and write it as a part; return how many rows it has."""
        asked = self.asked
        items = as_items(self.items_of(items_in(rows[asked.column])), self.model.members[0].trained)
        known = None if asked.known is None else aligned(asked.known, items, self.model.column)
        found = self.model.predict(items, known, wanted=asked.wanted)
        for name, key in zip(asked.header, found.columns, strict=True):
            rows = rows.append_column(name, _array(found[key]))
        asked.files.write(number, rows, int(found[REASON].notna().sum()))
        return rows.num_rows


def _array(values: pd.Series) -> pa.Array:
    """Return numbers as they are and all else as texts; numbers that are all missing have no type yet."""
    if values.dtype.kind == "f":
        return pa.array(values, from_pandas=True) if values.notna().any() else pa.nulls(len(values))
    return pa.array([None if pd.isna(value) else str(value) for value in values], pa.string())


def predict_all(predictor: Predictor, chunks: Iterable[Numbered], n_workers: int) -> Iterator[int]:
    """Predict chunks, by several processes or by this one; yield the number of rows of each that is done.

    Each process has one thread, so that sums have one order and a file is the same however many processes
    predict it.

    Args:
        predictor: of this process.
        chunks: read as processes become free, so that few of them are in memory.
        n_workers: 1 for this process alone.

    Raises:
        RelataskError: a process was ended, as the system does when memory runs out.
    """
    if n_workers == 1:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with threadpool_limits(1):
                yield from (predictor.predict(number, rows) for number, rows in chunks)
        finally:
            torch.set_num_threads(threads)
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy locks that threads of libraries hold
    with ProcessPoolExecutor(n_workers, context, _start, (predictor.asked,)) as pool:
        try:
            yield from _as_done(pool, chunks, 2 * n_workers)
        except BrokenProcessPool:
            raise RelataskError(
                "a process that predicts was ended, perhaps for lack of memory; run the same command again, "
                "which goes on, with a smaller --num-workers."
            ) from None
        except BaseException:
            for process in multiprocessing.active_children():
                process.terminate()  # parts are whole or absent
            raise


def _as_done(pool: ProcessPoolExecutor, chunks: Iterable[Numbered], most: int) -> Iterator[int]:
    """Hand chunks to a pool, at most so many at a time, and yield what comes back."""
    waiting: set[Future[int]] = set()
    for chunk in chunks:
        waiting.add(pool.submit(_predict, *chunk))
        if len(waiting) >= most:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        yield from (future.result() for future in done)


_own: list[Predictor] = []  # that of a process of the pool


def _start(asked: Asked) -> None:
    """Load the model in a process of the pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says what Ctrl-C does
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    threadpool_limits(1)
    _own.append(Predictor(asked))


def _end_with_parent() -> None:
    """End this process when its parent does, also when that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _predict(number: int, rows: pa.Table) -> int:
    return _own[0].predict(number, rows)
