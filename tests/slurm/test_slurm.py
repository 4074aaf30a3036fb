"""The workflow on a real SLURM cluster of one node, with what goes wrong on clusters.

Not part of `make test`; `make test-slurm` runs it. Training on the cluster must give the predictions of
training without it, byte for byte, and what a fault did not reach must not be trained again.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from relatask.__main__ import main
from relatask.predicting.rows import ROWS
from tests.helpers.paths import ROOT
from tests.helpers.workflow import TINY, run_snakemake, snakemake_command, write_study
from tests.slurm.cluster import Cluster, wait_until

STUDY = TINY | {
    "training": {"epochs": 150, "learning_rate": 0.003},
    "methods": [
        {"label": "MTL", "method": "shared_bottom", "encoder": "fingerprint_mlp"},
        {"label": "MTL_GIN", "method": "shared_bottom", "encoder": "gin", "training": {"epochs": 15}},
    ],
    "baseline": "MTL",
}
FAST = [  # a test does not wait for the status of jobs as long as a person may
    *("--slurm-status-command", "squeue", "--slurm-no-account", "--latency-wait", "10"),
    *("--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "1"),
]
pytestmark = pytest.mark.timeout(1800)  # on a busy machine jobs take several times as long
Journalled = dict[str, tuple[int, int]]  # run_id -> inode and time of its entry


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study trained without a cluster."""
    folder = tmp_path_factory.mktemp("local")
    run_snakemake(folder, "train_all", *settings(folder))
    return folder


@pytest.fixture
def prepared(local: Path, tmp_path: Path) -> Path:
    """A folder in which all is prepared and nothing trained."""
    shutil.copytree(local, tmp_path, dirs_exist_ok=True, copy_function=shutil.copy2)
    for name in ("runs", "predictions.parquet", "history.parquet", "costs.parquet"):
        path = tmp_path / "results" / "tiny" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in (tmp_path / "results" / "tiny" / "shards").glob("*.done.json"):
        path.unlink()
    return tmp_path


def settings(folder: Path) -> list[str]:
    """Four runs in four shards."""
    return ["--config", f"study={write_study(folder, STUDY)}", "shard_minutes=0.001"]


class OnCluster:
    """The workflow as a person starts it on a cluster, in the background."""

    def __init__(
        self, cluster: Cluster, folder: Path, target: str, *more: str, config: list[str] | None = None
    ):
        command = snakemake_command(folder, target, *(config or settings(folder)), *FAST, *more)
        place = command.index("--workflow-profile")
        command[place + 1] = str(ROOT / "profiles" / "slurm")
        del command[command.index("--cores") : command.index("--cores") + 2]
        self.cluster, self.folder, self.log = cluster, folder, folder / "snakemake.log"
        environment = {**cluster.env, "PYTHONPATH": str(ROOT / "src"), "RELATASK_CHECKPOINT_SECONDS": "1"}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def __enter__(self) -> "OnCluster":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def running(self) -> list[str]:
        """Wait until shards train, and return their jobs."""
        checkpoints = self.folder / "results" / "tiny" / "checkpoints"
        wait_until(
            lambda: any(checkpoints.glob("*.pt")), 900, f"a shard trains; {self.log.read_text()[-2000:]}"
        )
        return self.cluster.jobs("R")

    def journalled(self) -> Journalled:
        """The runs that are finished."""
        entries = (self.folder / "results" / "tiny" / "runs").glob("[!.]*/run.json")
        return {path.parent.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in entries}

    def finish(self, before: Journalled, local: Path) -> None:
        """Wait for the end; the predictions are those of `local`, no run of `before` was trained again."""
        assert self.process.wait(900) == 0, self.log.read_text()[-6000:]
        after = self.journalled()
        assert len(after) == 4
        assert {run: after[run] for run in before} == before
        name = "results/tiny/predictions.parquet"
        assert (self.folder / name).read_bytes() == (local / name).read_bytes()


def test_the_whole_study_runs_on_the_cluster_and_its_shards_as_an_array(
    cluster: Cluster, tmp_path: Path, local: Path
) -> None:
    with OnCluster(cluster, tmp_path, "tables") as workflow:
        jobs = workflow.running()
        assert any("_" in job for job in jobs), f"no task of an array among {jobs}"
        workflow.finish({}, local)
    assert "test ROC-AUC" in (tmp_path / "results" / "tiny" / "tables" / "main.md").read_text()
    costs = pd.read_parquet(tmp_path / "results" / "tiny" / "costs.parquet")
    assert len(costs) == 4


def test_a_drained_node_and_a_new_controller_lose_nothing(
    cluster: Cluster, prepared: Path, local: Path
) -> None:
    with OnCluster(cluster, prepared, "train_all") as workflow:
        jobs = workflow.running()
        cluster.ask("scontrol", "update", f"NodeName={cluster.host}", "State=DRAIN", "Reason=test")
        assert "drain" in cluster.ask("sinfo", "-h", "-o", "%T")
        cluster.stop_controller()
        time.sleep(3)  # the workflow asks for the status of its jobs in vain
        cluster.start_controller()
        assert set(cluster.jobs("R")) <= set(jobs), "a drained node takes no job"
        before = workflow.journalled()
        cluster.ask("scontrol", "update", f"NodeName={cluster.host}", "State=RESUME")
        workflow.finish(before, local)


def test_a_cancelled_shard_goes_on_from_its_checkpoint(cluster: Cluster, prepared: Path, local: Path) -> None:
    with OnCluster(cluster, prepared, "train_all") as workflow:
        job = workflow.running()[0]
        before = workflow.journalled()
        cluster.ask("scancel", job)
        workflow.finish(before, local)
    assert "Trying to restart job" in workflow.log.read_text()


def test_a_shard_over_its_memory_is_asked_for_again_with_more(
    cluster: Cluster, prepared: Path, local: Path
) -> None:
    memory = "train_shard:mem_mb=150 if attempt == 1 else 3000"
    with OnCluster(
        cluster, prepared, "train_all", "--set-resources", memory, "train_shard:gpu=1"
    ) as workflow:
        wait_until(lambda: cluster.jobs("R"), 300, "a shard runs")
        assert "gres:gpu:1" in cluster.details(cluster.jobs("R")[0])
        workflow.finish({}, local)
    assert workflow.log.read_text().count("Trying to restart job") == 4


def test_a_file_is_predicted_by_jobs_as_by_one_process(cluster: Cluster, tmp_path: Path, local: Path) -> None:
    model = next(path for path in sorted((local / "results" / "tiny" / "runs").glob("[!.]*")))
    frame = pd.DataFrame({"smiles": ["CCO", "no molecule", "c1ccccc1O"]})
    frame.sample(2 * ROWS + 5, replace=True, random_state=0).to_csv(tmp_path / "new.csv", index=False)
    config = ["--config", f"model={model}", f"input={tmp_path / 'new.csv'}", "parts=3"]
    with OnCluster(cluster, tmp_path, "predict", config=config) as workflow:
        assert workflow.process.wait(900) == 0, workflow.log.read_text()[-6000:]
    assert main(["predict", str(model), str(tmp_path / "new.csv"), "-o", str(tmp_path / "alone.csv")]) == 0
    found = tmp_path / "results" / "predictions" / "new.csv"
    assert found.read_bytes() == (tmp_path / "alone.csv").read_bytes()
