"""`relatask predict` of long files: in parts, by several processes, through pipes, and after a kill."""

import csv
import gzip
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from filelock import FileLock

from relatask.__main__ import main
from relatask.core.processes import may_live
from relatask.predicting import rows, workers
from tests.helpers.prepared_dataset import make_spec
from tests.models.molecule_data import train, write_molecules

SPEC = make_spec()
SMILES = [
    "CCO",
    "",
    "c1ccccc1O",
    "CC(=O)Nc1ccc(O)cc1",
    "not one",
    "CCN",
    "OCC",
    "CCCCCl",
    "CC(C)O",
    "C1CCCCC1",
    "N",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run: a network of three tasks."""
    results = tmp_path_factory.mktemp("parts") / "results"
    write_molecules(results / "small")
    return train(results, [SPEC]) / "runs" / SPEC.run_id


@pytest.fixture(autouse=True)
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of three rows: eleven rows are four parts."""
    monkeypatch.setattr(rows, "ROWS", 3)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Eleven rows, of which two hold no molecule."""
    path = tmp_path / "new.csv"
    pd.DataFrame({"id": range(len(SMILES)), "smiles": SMILES}).to_csv(path, index=False)
    return path


def rows_of(out: Path) -> list[list[str]]:
    with out.open(newline="", encoding="utf-8") as source:
        return list(csv.reader(source))


def whole(run: Path, file: Path) -> bytes:
    """What a run that nothing disturbs writes."""
    out = file.with_name("whole.csv")
    assert main(["predict", str(run), str(file), "-o", str(out), "-n", "1"]) == 0
    return out.read_bytes()


def interrupted_after(monkeypatch: pytest.MonkeyPatch, parts: int) -> None:
    """Let predicting fail as after a kill when some parts are there."""
    predict_part = workers.Predictor.predict
    calls = iter(range(parts))

    def failing(*arguments: object) -> int:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return predict_part(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(workers.Predictor, "predict", failing)


def test_what_was_predicted_before_a_kill_is_not_predicted_again(
    run: Path, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = whole(run, file)
    out = file.with_name("out.csv")
    with monkeypatch.context() as patched:
        interrupted_after(patched, 2)
        main(["predict", str(run), str(file), "-o", str(out), "-n", "1"])
    assert not out.exists()
    with monkeypatch.context() as patched:
        interrupted_after(patched, 2)  # which is what is left of four
        assert main(["predict", str(run), str(file), "-o", str(out), "-n", "1"]) == 0
    assert out.read_bytes() == expected
    assert not out.with_name("out.csv.parts").exists()
    said = capsys.readouterr().err
    assert "out.csv.parts keeps what is done; the same command goes on with it" in said
    assert "6 rows were predicted before" in said
    assert "11 rows, 2 of them without a prediction" in said


def test_parts_of_another_file_are_not_taken(
    run: Path, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = file.with_name("out.csv")
    with monkeypatch.context() as patched:
        interrupted_after(patched, 2)
        main(["predict", str(run), str(file), "-o", str(out), "-n", "1"])
    file.write_text(file.read_text().replace("CCO", "CCCO"))
    expected = whole(run, file)
    assert main(["predict", str(run), str(file), "-o", str(out), "-n", "1"]) == 0
    assert out.read_bytes() == expected
    assert "out.csv.parts is of another file, so predicting begins anew" in capsys.readouterr().err


def test_several_processes_write_the_same_file(
    run: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = whole(run, file)
    out = file.with_name("out.csv")
    monkeypatch.setattr(workers.Predictor, "predict", None)  # of this process, which predicts nothing
    assert main(["predict", str(run), str(file), "-o", str(out), "-n", "2"]) == 0
    assert out.read_bytes() == expected


def test_parts_of_a_file_joined_are_the_whole(run: Path, file: Path) -> None:
    expected = whole(run, file)
    outs = [file.with_name(f"{number}.csv") for number in (1, 2, 3, 4, 5)]
    for number, out in enumerate(outs, start=1):
        assert main(["predict", str(run), str(file), "-o", str(out), "--part", f"{number}/5"]) == 0
    joined = file.with_name("joined.csv")
    assert main(["join_predictions", "--parts", *map(str, outs), "--out", str(joined)]) == 0
    assert joined.read_bytes() == expected
    assert [len(rows_of(out)) - 1 for out in outs] == [0, 3, 3, 3, 2]


def test_a_packed_file_and_parquet_hold_the_same(run: Path, file: Path) -> None:
    expected = whole(run, file)
    packed, table = file.with_name("out.csv.gz"), file.with_name("out.parquet")
    for out in (packed, table):
        assert main(["predict", str(run), str(file), "-o", str(out)]) == 0
    assert gzip.decompress(packed.read_bytes()) == expected
    frame = pd.read_parquet(table)
    text = pd.read_csv(io.BytesIO(expected), keep_default_na=False, na_values={"task0": [""]})
    assert list(frame.columns) == list(text.columns)
    assert frame["smiles"].tolist() == text["smiles"].tolist()
    pd.testing.assert_series_equal(frame["task0"], text["task0"], check_dtype=False, atol=1e-6)
    assert frame["task0"].dtype == "float32"


@pytest.mark.parametrize("text", ["smiles,id\nCCO,1\nxx,2\n", "CCO one\nxx two\n"])
def test_a_pipe_is_read_and_written(
    run: Path, text: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    assert main(["predict", "--model-path", str(run), "-i", "-", "-o", "-"]) == 0
    rows = list(csv.DictReader(io.StringIO(capfdbinary.readouterr().out.decode())))
    assert [row["smiles"] for row in rows] == ["CCO", "xx"]
    assert float(rows[0]["task0"]) > 0
    assert rows[1]["task0"] == ""
    assert rows[1]["reason"] == "not a valid SMILES: it cannot be parsed"


def test_two_processes_do_not_write_one_output(
    run: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = file.with_name("out.csv.parts")
    folder.mkdir()
    with FileLock(folder / "lock"):
        assert main(["predict", str(run), str(file), "-o", str(file.with_name("out.csv"))]) == 2
    assert "another process writes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "new.csv"], "is the file that is read; give the output another name"),
    ],
)
def test_what_cannot_be_done_is_said(
    run: Path,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(file.parent)
    assert main(["predict", str(run), str(file), "-o", "out.csv", *options]) == 2
    assert message in capsys.readouterr().err


def children_of(process: int) -> Iterator[int]:
    for task in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(task.read_text().rpartition(")")[2].split()[1]) == process:
                yield int(task.parent.name)
        except OSError:
            continue


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="children are found in /proc")
def test_killed_at_once_it_leaves_no_process_and_goes_on(run: Path, file: Path) -> None:
    frame = pd.concat([pd.read_csv(file, keep_default_na=False)] * 2000)
    frame.to_csv(file, index=False)
    out = file.with_name("out.csv")
    command = [sys.executable, "-m", "relatask", "predict", str(run), str(file), "-o", str(out), "-n", "2"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 120
    while not list(file.parent.glob("out.csv.parts/*.csv")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    children = list(children_of(process.pid))
    process.send_signal(signal.SIGKILL)
    process.wait()
    while any(may_live(child) for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(children) >= 2
    assert not out.exists()
    assert (
        subprocess.run(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}).returncode == 0
    )
    again = file.with_name("again.csv")
    assert main(["predict", str(run), str(file), "-o", str(again), "-n", "1"]) == 0
    assert out.read_bytes() == again.read_bytes()
    assert len(rows_of(out)) == len(frame) + 1
