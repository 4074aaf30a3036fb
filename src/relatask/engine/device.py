"""The device that a process trains on; a GPU belongs to one process at a time, by a lock file.

Snakemake counts GPUs but does not say which is whose, and two workflows on a machine know nothing of each
other. The kernel frees a lock when its process ends, however it ends.
"""

import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from relatask.core.errors import RelataskError

SECONDS = float(os.environ.get("RELATASK_GPU_WAIT_SECONDS", "600"))  # to wait for a GPU
AGAIN = 1.0  # seconds between two tries
log = logging.getLogger(__name__)


@contextmanager
def claimed_device(wanted: str) -> Iterator[torch.device]:
    """Yield the device for "auto", "cpu" or "cuda"; a GPU is this process's alone until the block ends.

    "auto" is a GPU wherever there is one, also if it has to be waited for: numbers of a CPU differ in their
    last digits, and must not depend on which shard was first.

    Raises:
        RelataskError: there is no CUDA device, or none gets free in time.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise RelataskError(f"device: cuda was asked for, but {_why_no_cuda()}; use auto or cpu.")
    if wanted == "cpu" or not torch.cuda.is_available():
        yield torch.device("cpu")
        return
    with ExitStack() as stack:
        index = _wait_for_gpu(stack)
        torch.cuda.set_device(index)
        log.info("trains on GPU %d of %d", index, torch.cuda.device_count())
        yield torch.device("cuda", index)


def _why_no_cuda() -> str:
    if torch.version.cuda is None:
        return f"this torch ({torch.__version__}) is built without CUDA: install that of envs/torch-cuda.yaml"
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    hidden = "" if visible is None else f" (CUDA_VISIBLE_DEVICES is {visible!r})"
    return f"torch finds no CUDA device{hidden}: see what nvidia-smi says"


def _wait_for_gpu(stack: ExitStack) -> int:
    """Return the index of a GPU whose lock `stack` holds."""
    paths = [_lock_folder() / f"{_name_of(index)}.lock" for index in range(torch.cuda.device_count())]
    end = time.monotonic() + SECONDS
    said = False
    while True:
        for index, path in enumerate(paths):
            if _claimed(path, stack):
                return index
        users = ", ".join(path.read_text().strip() or "unknown" for path in paths)
        if time.monotonic() >= end:
            raise RelataskError(
                f"device: no GPU of {len(paths)} got free within {SECONDS:.0f} seconds; they belong to other "
                f"processes of relatask ({users}). Start fewer shards at once with --resources "
                f"gpu={len(paths)}, or set device to cpu."
            )
        if not said:
            log.info("waits for a GPU: all %d belong to other processes (%s)", len(paths), users)
            said = True
        time.sleep(AGAIN)


def _claimed(path: Path, stack: ExitStack) -> bool:
    """Lock a file until `stack` is closed and write this process's name into it; False if it is locked."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    stack.callback(lock.release)
    with suppress(OSError):  # a full disk; the name only serves the message to those that wait
        path.write_text(f"process {os.getpid()}")
    return True


def _lock_folder() -> Path:
    """A folder of this user on this machine, as GPUs are; not the study's, which machines may share."""
    folder = Path(tempfile.gettempdir()) / f"relatask-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise RelataskError(
            f"{folder} belongs to somebody else; remove it, or set TMPDIR to a folder of yours."
        )
    return folder


def _name_of(index: int) -> str:
    """A name for the GPU that another process has for it too, whichever it sees and however it counts."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    if index < len(visible) and visible[index].startswith("MIG-"):  # parts of a GPU share its UUID
        return visible[index].replace("/", "-")
    return str(torch.cuda.get_device_properties(index).uuid)
