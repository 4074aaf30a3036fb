"""A shard: the runs that one job executes in one process.

It needs its manifest, the prepared data set and this package; no Snakemake, no RDKit, no network.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import torch

from relatask.core.errors import RelataskError
from relatask.core.files import sha256_of
from relatask.core.progress import ProgressLine
from relatask.core.registry import capabilities
from relatask.core.tables import read_table
from relatask.data.prepared import PreparedDataset
from relatask.engine.checkpoint import Checkpoint, read_tensors
from relatask.engine.cost import Meter
from relatask.engine.run import inputs_of, train_run
from relatask.engine.side_by_side import SideBySide
from relatask.journal.digests import Digests, code_of_run, data_of_run
from relatask.journal.heartbeat import Heartbeat
from relatask.journal.journal import Journal
from relatask.journal.journal_entry import read_record
from relatask.plan.spec import RunSpec
from relatask.shards.composed import (
    compose,
    cost_of,
    digest_of_parts,
    is_composed,
    parts_of,
    require_every_task,
)
from relatask.shards.prior import prior_probabilities

log = logging.getLogger(__name__)


class ShardData:
    """A prepared data set that all runs of a shard share."""

    def __init__(self, folder: Path, device: torch.device):
        self.folder, self.device = folder, device
        self._loaded: dict[str, PreparedDataset] = {}
        self.get, self.digest = lru_cache(self._get), lru_cache(partial(data_of_run, folder))

    def _get(self, split: str, inputs: str) -> PreparedDataset:
        """Return the data under a split ("scaffold-0") with a kind of input; tensors are read once."""
        if inputs not in self._loaded:
            data = PreparedDataset.load(self.folder, split, inputs=inputs, device=self.device)
            other = next(iter(self._loaded.values()), data)
            self._loaded[inputs] = replace(data, labels=other.labels, hides=other.hides)
        return self._loaded[inputs].with_split(self.folder, split)


class Shard:
    """Trains runs of one data set, one after the other.

    Args:
        name: for messages.
        study: the study's folder of results, with the journal.
        data: the data set.
        keep_models: "all", "joint" (not those of per-task methods) or "none".
    """

    def __init__(self, name: str, study: Path, data: ShardData, keep_models: str):
        self.name, self.data, self.keep_models = name, data, keep_models
        self.journal = Journal(study)
        self.heartbeat = Heartbeat(study, name)
        self.batches = SideBySide([], data.device)

    def train(self, specs: Sequence[RunSpec]) -> dict[str, str]:
        """Train the runs that the journal does not hold yet, and return run_id -> SHA-256 of predictions.

        Raises:
            RelataskError: runs failed, by name; the others are journalled.
        """
        progress = ProgressLine(f"shard {self.name}", len(specs))
        failed: dict[str, list[RunSpec]] = {}  # reason -> runs
        self.batches = SideBySide(specs, self.data.device)
        with self.heartbeat:
            for number, spec in enumerate(self.batches.in_order()):
                try:
                    if not self._train_one(spec, number, progress):
                        progress.skip()
                except Exception as error:  # one bad run must not take the others with it
                    failed.setdefault(self._note(spec, error), []).append(spec)
        count = sum(map(len, failed.values()))
        progress.end(count)
        if failed:
            told = "; ".join(f"{_names(runs)}: {reason.rstrip('.')}" for reason, runs in failed.items())
            raise RelataskError(f"shard {self.name}: {count} of {len(specs)} runs failed: {told}.")
        return {spec.run_id: sha256_of(self.journal.predictions_path(spec)) for spec in specs}

    def _note(self, spec: RunSpec, error: Exception) -> str:
        """Journal why a run failed, and return it."""
        reason = " ".join(str(error).split()) or type(error).__name__
        foreseen = isinstance(error, RelataskError | OSError)  # its sentence says it all
        told = (spec.run_id, spec.label, spec.seed, reason)
        log.error("run %s (%s seed %d) failed: %s", *told, exc_info=not foreseen)
        self.journal.fail(spec, reason)
        return reason

    def _is_new(self, spec: RunSpec) -> bool:
        """Whether the journal has no entry of a run, valid or not."""
        return not self.journal.predictions_path(spec).exists()

    def _digests(self, spec: RunSpec) -> Digests:
        code = code_of_run(spec.method, spec.encoder, spec.balancing)
        return {"code": code, "data": self.data.digest(f"{spec.split}-{spec.seed}")}

    def _train_one(self, spec: RunSpec, number: int, progress: ProgressLine) -> bool:
        """Journal a run unless it is there already; whether it was not."""
        if is_composed(spec):
            return self._compose(spec, number, progress)
        split, digests = f"{spec.split}-{spec.seed}", self._digests(spec)
        prior_model = self.journal.model(spec.prior) if spec.prior else None
        if prior_model:
            digests["prior"] = prior_model[2]
        if self.journal.holds(spec, digests):
            return False
        per_task = capabilities("methods", spec.method).per_task
        keep = self.keep_models == "all" or (self.keep_models == "joint" and not per_task)
        self.heartbeat.begin(spec.run_id)
        progress.begin(number, " ".join(filter(None, [spec.label, spec.encoder, f"seed {spec.seed}"])))
        path = self.journal.checkpoint_path(spec)
        checkpoint = Checkpoint(path, f"{'-'.join(digests.values())}-{self.data.device.type}-{keep}")
        meter = Meter(self.data.device)
        data = self.data.get(split, inputs_of(spec))
        prior = None
        if prior_model:
            prior_spec, path, _ = prior_model
            weights = read_tensors(path)
            prior = prior_probabilities(prior_spec, weights, self.data.get(split, inputs_of(prior_spec)))

        def told(share: float, text: str, n_runs: int = 1) -> None:
            self.heartbeat.share = share
            progress.update(share * n_runs, text)

        if not checkpoint.finished and checkpoint.in_flight is None:
            trained = self.batches.result(spec, data, self._is_new, told)
            if trained is not None:
                meter = self.batches.meter
                checkpoint.finish((trained if keep else replace(trained, weights=None)).as_dict())
        result = train_run(spec, data, checkpoint, told, keep, prior)
        self.journal.enter(spec, digests, result.finished(), meter.read(earlier=checkpoint.seconds))
        checkpoint.delete()
        return True

    def _compose(self, spec: RunSpec, number: int, progress: ProgressLine) -> bool:
        """Journal a run that is made of others, and those."""
        parts = parts_of(spec, self.journal.folder)
        digests: Digests = {**self._digests(spec), "parts": digest_of_parts(parts)}
        if self.journal.holds(spec, digests):
            return False
        data = self.data.get(f"{spec.split}-{spec.seed}", inputs_of(spec))
        require_every_task(spec, parts, data.task_ids)
        for part in parts:
            self._train_one(part.spec, number, progress)
        meter = Meter(self.data.device)
        entries = [self.journal.predictions_path(part.spec).parent for part in parts]
        predictions = [read_table("predictions", entry / "predictions.parquet") for entry in entries]
        result = compose(spec, parts, predictions, data.task_ids)
        measured = [read_record(entry)["measured"] for entry in entries]
        self.journal.enter(spec, digests, result.finished(), cost_of(measured, meter.read()))
        return True


def _names(specs: Sequence[RunSpec]) -> str:
    some = [f"{spec.run_id} ({spec.label} seed {spec.seed})" for spec in specs[:5]]
    return ", ".join(some) + (f" and {len(specs) - 5} more" if len(specs) > 5 else "")
