"""A GPU belongs to one process at a time; where there is none, or none is free, the message says so."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.engine import device as devices
from relatask.engine.device import claimed_device

# A process that believes in two GPUs, says which is its own, and keeps it until it is told to end.
PROCESS = """
import os, sys
from types import SimpleNamespace
import torch
torch.cuda.is_available = lambda: True
torch.cuda.device_count = lambda: 2
torch.cuda.get_device_properties = lambda index: SimpleNamespace(uuid=f"uuid-{index}")
torch.cuda.set_device = lambda index: None
from relatask.core.errors import RelataskError
from relatask.engine.device import claimed_device
try:
    with claimed_device("auto") as device:
        print(device, flush=True)
        sys.stdin.readline()
except RelataskError as error:
    print(error, flush=True)
"""


@pytest.fixture(autouse=True)
def no_gpu_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(devices, "SECONDS", 0.0)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two GPUs that are not there; returns the indices that were made current."""
    current: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid=f"uuid-{index}")
    )
    monkeypatch.setattr(torch.cuda, "set_device", current.append)
    return current


def start(tmp_path: Path, wait: float = 0.0) -> subprocess.Popen[str]:
    environment = {"TMPDIR": str(tmp_path), "RELATASK_GPU_WAIT_SECONDS": str(wait)}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS], stdin=pipe, stdout=pipe, text=True, env={**os.environ, **environment}
    )


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_without_a_gpu_auto_is_the_cpu() -> None:
    with claimed_device("auto") as device:
        assert device == torch.device("cpu")


def test_without_a_gpu_cuda_is_refused_and_the_reason_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(
        RelataskError, match=r"built without CUDA: install .*torch-cuda.yaml; use auto or cpu"
    ):
        claimed_device("cuda").__enter__()
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    with pytest.raises(RelataskError, match=r"torch finds no CUDA device: see what nvidia-smi says"):
        claimed_device("cuda").__enter__()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(RelataskError, match=r"CUDA_VISIBLE_DEVICES is ''"):
        claimed_device("cuda").__enter__()


def test_the_cpu_takes_no_gpu(two_gpus: list[int], tmp_path: Path) -> None:
    with claimed_device("cpu") as device:
        assert device == torch.device("cpu")
    assert two_gpus == []
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_keeps_no_gpu_from_its_process(
    two_gpus: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", refuse)
    with claimed_device("cuda") as first, claimed_device("cuda") as second:
        assert [str(first), str(second)] == ["cuda:0", "cuda:1"]


def test_each_claim_gets_a_gpu_of_its_own_and_gives_it_back(two_gpus: list[int]) -> None:
    with claimed_device("cuda") as first, claimed_device("auto") as second:
        assert [str(first), str(second)] == ["cuda:0", "cuda:1"]
        with pytest.raises(RelataskError) as raised:
            claimed_device("cuda").__enter__()
    own = f"process {os.getpid()}"
    assert (
        f"no GPU of 2 got free within 0 seconds; they belong to other processes of relatask ({own}, {own})"
        in str(raised.value)
    )
    assert "--resources gpu=2, or set device to cpu" in str(raised.value)
    with claimed_device("cuda") as again:
        assert str(again) == "cuda:0"
    assert two_gpus == [0, 1, 0]


def test_the_same_gpu_is_the_same_under_another_index(
    two_gpus: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with claimed_device("cuda"):
        monkeypatch.setattr(
            torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid=f"uuid-{1 - index}")
        )
        with claimed_device("cuda") as other:  # sees the two in the other order
            assert str(other) == "cuda:0"
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid="uuid-0"))
        with pytest.raises(RelataskError, match="no GPU of 1 got free"):
            claimed_device("cuda").__enter__()


def test_parts_of_a_gpu_are_told_apart(two_gpus: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid="parent"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-a,MIG-b")
    with claimed_device("cuda") as first, claimed_device("cuda") as second:
        assert [str(first), str(second)] == ["cuda:0", "cuda:1"]


def test_processes_share_no_gpu_and_a_killed_one_frees_its_own(tmp_path: Path) -> None:
    first, second = start(tmp_path), start(tmp_path)
    assert {line(first), line(second)} == {"cuda:0", "cuda:1"}
    third = start(tmp_path)
    message = line(third)
    assert "no GPU of 2 got free within 0 seconds" in message
    assert all(f"process {process.pid}" in message for process in (first, second))
    patient = start(tmp_path, wait=60.0)
    time.sleep(0.2)
    first.send_signal(signal.SIGKILL)
    assert line(patient) in {"cuda:0", "cuda:1"}
    for process in (second, patient):
        process.communicate("\n", timeout=30)
        assert process.returncode == 0
    for process in (first, third):
        process.communicate(timeout=30)


def test_a_lock_folder_of_somebody_else_is_refused(
    two_gpus: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices.os, "getuid", lambda: 12345)
    with pytest.raises(RelataskError, match=r"relatask-gpus-12345 belongs to somebody else"):
        claimed_device("cuda").__enter__()
