"""A Python whose imports are done: `python -m MODULE` as a fork of a process that holds the heavy libraries.

A study of seconds spends most of them on importing pandas, torch and Snakemake, once for each step; a test
that runs hundreds of studies starts them here. The package itself is imported in each fork, from PYTHONPATH.

    with warm_python(folder) as python:
        subprocess.run([python, "-m", "snakemake", ...])
"""

import array
import importlib
import json
import os
import runpy
import select
import signal
import socket
import stat
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

LIBRARIES = (
    *("snakemake.cli", "snakemake.workflow", "snakemake.dag", "snakemake.scheduling.job_scheduler", "yaml"),
    *(
        "pandas",
        "pyarrow.parquet",
        "duckdb",
        "sklearn.ensemble",
        "scipy.stats",
        "statsmodels.stats.multitest",
    ),
    *("matplotlib.pyplot", "rdkit.Chem", "rdkit.Chem.rdFingerprintGenerator", "torch", "tqdm", "pydantic"),
)
# Sends its arguments, environment, folder and open files to the server, and ends as the fork ends.
CLIENT = """#!{python} -SEs
import array, json, os, socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect({address!r})
text = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
files = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))
link.sendmsg([len(text).to_bytes(8, "big")], [files])
link.sendall(text)
sys.exit(int(link.recv(8) or b"137"))
"""


@contextmanager
def warm_python(folder: Path) -> Iterator[Path]:
    """Yield the path of a program that takes `-m MODULE ARGUMENTS` as Python does."""
    address, program = folder / "warm.socket", folder / "warm-python"
    program.write_text(CLIENT.format(python=sys.executable, address=str(address)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    server = subprocess.Popen([sys.executable, __file__, str(address), str(program)])
    try:
        while not address.exists():
            assert server.poll() is None, "the server ended"
            time.sleep(0.05)
        yield program
    finally:
        server.kill()
        server.wait()


def _serve(address: str, program: str) -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    assert not [name for name in sys.modules if name.partition(".")[0] == "relatask"]
    sys.executable = program
    door = socket.socket(socket.AF_UNIX)
    door.bind(f"{address}.new")
    door.listen(64)
    Path(f"{address}.new").rename(address)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        link, _ = door.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            door.close()
            _attend(link)
            os._exit(0)
        link.close()


def _attend(link: socket.socket) -> None:
    """Run what a client asks for; if the client is killed, so are the fork and its own children."""
    head, rights, _, _ = link.recvmsg(8, socket.CMSG_SPACE(12))
    files = list(array.array("i", rights[0][2]))
    text = b""
    while len(text) < int.from_bytes(head, "big"):
        text += link.recv(1 << 20)
    arguments, environment, folder = json.loads(text)
    child = os.fork()
    if child == 0:
        link.close()
        _run(arguments, environment, folder, files)
    for file in files:
        os.close(file)
    ended = os.pidfd_open(child)
    ready, _, _ = select.select([ended, link], [], [])
    if ended not in ready:
        with suppress(ProcessLookupError):  # it has no group of its own yet
            os.killpg(child, signal.SIGKILL)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with suppress(OSError):
        link.sendall(str(os.waitstatus_to_exitcode(status) % 256).encode())


def _run(arguments: list[str], environment: dict[str, str], folder: str, files: list[int]) -> Any:
    code = 1
    try:
        os.setsid()
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        for place, file in enumerate(files):
            os.dup2(file, place)
        sys.path[:0] = environment.get("PYTHONPATH", "").split(os.pathsep)
        assert arguments[0] == "-m", arguments
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
