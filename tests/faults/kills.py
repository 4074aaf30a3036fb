"""Kill a running workflow inside a step of one's choice."""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from tests.helpers.paths import ROOT
from tests.helpers.workflow import snakemake_command

# Who is killed, and how. A group is all processes of the workflow at once, as when a machine loses power or
# a terminal closes; a person or a scheduler asks Snakemake to end; the system kills a step for its memory.
WAYS = (
    ("group", signal.SIGKILL),
    ("group", signal.SIGTERM),
    ("snakemake", signal.SIGKILL),
    ("snakemake", signal.SIGTERM),
    ("step", signal.SIGKILL),
    ("step", signal.SIGTERM),
)

GRACE = 60  # seconds for Snakemake to end by itself


@dataclass(frozen=True)
class Kill:
    """What was killed, how, and how long after the step had started."""

    step: str
    whom: str
    how: signal.Signals
    after: float
    inside: bool = True  # else right after it

    def __str__(self) -> str:
        where = "in" if self.inside else "after"
        return f"{where} {self.step}: {self.how.name} to the {self.whom}, {self.after:.2f} s from its start"


class Victim:
    """A workflow in the background."""

    def __init__(self, folder: Path, arguments: Sequence[str]):
        with (folder / "snakemake.log").open("a") as log:
            self.process = subprocess.Popen(
                snakemake_command(folder, *arguments),
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={
                    **os.environ,
                    "PYTHONPATH": str(ROOT / "src"),
                    "RELATASK_CHECKPOINT_SECONDS": "0",
                    "NO_PROXY": "127.0.0.1",
                },
            )

    def wait_for(self, wanted: Callable[[str], bool]) -> tuple[str, psutil.Process] | None:
        """The next step that is wanted, as soon as it starts; None if the workflow ends without one."""
        while self.process.poll() is None:
            with suppress(psutil.Error):
                for child in psutil.Process(self.process.pid).children(recursive=True):
                    with suppress(psutil.Error):
                        line = child.cmdline()
                        if line[1:3] == ["-m", "relatask"] and wanted(line[3]):
                            return line[3], child
            time.sleep(0.01)
        return None

    def kill(self, step: psutil.Process, kill: "Kill") -> "Kill":
        """Send the signal, and return what was hit.

        A step that has ended already leaves the moment between it and the next: then all are killed. A step
        that is killed alone may be started again by its Snakemake.
        """
        if not step.is_running():
            kill = replace(kill, whom="group", how=signal.SIGKILL, inside=False)
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if kill.whom == "step":
                step.send_signal(kill.how)
                step.wait(60)
                return kill
            if kill.whom == "group":
                os.killpg(self.process.pid, kill.how)
            else:
                self.process.send_signal(kill.how)
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:  # Snakemake 9's handler takes a lock that its main thread may hold
            self.process.kill()
            self.process.wait()
        self.sweep()
        return kill

    def sweep(self) -> None:
        """Wait for steps that outlive their Snakemake; a person would not start anew beside them."""
        while group := [p for p in psutil.process_iter(["pid"]) if _group(p.pid) == self.process.pid]:
            psutil.wait_procs(group, timeout=1)


def _group(process: int) -> int | None:
    try:
        return os.getpgid(process)
    except ProcessLookupError:
        return None


def run_with_kills(
    folder: Path,
    arguments: Sequence[str],
    seconds: dict[str, float],
    each: int,
    only: str | None = None,
) -> list[Kill]:
    """Run a workflow to its end, and kill it in each of its steps at random moments.

    Args:
        folder: where it works.
        arguments: of Snakemake.
        seconds: step -> how long it takes when left alone.
        each: kills wanted per step; one that ends before it is hit as often has fewer.
        only: the step that is killed; None: every step.

    Returns:
        The kills that hit.
    """
    rng, kills, tries = random.Random(0), list[Kill](), Counter[str]()
    while True:
        victim = Victim(folder, arguments)
        while found := victim.wait_for(lambda step: only in {None, step} and tries[step] < each):
            step, process = found
            whom, how = WAYS[sum(tries.values()) % len(WAYS)]
            tries[step] += 1
            part = (
                rng.uniform(tries[step] - 1, tries[step]) / each
            )  # early ones hit whatever the machine does
            kill = Kill(step, whom, how, part * seconds[step])
            time.sleep(kill.after)
            kills.append(victim.kill(process, kill))
        if victim.process.wait() == 0:
            return kills
