"""Training with known labels: the four settings of MetaLink, algorithms 1 to 3 and the standard one.

A step predicts labels of a batch (the query) from what is known of it and from the labels of other training
molecules (the support). Where the paper is silent: the support of a training step has `support` molecules,
that of a prediction in the meta settings `shots`; the loss is the mean over tasks, as for every other method.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from relatask.errors import RelataskError
from relatask.methods._knowledge_graph import KnownLabels
from relatask.training.checkpoint import Checkpoint
from relatask.training.epochs import EpochTraining, fit
from relatask.training.known_labels import NEW_SHARE, Pass, Setting, passes, shown_in
from relatask.training.loops.supervised import PREDICTION_BATCH
from relatask.training.network import autocast, trained_model
from relatask.training.selection import mean_roc_auc
from relatask.training.unit import Progress, Unit, UnitResult


def train(unit: Unit, checkpoint: Checkpoint, progress: Progress) -> UnitResult:
    """Train the unit's network from its checkpoint, if there is one, and score the held-out folds."""
    training = Training(unit)
    return replace(fit(training, checkpoint, progress), shown=shown_in(unit, training.setting))


def imputer(unit: Unit, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """Return what gives the probabilities [n, T] of molecules at some rows, told all labels they have."""
    training = Training(unit)
    training.model = trained_model(unit, weights)
    return training.impute


class Training(EpochTraining):
    """A network over the graph of items and tasks."""

    def __init__(self, unit: Unit):
        super().__init__(unit)
        self.setting = Setting.of(unit)
        self.seen = ~self.setting.unseen
        self.rows = self._labelled(self.rows, self.seen)
        if not self.seen.any() or not len(self.rows):
            raise RelataskError(
                f"{unit.title} holds out {int(self.setting.unseen.sum())} of {len(unit.columns)} tasks, and "
                "training has no label of the others; lower its option unseen."
            )
        self.n_steps = -(-len(self.rows) // self.settings["batch_size"])
        self.relational = self.setting.known_ratio > 0

    def _labelled(self, rows: Tensor, tasks: Tensor) -> Tensor:
        """Those of `rows` with a label in one of the tasks, bool [T]."""
        return rows[~self.unit.labels(rows)[:, tasks].isnan().all(1)]

    def labels(self, rows: Tensor) -> Tensor:
        """Labels [n, T] that training may read: none of unseen tasks."""
        return torch.where(self.seen, self.unit.labels(rows), torch.nan)

    def take_step(self, batch: Tensor) -> None:
        """One update on a query `batch`, with what is known of it and a support."""
        labels, new = self.labels(batch), None
        hidden = torch.ones_like(labels, dtype=torch.bool)
        if self.setting.meta:
            new = self._new_tasks()
        if self.relational:
            known = torch.rand(labels.shape, device=self.device) < self.setting.known_ratio
            hidden = ~known if new is None else ~known | new
        support = self._support(batch)
        shown = KnownLabels.of(torch.cat([labels.masked_fill(hidden, torch.nan), self.labels(support)]))
        with autocast(self.unit):
            items = self.model.encoder(self.inputs(torch.cat([batch, support])))  # type: ignore[operator]
        logits = self.model.relate(items.float(), shown, new, len(batch))  # type: ignore[operator]
        targets = labels.masked_fill(~hidden, torch.nan)
        losses: Tensor = self.model.losses(logits, targets)  # type: ignore[operator]
        present = (~targets.isnan()).any(0).sum()
        self.learn_from(losses.sum() / present.clamp(min=1))

    def _new_tasks(self) -> Tensor:
        """Tasks [T] of this step that start without weights: all, or a draw where the others are known."""
        if not self.relational:
            return torch.ones_like(self.seen)
        drawn = torch.rand(len(self.seen), device=self.device) < NEW_SHARE
        drawn[torch.randint(len(drawn), ())] = True
        return drawn | ~self.seen

    def _support(self, batch: Tensor) -> Tensor:
        """Positions of other training molecules than the batch's, drawn anew in each step."""
        wanted = self.unit.spec.options["support"]
        if not (self.relational or self.setting.meta) or not wanted:
            return batch[:0]
        drawn = self.rows[torch.randperm(len(self.rows))[: wanted + len(batch)].to(self.device)]
        return drawn[~torch.isin(drawn, batch)][:wanted]

    def predict(self, rows: Tensor) -> Tensor:
        """Return logits [n, T] of molecules at `rows`, each cell by a pass that does not know its label."""
        self.model.eval()
        scores = torch.zeros(len(rows), len(self.unit.columns), device=self.device)
        with torch.inference_mode():
            items, labels = self._encode(rows), self.unit.labels(rows)
            support, encoded = rows[:0], items[:0]
            for one in passes(self.unit, self.setting, rows):
                if one.predicted.any():
                    known, before = KnownLabels.of(labels, one.known), support
                    support = self._support_rows(one)
                    if not torch.equal(support, before):  # passes that predict the same tasks share theirs
                        encoded = self._encode(support)
                    logits = self._relate(items, known, encoded, self._told(one, support), one.new)
                    scores = torch.where(one.predicted, logits, scores)
        self.require_finite(float(scores.sum()))
        return scores

    def _encode(self, rows: Tensor) -> Tensor:
        """What the encoder makes of molecules, float32 [n, width]."""
        encoder: Any = self.model.encoder
        parts = [torch.zeros(0, encoder.width, device=self.device)]
        with autocast(self.unit):
            parts += [encoder(self.unit.data.x(batch)).float() for batch in rows.split(PREDICTION_BATCH)]
        return torch.cat(parts)

    def _told(self, one: Pass, support: Tensor) -> KnownLabels:
        """Return the labels of a support that a pass knows."""
        return KnownLabels.of(torch.where(one.told, self.unit.labels(support), torch.nan))

    def _support_rows(self, one: Pass) -> Tensor:
        """Return the training molecules that a pass is told of, by data, split and seed alone."""
        options = self.unit.spec.options
        wanted = options["shots"] if self.setting.meta else options["support"]
        tasks = one.predicted.any(0) if self.setting.meta else one.told
        among = self._labelled(self.unit.rows("train"), tasks) if one.told.any() else self.rows[:0]
        order = torch.Generator().manual_seed(self.unit.spec.data_seed("support"))
        return among[torch.randperm(len(among), generator=order)[:wanted].to(self.device)]

    def _relate(
        self, items: Tensor, known: KnownLabels, support: Tensor, told: KnownLabels, new: Tensor | None
    ) -> Tensor:
        """Return the logits of items, in batches of training's size beside the support."""
        n_batches = max(1, -(-len(items) // self.settings["batch_size"]))
        found = []
        for part in torch.arange(len(items), device=self.device).tensor_split(n_batches):
            edges = KnownLabels(
                torch.cat([known.negative[part], told.negative]),
                torch.cat([known.positive[part], told.positive]),
            )
            both = torch.cat([items[part], support])
            found.append(self.model.relate(both, edges, new, len(part)))  # type: ignore[operator]
        return torch.cat(found)

    def impute(self, rows: Tensor) -> Tensor:
        """Return the probabilities [n, T] of molecules at `rows`, told all their labels: for other cells."""
        self.model.eval()
        with torch.inference_mode():
            labels = self.unit.labels(rows)
            known = ~labels.isnan() & self.relational
            one = Pass(known, ~known, torch.full_like(self.seen, self.relational))
            shown = KnownLabels.of(labels, known)
            support = self._support_rows(one)
            told = self._told(one, support)
            return self._relate(self._encode(rows), shown, self._encode(support), told, None).sigmoid()

    def valid_value(self) -> float:
        """Mean validation ROC-AUC of the tasks that validation evaluates."""
        tasks = self.setting.evaluated("valid")
        return mean_roc_auc(self.unit.labels(self.valid)[:, tasks], self.predict(self.valid)[:, tasks])

    def probabilities(self, rows: Tensor) -> Tensor:
        """Return the probabilities [n, T] of label 1."""
        return self.predict(rows).sigmoid()
