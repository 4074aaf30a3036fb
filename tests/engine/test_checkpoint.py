"""A checkpoint counts for its own code and data, costs a bounded share of the time, and has stable bytes."""

import io
import logging
from pathlib import Path

import pytest
import torch
from torch import nn

from relatask.core import code_at_start
from relatask.core.errors import RelataskError
from relatask.engine import checkpoint as checkpoints
from relatask.engine.checkpoint import Checkpoint, sealed, tensor_bytes

UNIT = {"scores": {"test": torch.ones(2, 1)}, "history": [{"epoch": 1}], "weights": None}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints" / "run.pt"


class Clock:
    """Time that passes only when it is told to."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(checkpoints, "time", clock)
    return clock


def test_finished_units_and_the_one_in_flight_come_back(path):
    checkpoint = Checkpoint(path, "digests")
    assert (checkpoint.finished, checkpoint.in_flight) == ([], None)
    checkpoint.finish(UNIT)
    checkpoint.save({"step": 3, "weights": torch.arange(4)})
    again = Checkpoint(path, "digests")
    assert torch.equal(again.finished[0]["scores"]["test"], UNIT["scores"]["test"])
    assert again.finished[0]["history"] == [{"epoch": 1}]
    assert again.in_flight["step"] == 3
    assert again.in_flight["weights"].tolist() == [0, 1, 2, 3]


def test_the_state_of_a_unit_ends_with_it(path, monkeypatch):
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    checkpoint = Checkpoint(path, "digests")
    checkpoint.save({"step": 3})
    checkpoint._interval = 0.0
    checkpoint.finish(UNIT)
    assert checkpoint.in_flight is None
    again = Checkpoint(path, "digests")
    assert (len(again.finished), again.in_flight) == (1, None)


def test_one_of_other_code_or_data_is_ignored_and_the_log_says_so(path, caplog):
    Checkpoint(path, "digests").save({"step": 3})
    with caplog.at_level(logging.INFO):
        other = Checkpoint(path, "another")
    assert (other.finished, other.in_flight) == ([], None)
    assert "run.pt was written by other code, data or libraries; the run starts over" in caplog.text


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_one_is_ignored_and_the_log_says_so(path, caplog, share):
    checkpoint = Checkpoint(path, "digests")
    checkpoint.save({"weights": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with caplog.at_level(logging.INFO):
        again = Checkpoint(path, "digests")
    assert (again.finished, again.in_flight) == ([], None)
    assert "run.pt cannot be read" in caplog.text


def test_one_that_runs_code_when_read_is_ignored(path, tmp_path):
    class Hostile:
        def __reduce__(self):
            return Path.touch, (tmp_path / "hostile",)

    path.parent.mkdir()
    hostile = io.BytesIO()
    torch.save({"digests": "digests", "finished": [Hostile()], "in_flight": None}, hostile)
    path.write_bytes(sealed(hostile.getvalue()))
    assert Checkpoint(path, "digests").finished == []
    assert not (tmp_path / "hostile").exists()


def test_a_kill_while_saving_leaves_the_one_before(path, monkeypatch):
    checkpoint = Checkpoint(path, "digests")
    checkpoint.save({"step": 1})

    def killed(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            checkpoint.save({"step": 2})
    assert Checkpoint(path, "digests").in_flight == {"step": 1}


def test_saves_wait_for_their_interval(path, clock):
    checkpoint = Checkpoint(path, "digests")
    assert not checkpoint.due()
    clock.now += checkpoints.SECONDS
    assert checkpoint.due()
    checkpoint.save(None)
    assert not checkpoint.due()


def test_slow_saves_become_rare(path, clock, monkeypatch):
    checkpoint = Checkpoint(path, "digests")
    write = checkpoints.write_bytes

    def slowly(*arguments) -> None:
        clock.now += 60
        write(*arguments)

    monkeypatch.setattr(checkpoints, "write_bytes", slowly)
    checkpoint.save(None)
    clock.now += 599
    assert not checkpoint.due()
    clock.now += 1
    assert checkpoint.due()  # a save of a minute may come every ten minutes


def test_deleting_needs_no_file(path):
    checkpoint = Checkpoint(path, "digests")
    checkpoint.delete()
    checkpoint.save(None)
    checkpoint.delete()
    assert not path.exists()


def test_the_bytes_depend_on_the_content_alone(tmp_path):
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    state = network.state_dict()  # carries the versions of its modules
    storage = torch.cat([torch.zeros(7), *(value.flatten().float() for value in state.values())])
    views, start = {}, 7
    for name, value in state.items():
        views[name[:2] + name[2:]] = storage[start : start + value.numel()].view(value.shape).to(value.dtype)
        start += value.numel()
    assert tensor_bytes(views) == tensor_bytes(state)
    (tmp_path / "state.pt").write_bytes(tensor_bytes(state))
    loaded = torch.load(tmp_path / "state.pt", weights_only=True)
    assert tensor_bytes(loaded) == tensor_bytes(state)
    transposed = {**state, "0.weight": state["0.weight"].T.contiguous().T}
    assert tensor_bytes(transposed) == tensor_bytes(state)
    assert tensor_bytes({**state, "0.weight": state["0.weight"] + 1e-6}) != tensor_bytes(state)


def test_the_time_of_earlier_processes_is_kept_with_what_they_trained(path, clock):
    first = Checkpoint(path, "digests")
    clock.now += 7
    first.save({"step": 1})
    clock.now += 100  # lost with the process
    second = Checkpoint(path, "digests")
    assert (first.seconds, second.seconds) == (0, 7)
    clock.now += 5
    second.save({"step": 2})
    assert Checkpoint(path, "digests").seconds == 12
    assert Checkpoint(path, "another digests").seconds == 0


def test_work_of_code_that_changed_meanwhile_is_not_saved(tmp_path, monkeypatch):
    """The process may have imported what lay there for a moment."""
    path = tmp_path / "run.pt"
    Checkpoint(path, "digests", ["engine/run.py"]).save({"step": 1})
    monkeypatch.setattr(code_at_start, "_SEALS", {"engine/run.py": (1, 2, 3, 4)})
    with pytest.raises(RelataskError, match=r"engine/run\.py changed while its code ran"):
        Checkpoint(path, "digests", ["engine/run.py"]).save({"step": 2})
    assert Checkpoint(path, "digests").in_flight == {"step": 1}
