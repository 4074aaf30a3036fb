"""Manifests, records and journal entries of any content are read as written, told, or made again."""

import copy
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relatask.core.files import read_fields, read_json, sha256_of
from relatask.engine.run import RunResult
from relatask.journal.heartbeat import read_heartbeats
from relatask.journal.journal import Journal
from relatask.journal.journal_entry import damaged_file, read_record
from relatask.journal.status import study_status
from relatask.plan.manifest import read_manifest, shard_manifest
from relatask.plan.spec import RunSpec
from tests.fuzz.cases import cases, done_or_sentence, result_or_sentence
from tests.fuzz.nested import change, places
from tests.helpers.prepared_dataset import make_spec

SPECS = [make_spec(), make_spec("single_task", seed=3, tasks={"part": 0, "of": 2})]
DIGESTS = {"code": "c", "data": "d"}
MANIFEST = json.loads(shard_manifest(SPECS, "study"))
PLACES = places(MANIFEST)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(10**20, 10**21),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
EDIT = st.tuples(st.sampled_from(PLACES), st.sampled_from(["set", "drop", "rename", "double"]), ODD)


def edited(value: Any, edits: list[tuple]) -> Any:
    value = copy.deepcopy(value)
    for path, how, odd in edits:
        change(value, path, how, odd)
    return value


@given(st.lists(EDIT, min_size=1, max_size=3))
@cases(share=2)
def test_a_manifest_is_its_runs_or_a_sentence(folder: Path, edits: list[tuple]) -> None:
    path = folder / "00007.json"
    path.write_text(json.dumps(edited(MANIFEST, edits)))
    read = result_or_sentence(lambda: read_manifest(path), ("00007.json",))
    if read is not None:
        dataset, specs = read
        assert isinstance(dataset, str)
        assert all(isinstance(spec, RunSpec) and spec.dataset == dataset for spec in specs)
        assert all(len(spec.run_id) == 12 for spec in specs)


@given(st.binary(max_size=60), st.integers(0, 4000))
@cases(share=4)
def test_any_bytes_are_a_manifest_or_a_sentence(folder: Path, tail: bytes, cut: int) -> None:
    path = folder / "00008.json"
    path.write_bytes(shard_manifest(SPECS, "study").encode()[:cut] + tail)
    result_or_sentence(lambda: read_manifest(path), ("00008.json",))


@given(st.lists(EDIT, max_size=2), st.booleans())
@cases(share=20)
def test_the_step_ends_with_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], edits: list[tuple], truncated: bool
) -> None:
    path = folder / "study" / "shards" / "00009.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(edited(MANIFEST, edits))
    path.write_text(text[:-5] if truncated else text)
    command = ["train_shard", "--manifest", str(path), "--device", "cpu", "--out", str(folder / "done.json")]
    assert not done_or_sentence(command, capsys)  # there is no data set, so none can end well
    assert not (folder / "done.json").exists()


@pytest.fixture(scope="module")
def journal(folder: Path) -> Journal:
    """A journal that holds one run."""
    journal = Journal(folder / "journal")
    predictions = pd.DataFrame(
        {"item_id": range(5), "fold": "test", "task_id": "a", "label": 1.0, "score": 0.5}
    )
    history = pd.DataFrame({"epoch": [0], "train_loss": 0.5, "valid_metric": 0.5, "seconds": 1.0})
    history = history.assign(task_id=None, examples_per_second=1.0)
    measured = {"seconds": 1.0, "peak_rss_mb": 1.0, "device": "CPU", "host": "here"}
    ids = [frame.assign(run_id=SPECS[0].run_id) for frame in (predictions, history)]
    journal.enter(SPECS[0], DIGESTS, RunResult(*ids, None).finished(), measured)
    return journal


@given(st.data())
@cases(share=4)
def test_an_entry_of_the_journal_counts_as_written_or_not_at_all(
    journal: Journal, data: st.DataObject
) -> None:
    entry = journal.runs / SPECS[0].run_id
    path = entry / "run.json"
    whole = path.read_bytes()
    try:
        record = json.loads(whole)
        edit = st.tuples(st.sampled_from(places(record)), st.sampled_from(["set", "drop", "rename"]), ODD)
        odd = edited(record, data.draw(st.lists(edit, min_size=1, max_size=3)))
        path.write_text(json.dumps(odd)[: data.draw(st.sampled_from([None, None, 30]))])
        held = journal.holds(SPECS[0], DIGESTS)
        if held:  # only a part that no reader needs was changed
            assert damaged_file(entry) is None
            assert read_record(entry)["digests"] == DIGESTS
            assert odd["files"] == {name: sha256_of(entry / name) for name in record["files"]}
    finally:
        path.write_bytes(whole)
    assert journal.holds(SPECS[0], DIGESTS)


@given(ODD)
@cases(share=4)
def test_records_have_their_fields_or_a_sentence(folder: Path, odd: object) -> None:
    path = folder / "record.json"
    path.write_text(json.dumps({"digest": odd, "n": 3}))
    read = result_or_sentence(lambda: read_fields(path, digest=str, n=int), ("record.json",))
    assert (read is not None) == isinstance(odd, str)
    path.write_text(json.dumps(odd))
    result_or_sentence(lambda: read_fields(path, digest=str), ("record.json",))
    result_or_sentence(lambda: read_json(path), ("record.json",))


@given(st.one_of(st.binary(max_size=80), ODD.map(lambda odd: json.dumps({"run_id": odd}).encode())))
@cases(share=10)
def test_any_lease_is_read_or_silent(folder: Path, body: bytes) -> None:
    path = folder / "heartbeats" / "running" / "00000.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    assert len(read_heartbeats(folder / "heartbeats")) <= 1


def test_the_status_of_what_is_no_study_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "plan.parquet").write_bytes(b"PAR1 nothing PAR1")
    assert result_or_sentence(lambda: study_status(tmp_path), ("plan.parquet",)) is None
