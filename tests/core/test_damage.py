"""A file that is not as it was written is told or made again; its numbers are never used."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.core.tables import read_table, write_table
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.run import RunResult
from relatask.journal.journal import Journal
from relatask.journal.journal_entry import damaged_file
from tests.helpers.prepared_dataset import make_spec

ROWS = 2000
FLIPS = 300


def damages(content: bytes, count: int) -> list[bytes]:
    """`content` with one bit flipped, and cut short, at random places."""
    rng = np.random.default_rng(0)
    found = []
    for place in rng.integers(0, len(content), count):
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(rng.integers(8))
        found += [bytes(flipped), content[:place]]
    return found


def predictions() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    columns = {"run_id": "run", "fold": "test", "item_id": np.arange(ROWS), "label": 1.0}
    return pd.DataFrame({**columns, "task_id": rng.choice(list("abc"), ROWS), "score": rng.random(ROWS)})


def refused_or_same(path: Path, read: Callable[[], object], same: Callable[[object], bool]) -> float:
    """Damage a file in many ways, and return the share of them that is refused; all others change nothing."""
    messages = []
    for damaged in damages(path.read_bytes(), FLIPS):
        path.write_bytes(damaged)
        try:
            found = read()
        except RelataskError as error:
            messages.append(str(error))
        else:
            assert same(found), "other numbers were read"
    assert all(path.name in message for message in messages)
    return len(messages) / (2 * FLIPS)


def test_a_table_is_refused_or_holds_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    write_table("predictions", predictions(), path)
    wanted = read_table("predictions", path)
    share = refused_or_same(path, lambda: read_table("predictions", path), wanted.equals)
    assert share > 0.95  # some bits, e.g. of the name of the program that wrote it, mean nothing


def test_an_entry_of_the_journal_counts_only_as_it_was_written(tmp_path: Path) -> None:
    history = pd.DataFrame({"epoch": range(50), "train_loss": 0.5, "valid_metric": 0.5, "seconds": 1.0})
    history = history.assign(run_id="run", task_id=None, examples_per_second=1.0)
    files = {"model/weights.safetensors": torch.randn(50, 4).numpy().tobytes()}
    journal, spec = Journal(tmp_path), make_spec()
    digests = {"code": "c", "data": "d"}
    measured = {"seconds": 1.0, "peak_rss_mb": 1.0, "device": "CPU", "host": "here"}
    journal.enter(spec, digests, RunResult(predictions(), history, None).finished(files), measured)
    entry = journal.runs / spec.run_id
    assert damaged_file(entry) is None
    for name in ("predictions.parquet", "history.parquet", "model/weights.safetensors"):
        content = (entry / name).read_bytes()
        for damaged in damages(content, 50):
            (entry / name).write_bytes(damaged)
            assert damaged_file(entry) == entry / name
            assert not journal.holds(spec, digests)
            with pytest.raises(RelataskError, match=f"{name} is damaged; delete"):
                journal.model(spec.run_id)
        (entry / name).write_bytes(content)
    assert journal.holds(spec, digests)


def test_a_damaged_checkpoint_starts_the_run_over(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    Checkpoint(path, "digests").save({"weight": torch.randn(20, 20)})
    content = path.read_bytes()
    for damaged in damages(content, FLIPS):
        path.write_bytes(damaged)
        again = Checkpoint(path, "digests")
        assert (again.finished, again.in_flight) == ([], None)
    path.write_bytes(content)
    assert Checkpoint(path, "digests").in_flight is not None
