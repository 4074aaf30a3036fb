"""A SLURM cluster of one node on this machine, with folders, ports and processes of its own."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

CONF = """
ClusterName=relatask
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmdPort={d_port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/munge.sock
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherParams=OverMemoryKill
JobAcctGatherFrequency=task=1
AccountingStorageType=accounting_storage/none
SlurmdParameters=config_overrides
GresTypes=gpu
ReturnToService=2
MaxArraySize=1001
KillWait=5
MinJobAge=600
SchedulerParameters=sched_interval=1,batch_sched_delay=0
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
ETC = Path("/etc/slurm")  # where SLURM looks in jobs, which do not inherit SLURM_CONF
PREFIX = "relatask-slurm-"  # of the folders of clusters
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")


def require_programs() -> None:
    """Install SLURM where that is possible, else skip with the reason."""
    if os.getuid() != 0:
        pytest.skip("a SLURM cluster of the test's own needs root")
    if (ETC / "slurm.conf").exists() and not is_left_behind():
        pytest.skip(
            f"{ETC / 'slurm.conf'} exists; the test would stand in the way of a cluster that is there"
        )
    if all(shutil.which(name) for name in PROGRAMS):
        return
    if shutil.which("apt-get") is None:
        pytest.skip("slurmctld, slurmd and munged are absent, and there is no apt-get to install them")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = "apt-get update -qq && apt-get install -y -qq --no-install-recommends slurm-wlm munge"
    if subprocess.run(install, shell=True, env=quiet, capture_output=True, check=False).returncode:
        pytest.skip("slurm-wlm and munge could not be installed from a Debian mirror")


def is_left_behind() -> bool:
    """Whether the machine's cluster is one of these tests that was killed: its controller does not answer."""
    if not (ETC / "slurm.conf").resolve().parent.name.startswith(PREFIX):
        return False
    return subprocess.run(["scontrol", "ping"], capture_output=True, check=False).returncode != 0


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], object], seconds: float, what: str) -> None:
    """Return once `true()`; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(0.2)


class Cluster:
    """The daemons, and the commands that talk to them."""

    def __init__(self) -> None:
        require_programs()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/run"))
        self.host = socket.gethostname().split(".")[0]
        self.conf, self.daemons = self.folder / "slurm.conf", dict[str, subprocess.Popen[bytes]]()
        self.env = dict(os.environ)
        for name in ("state", "spool", "munge"):
            (self.folder / name).mkdir()
        cpus, pages = os.cpu_count() or 1, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        ports = {"ctld_port": free_port(), "d_port": free_port()}
        sizes = {"cpus": cpus, "memory": int(0.9 * pages / 2**20)}
        self.conf.write_text(CONF.format(host=self.host, folder=self.folder, **ports, **sizes))
        # Two devices that exist everywhere stand for GPUs: jobs are given them by number, nothing opens them.
        (self.folder / "gres.conf").write_text("Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n")

    def start(self) -> None:
        """Start munged, slurmctld and slurmd, and wait until the node takes jobs."""
        ETC.mkdir(exist_ok=True)
        for name in ("slurm.conf", "gres.conf"):
            (ETC / name).unlink(missing_ok=True)
            (ETC / name).symlink_to(self.folder / name)
        self.folder.chmod(0o755)
        munge, user = self.folder / "munge", pwd.getpwnam("munge")
        (munge / "key").write_bytes(os.urandom(128))
        (munge / "key").chmod(0o400)
        for path in (munge, munge / "key"):
            os.chown(path, user.pw_uid, user.pw_gid)
        files = {"socket": "munge.sock", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        options = [f"--{key}={munge / name}" for key, name in files.items()]
        self._spawn("munged", "--foreground", f"--key-file={munge / 'key'}", *options, user="munge")
        wait_until((munge / "munge.sock").exists, 10, "munged opens its socket")
        self.start_controller()
        self._spawn("slurmd", "-D", "-f", str(self.conf), "-N", self.host)
        wait_until(lambda: "idle" in self.ask("sinfo", "-h", "-o", "%T"), 30, "the node is idle")

    def start_controller(self) -> None:
        """Start slurmctld and wait until it answers."""
        self._spawn("slurmctld", "-D", "-f", str(self.conf))
        wait_until(lambda: self._call("scontrol", "ping").returncode == 0, 30, "slurmctld answers")

    def stop_controller(self) -> None:
        """Stop slurmctld as its service would."""
        self._end("slurmctld")

    def stop(self) -> None:
        """Cancel what still runs, stop the daemons and remove their folder."""
        self._call("scancel", "-u", "root")
        for name in reversed(list(self.daemons)):
            self._end(name)
        for name in ("slurm.conf", "gres.conf"):
            (ETC / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, *command: str) -> str:
        """What a command prints."""
        return self._call(*command).stdout

    def jobs(self, state: str) -> list[str]:
        """Ids of the jobs and array tasks in a state, by submission."""
        return self.ask("squeue", "-h", "-r", "-t", state, "-o", "%i", "--sort=i").split()

    def details(self, job: str) -> str:
        """All that SLURM knows of a job."""
        return self.ask("scontrol", "show", "job", job)

    def _call(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)

    def _spawn(self, name: str, *arguments: str, user: str | None = None) -> None:
        log = (self.folder / f"{name}.out").open("ab")
        path = str(shutil.which(name))
        self.daemons[name] = subprocess.Popen(
            [path, *arguments], env=self.env, stdout=log, stderr=log, user=user, cwd="/"
        )

    def _end(self, name: str) -> None:
        daemon = self.daemons.pop(name)
        daemon.terminate()
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
