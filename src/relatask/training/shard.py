"""A shard: the runs that one job executes in one process.

It needs its manifest, the prepared data set and this package; no Snakemake, no RDKit, no network.
"""

import logging
import os
import platform
import resource
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from relatask.data.tensors import PreparedDataset
from relatask.errors import RelataskError
from relatask.files import read_json, sha256_of
from relatask.registry import capabilities
from relatask.training.checkpoint import Checkpoint
from relatask.training.journal import Journal
from relatask.training.progress import ProgressLine
from relatask.training.run import code_of_run, inputs_of, train_run
from relatask.training.spec import RunSpec

log = logging.getLogger(__name__)


def choose_device(wanted: str) -> torch.device:
    """Return the device for "auto", "cpu" or "cuda"."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise RelataskError("device: cuda was asked for, but torch finds no CUDA device; use auto or cpu.")
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


def data_stamp(dataset: Path, split: str) -> str:
    """Digests of what a run reads: the data set, its features and its split."""
    parts = [
        dataset / "dataset.json",
        dataset / "features" / "features.json",
        dataset / "splits" / f"{split}.json",
    ]
    return "-".join(str(read_json(part)["digest"])[:16] for part in parts)


def train_shard(
    specs: Sequence[RunSpec], name: str, study: Path, dataset: Path, device: torch.device, keep_models: str
) -> dict[str, str]:
    """Train the runs that the journal does not hold yet.

    Args:
        specs: runs of one data set.
        name: of the shard, for messages.
        study: the study's folder of results.
        dataset: the prepared data set's folder.
        device: where to train.
        keep_models: "all", "joint" (not those of per-task methods) or "none".

    Returns:
        run_id -> SHA-256 of the run's predictions.

    Raises:
        RelataskError: runs failed; the others are journalled.
    """
    journal = Journal(study)
    progress = ProgressLine(f"shard {name}", len(specs))

    @lru_cache(maxsize=2)
    def data_of(split: str, inputs: str) -> PreparedDataset:
        return PreparedDataset.load(dataset, split, inputs=inputs, device=device)

    failed = []
    for number, spec in enumerate(specs):
        split = f"{spec.split}-{spec.seed}"
        stamp = {"code": code_of_run(spec), "data": data_stamp(dataset, split)}
        if journal.holds(spec, stamp):
            progress.skip()
            continue
        progress.begin(number, f"{spec.label or spec.method} {spec.dataset} seed {spec.seed}")
        checkpoint = Checkpoint(journal.checkpoint_path(spec), f"{stamp['code']}-{stamp['data']}")
        start = time.perf_counter()
        try:
            result = train_run(spec, data_of(split, inputs_of(spec)), checkpoint, progress.update)
        except Exception as error:  # one bad run must not take the others with it
            log.exception("run %s (%s, seed %d) failed", spec.run_id, spec.label, spec.seed)
            journal.fail(spec, f"{type(error).__name__}: {error}")
            failed.append(f"{spec.run_id} ({spec.label}, seed {spec.seed}: {error})")
            continue
        keep = keep_models == "all" or (
            keep_models == "joint" and not capabilities("methods", spec.method).per_task
        )
        journal.enter(spec, stamp, result, _measured(time.perf_counter() - start, device), keep)
        checkpoint.delete()
    progress.end()
    if failed:
        raise RelataskError(f"shard {name}: {len(failed)} of {len(specs)} runs failed: {'; '.join(failed)}")
    return {spec.run_id: sha256_of(journal.runs / spec.run_id / "predictions.parquet") for spec in specs}


def _measured(seconds: float, device: torch.device) -> dict[str, Any]:
    """Facts that differ from time to time; nothing that names a person or a folder."""
    return {
        "seconds": seconds,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else _processor(),
        "host": f"{platform.system()}, {os.cpu_count()} cores, torch {torch.__version__}",
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


@lru_cache
def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "CPU"
