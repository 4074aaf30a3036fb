"""A file of items predicted by a model, from its rows to the file of predictions."""

import logging
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from relatask import __version__
from relatask.core.errors import RelataskError
from relatask.core.layout import PREDICTION_KINDS
from relatask.core.processes import usable_cores
from relatask.models.embedding import with_vectors
from relatask.models.prediction import load
from relatask.models.wanted import ALL, Wanted
from relatask.predicting.columns import header_of
from relatask.predicting.known import read_known
from relatask.predicting.parts import STDOUT, Parts
from relatask.predicting.rows import STDIN, Rows, copied_stdin, read_column, rows_of
from relatask.predicting.unchanged import Unchanged
from relatask.predicting.workers import Asked, Predictor, predict_all

LEAST_CHUNKS = 4  # for which a second process is worth the seconds in which it starts
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What is asked of which model.

    Attributes:
        model: its folder, that of a run, or of an ensemble.
        file: with the items, or `STDIN`.
        output: to write, or `STDOUT`.
        column: of the file, with SMILES or texts; None: found.
        device: cpu or cuda.
        n_workers: processes that predict; None: as many as cores.
        part: (k, n) for the k-th of n parts of the file.
        wanted: what a prediction shall say beside the value.
        known: table of results that are known of items, if any.
        embedding: table of SMILES and vectors, of a model that reads an embedding.
    """

    model: Path
    file: Path
    output: Path
    column: str | None = None
    device: str = "cpu"
    n_workers: int | None = None
    part: tuple[int, int] = (1, 1)
    wanted: Wanted = ALL
    known: Path | None = None
    embedding: Path | None = None


def predict_file(job: Job) -> None:
    """Predict the rows of a file that are not predicted yet, and write all.

    Raises:
        RelataskError: the model or the file cannot be used, or the output cannot be written.
    """
    if job.output.is_dir():
        raise RelataskError(f"{job.output} is a folder; name a file to write (-o).")
    if job.output.suffix and not job.output.name.lower().endswith(PREDICTION_KINDS):
        raise RelataskError(
            f"{job.output}: predictions are CSV or Parquet; let its name end in one of "
            f"{', '.join(PREDICTION_KINDS)}."
        )
    if job.output != STDOUT and job.output.exists() and job.file.exists() and job.output.samefile(job.file):
        raise RelataskError(f"{job.output} is the file that is read; give the output another name (-o).")
    model = load(job.model, job.device)
    usual = read_column(model, job.model)
    with TemporaryDirectory(prefix="relatask-") as scratch:
        file = job.file
        if file == STDIN:
            file = copied_stdin(Path(scratch), job.column or usual)
        files = Unchanged(file, job.known, job.embedding)
        rows = rows_of(file, job.column, usual).part(*job.part)
        header = header_of(model, rows.table.names, file, job.wanted)
        known = None
        if job.known is not None:
            known = read_known(job.known, None, model, with_vectors(model, job.embedding))
        depends_on = {
            "model": model.digest,
            "file": files.digest(file),
            "range": [rows.start, rows.end],
            "columns": [rows.column, *rows.table.names, *header],
            "level of intervals": job.wanted.level,
            "known results": None if job.known is None else files.digest(job.known),
            "embedding": None if job.embedding is None else files.digest(job.embedding),
            "version": __version__,
        }
        with Parts(job.output, Path(scratch) / "parts" if job.output == STDOUT else None) as parts:
            parts.begin(depends_on)
            named = tuple(header)
            asked = Asked(
                *(job.model, job.device, rows.column, named),
                *(job.wanted, known, job.embedding, parts.files),
            )
            _predict_missing(Predictor(asked, model), rows, job)
            try:
                files.require()
            except RelataskError:
                parts.discard()
                raise
            n_empty = parts.join([*rows.table.names, *header], len(rows))
    for sentence in model.caveats(job.wanted):
        log.info("%s", sentence)
    log.info("%s: %d rows, %d of them without a prediction", job.output, len(rows), n_empty)


def _predict_missing(predictor: Predictor, rows: Rows, job: Job) -> None:
    """Predict the chunks of rows that are not there yet, and say how long it takes."""
    files = predictor.asked.files
    done = files.done()
    before = sum(part.n_rows for part in done.values())
    chunks = rows.chunks(lambda number: number not in done)
    n_workers = _n_workers(job, rows.n_chunks - len(done))
    with tqdm(total=len(rows), initial=before, desc="predict", unit="row", disable=None, leave=False) as bar:
        try:
            for n_rows in predict_all(predictor, chunks, n_workers):
                bar.update(n_rows)
        except KeyboardInterrupt:
            log.info("%s keeps what is done; the same command goes on with it.", files.folder)
            raise


def _n_workers(job: Job, n_chunks: int) -> int:
    """Return how many processes predict: as many as cores; one for few rows, which another would not save."""
    if job.device != "cpu" or n_chunks < LEAST_CHUNKS:
        return 1
    return min(job.n_workers or usable_cores(), n_chunks)
