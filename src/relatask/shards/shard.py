"""A shard: the runs that one job executes in one process.

It needs its manifest, the prepared data set and this package; no Snakemake, no RDKit, no network.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from relatask.core.code_at_start import require_unchanged
from relatask.core.errors import DivergedError, RelataskError
from relatask.core.files import canonical_json, sha256_of
from relatask.core.progress import ProgressLine
from relatask.core.registry import capabilities
from relatask.core.source_code import code_of
from relatask.core.tables import read_table
from relatask.data.prepared import PreparedDataset
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.cost import LIBRARIES, Meter
from relatask.engine.run import RunResult, inputs_of, train_run
from relatask.engine.side_by_side import SideBySide
from relatask.engine.weights import weighted
from relatask.inputs.arrays import JOINED
from relatask.journal.digests import Digests, code_of_run, data_of_run, files_of_run, initial_files
from relatask.journal.heartbeat import Heartbeat
from relatask.journal.journal import MODEL, Journal
from relatask.journal.journal_entry import read_record
from relatask.models.loading import load_model
from relatask.models.record import NAME as MODEL_RECORD
from relatask.models.saving import model_of_parts, model_of_run, training_items
from relatask.plan.spec import RunSpec
from relatask.shards.chosen import as_chosen
from relatask.shards.combined import (
    Part,
    combine,
    cost_of,
    digest_of_parts,
    is_combined,
    parts_of,
    require_every_task,
)
from relatask.shards.left_out import rows_of_part, runs_without, without_left_out

ENCODER = "encoder."  # begins the names of a network's weights that are of its shared encoder
log = logging.getLogger(__name__)


class ShardData:
    """A prepared data set that all runs of a shard share."""

    def __init__(self, folder: Path, device: torch.device):
        self.folder = folder
        self.device = device
        self._loaded: dict[str, PreparedDataset] = {}
        self.get = lru_cache(self._get)
        self.digest = lru_cache(partial(data_of_run, folder))
        self.items = lru_cache(maxsize=2)(self._items)  # of a split, for the models of its runs

    def _get(self, split: str, inputs: str) -> PreparedDataset:
        """Return the data under a split ("scaffold-0") with a kind of input; tensors are read once."""
        if inputs not in self._loaded:
            data = PreparedDataset.load(self.folder, split, inputs=inputs, device=self.device)
            other = next(iter(self._loaded.values()), data)
            self._loaded[inputs] = replace(data, labels=other.labels, hides=other.hides)
        return self._loaded[inputs].with_split(self.folder, split)

    def _items(self, split: str, inputs: str) -> bytes:
        return training_items(self.get(split, inputs), self.folder)


class Shard:
    """Trains runs of one data set, one after the other.

    Args:
        name: for messages.
        study: the study's folder of results, with the journal.
        data: the data set.
        keep_models: "all", "joint" (not those of per-task methods) or "none".
    """

    def __init__(self, name: str, study: Path, data: ShardData, keep_models: str):
        self.name = name
        self.data = data
        self.keep_models = keep_models
        self.journal = Journal(study)
        self.model_of = lru_cache(self.journal.model)  # which digests all files of the run
        self.heartbeat = Heartbeat(study, name)
        self.batches = SideBySide([], data.device)

    def train(self, specs: Sequence[RunSpec]) -> dict[str, str]:
        """Train the runs that the journal does not hold yet, and return run_id -> SHA-256 of predictions.

        Raises:
            DivergedError: runs diverged, by name; the others are journalled.
            RelataskError: runs failed, not all of them because they diverged.
        """
        progress = ProgressLine(f"shard {self.name}", len(specs))
        failed: dict[str, list[RunSpec]] = {}  # reason -> runs
        diverged = True  # all that failed
        self.batches = SideBySide(specs, self.data.device)
        with self.heartbeat:
            for number, spec in enumerate(self.batches.in_order()):
                try:
                    if not self._train_one(spec, number, progress):
                        progress.skip()
                except Exception as error:  # one bad run must not take the others with it
                    failed.setdefault(self._note(spec, error), []).append(spec)
                    diverged &= isinstance(error, DivergedError)
        count = sum(map(len, failed.values()))
        progress.end(count)
        if failed:
            reasons = "; ".join(f"{_names(runs)}: {reason.rstrip('.')}" for reason, runs in failed.items())
            raised = DivergedError if diverged else RelataskError
            raise raised(f"shard {self.name}: {count} of {len(specs)} runs failed: {reasons}.")
        return {spec.run_id: sha256_of(self.journal.predictions_path(spec)) for spec in specs}

    def _note(self, spec: RunSpec, error: Exception) -> str:
        """Journal why a run failed, and return it."""
        reason = " ".join(str(error).split()) or type(error).__name__
        foreseen = isinstance(error, RelataskError | OSError)  # its sentence says it all
        what = (spec.run_id, spec.label, spec.seed, reason)
        log.error("run %s (%s seed %d) failed: %s", *what, exc_info=not foreseen)
        self.journal.fail(spec, reason)
        return reason

    def _is_new(self, spec: RunSpec) -> bool:
        """Whether the journal has no entry of a run, valid or not."""
        return not self.journal.predictions_path(spec).exists()

    def _digests(self, spec: RunSpec) -> Digests:
        """Return the digests of code, data and, where the run starts from another, of that one's model."""
        code, forms = code_of_run(*spec.names), tuple(inputs_of(spec).split(JOINED))
        digests = {"code": code, "data": self.data.digest(_split_of(spec), forms)}
        if spec.search:
            chosen = as_chosen(spec, self.journal.folder).canonical()
            digests["settings"] = hashlib.sha256(chosen.encode()).hexdigest()[:16]
        if spec.prior:
            digests["prior"] = sha256_of(self.model_of(spec.prior) / MODEL_RECORD)
        if spec.encoder_from:
            digests["encoder"] = sha256_of(self.model_of(spec.encoder_from) / MODEL_RECORD)
        if spec.cross_fit or spec.left_out:
            digests["left_out"] = code_of("shards/left_out.py")
        if spec.encoder and (files := initial_files(spec.encoder.name, spec.encoder.options)):
            digests["initial"] = _sha256_of(*files)
        return digests

    def _train_one(self, spec: RunSpec, number: int, progress: ProgressLine) -> bool:
        """Journal a run unless it is there already; whether it was not."""
        if is_combined(spec):
            return self._combine(spec, number, progress)
        digests = self._digests(spec)
        if self.journal.holds(spec, digests):
            return False
        for run in runs_without(spec, self.journal.folder):
            self._train_one(run, number, progress)
        self.heartbeat.begin(spec.run_id)
        encoder = spec.encoder.name if spec.encoder else None
        progress.begin(number, " ".join(filter(None, [spec.label, encoder, f"seed {spec.seed}"])))
        checkpoint = self._resume(spec, digests)
        trained = as_chosen(spec, self.journal.folder)
        result, cost = self._train(trained, checkpoint, progress)
        finished = result.named(spec.run_id).finished(self._model_files(trained, result))
        require_unchanged(files_of_run(*spec.names))
        self.journal.enter(spec, digests, finished, cost)
        checkpoint.delete()
        self.journal.checkpoint_path(spec, side_by_side=True).unlink(missing_ok=True)
        return True

    def _keeps(self, spec: RunSpec) -> bool:
        """Whether the journal shall keep the run's model."""
        per_task = capabilities("methods", spec.method.name).per_task
        if spec.trial:
            return False  # it only asks how good its settings are
        return self.keep_models == "all" or (self.keep_models == "joint" and not per_task)

    def _resume(self, spec: RunSpec, digests: Digests) -> Checkpoint:
        """Return the run's checkpoint: empty, or what a process of the same code, data and libraries left."""
        made_by = self._made_by(digests, str(self._keeps(spec)))
        return Checkpoint(self.journal.checkpoint_path(spec), made_by, files_of_run(*spec.names))

    def _resume_side_by_side(self, specs: Sequence[RunSpec]) -> Checkpoint:
        """Return the checkpoint of a pass of runs: empty, or what a killed process left of the same pass."""
        runs = canonical_json([spec.run_id for spec in specs])
        made_by = self._made_by(self._digests(specs[0]), runs)
        path = self.journal.checkpoint_path(specs[0], side_by_side=True)
        return Checkpoint(path, made_by, files_of_run(*specs[0].names))

    def _made_by(self, digests: Digests, of: str) -> str:
        """Return what a checkpoint must agree in; so no run is trained by two versions of a library."""
        return "-".join([*digests.values(), self.data.device.type, of, canonical_json(LIBRARIES)])

    def _train(
        self, spec: RunSpec, checkpoint: Checkpoint, progress: ProgressLine
    ) -> tuple[RunResult, dict[str, Any]]:
        """Train a run, beside others where that is faster, and return what it leaves and what it cost."""

        def report(share: float, text: str, n_runs: int = 1) -> None:
            self.heartbeat.share = share
            progress.update(share * n_runs, text)

        meter = Meter(self.data.device)
        keep = self._keeps(spec)
        data = self._seen_by(spec)
        if not checkpoint.finished and checkpoint.in_flight is None:
            resume = self._resume_side_by_side
            trained = self.batches.result(spec, data, self._is_new, report, resume)
            if trained is not None:
                meter = self.batches.meter
                checkpoint.finish((trained if keep else replace(trained, weights=None)).as_dict())
        read = (self._prior_scores(spec), self._trained_encoder(spec))
        result = train_run(spec, data, checkpoint, report, keep, *read)
        if spec.trial:
            result = result.validated()
        return result, meter.read(earlier=checkpoint.seconds)

    def _prior_scores(self, spec: RunSpec) -> Tensor | None:
        """Return the scores [M, T] that the run's prior gives to all items, None without a prior."""
        if spec.prior is None:
            return None
        model = load_model(self.model_of(spec.prior), self.data.device)
        model.require_data_of(self.data.folder)
        data_of = partial(self.data.get, _split_of(spec))
        n_items = len(data_of(inputs_of(model.record.spec)).labels)
        scores = model.scores(data_of, torch.arange(n_items, device=self.data.device)).clone()
        for run in runs_without(spec, self.journal.folder):
            rows = rows_of_part(data_of(inputs_of(run)), run)
            scores[rows] = load_model(self.model_of(run.run_id), self.data.device).scores(data_of, rows)
        return scores

    def _trained_encoder(self, spec: RunSpec) -> dict[str, Tensor] | None:
        """Return the weights of the encoder that the run's starts from, None where it starts anew."""
        if spec.encoder_from is None:
            return None
        (weights,) = load_model(self.model_of(spec.encoder_from), self.data.device).weights.values()
        return {
            name.removeprefix(ENCODER): value for name, value in weights.items() if name.startswith(ENCODER)
        }

    def _seen_by(self, spec: RunSpec) -> PreparedDataset:
        """Return the data set under a run's split, as the run sees it."""
        return without_left_out(self.data.get(_split_of(spec), inputs_of(spec)), spec)

    def _model_files(self, spec: RunSpec, result: RunResult) -> dict[str, bytes]:
        """Return the files of a run's model for its entry, none where it is not kept."""
        data = self._seen_by(spec)
        prior = self.model_of(spec.prior) if spec.prior else None
        # Task sets are trained by the thousand, for their gains, and runs that leave out training items for
        # what they say of these: their models do without a table of them.
        items = None
        if result.weights is not None and not isinstance(spec.tasks, tuple) and spec.left_out is None:
            items = self.data.items(_split_of(spec), inputs_of(spec))
            if spec.weights is not None:  # without those of weight 0
                items = training_items(weighted(data, spec.weights), self.data.folder)
        return _in_entry(model_of_run(spec, result, data, self.data.folder, prior, items))

    def _combine(self, spec: RunSpec, number: int, progress: ProgressLine) -> bool:
        """Journal a run that is made of others, and those."""
        parts = parts_of(spec, self.journal.folder)
        digests: Digests = {**self._digests(spec), "parts": digest_of_parts(parts)}
        if self.journal.holds(spec, digests):
            return False
        data = self.data.get(_split_of(spec), inputs_of(spec))
        require_every_task(spec, parts, data.task_ids)
        for part in parts:
            self._train_one(part.spec, number, progress)
        meter = Meter(self.data.device)
        entries = [self.journal.predictions_path(part.spec).parent for part in parts]
        predictions = [read_table("predictions", entry / "predictions.parquet") for entry in entries]
        result = combine(spec, parts, predictions, data.task_ids)
        measured = [read_record(entry)["measured"] for entry in entries]
        files = self._files_of_parts(spec, parts, data)
        self.journal.enter(spec, digests, result.finished(files), cost_of(measured, meter.read()))
        return True

    def _files_of_parts(
        self, spec: RunSpec, parts: Sequence[Part], data: PreparedDataset
    ) -> dict[str, bytes]:
        """Return the files of a model that is made of others, none where one of these was not kept."""
        folders = [self.journal.predictions_path(part.spec).parent / MODEL for part in parts]
        if not self._keeps(spec) or not all(folder.is_dir() for folder in folders):
            return {}
        members = {
            f"members/{number:03d}": (folder, part.serves)
            for number, (folder, part) in enumerate(zip(folders, parts, strict=True))
        }
        items = self.data.items(_split_of(spec), inputs_of(spec))
        return _in_entry(model_of_parts(spec, members, items, data.task_ids))


@lru_cache
def _sha256_of(*files: str) -> str:
    """Digest of files of the user's; raises RelataskError where one is absent."""
    try:
        return sha256_of(*files)
    except FileNotFoundError as error:
        raise RelataskError(f"{error.filename} does not exist; leave the option out that names it.") from None


def _split_of(spec: RunSpec) -> str:
    return f"{spec.split}-{spec.seed}"


def _in_entry(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return a model's files by their places in a run's entry."""
    return {f"{MODEL}/{name}": content for name, content in files.items()}


def _names(specs: Sequence[RunSpec]) -> str:
    some = [f"{spec.run_id} ({spec.label} seed {spec.seed})" for spec in specs[:5]]
    return ", ".join(some) + (f" and {len(specs) - 5} more" if len(specs) > 5 else "")
