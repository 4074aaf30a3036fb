"""Training with known labels: the four settings of MetaLink, algorithms 1 to 3 and the standard one.

A step predicts labels of a batch (the query) from what is known of it and from the labels of other training
items (the support). What the paper leaves open: the support of a training step has `support` items, that of
a prediction in the meta settings `shots`; the loss is the mean over tasks, as for every other method.
In a training step the query sends messages to the tasks as well (algorithm 1); in a prediction the support
alone does. So what is predicted of an item does not depend on the items that are predicted with it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.engine.epochs import EpochTraining
from relatask.engine.kinds import mean_metric
from relatask.engine.known_labels import (
    NEW_SHARE,
    Pass,
    Setting,
    apart,
    draws,
    informed_passes,
    labelled_in,
    passes,
    shown_in,
    support_by_pass,
    support_rows,
)
from relatask.engine.loops.supervised import PREDICTION_BATCH
from relatask.engine.network import autocast
from relatask.engine.problem import Problem
from relatask.methods.metalink.knowledge_graph import KnownLabels
from relatask.nn.contract import Encoder

LOOP = {
    "imputes": True,
    "holds_out_tasks": {"setting": ("meta", "relational_meta")},
    "scores_together": {"support": (0,)},
    "options": {"setting": "relational", "known_ratio": 0.2, "support": 128, "shots": 256, "unseen": 0.2},
    "choices": {"setting": ("standard", "relational", "meta", "relational_meta")},
    "limits": {
        "known_ratio": (0.0, 0.9),
        "support": (0, 100_000),
        "shots": (2, 100_000),
        "unseen": (0.01, 0.99),
    },
}


def predictor(problem: Problem, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """Return what gives the probabilities [n, T] of items at some rows, from all labels that they have."""
    return Training(problem, weights).predict_informed


support = support_by_pass


class RelatingModel(Protocol):
    """What the loop trains, a `MultiTaskModel` with these."""

    encoder: Encoder

    def relate(
        self, items: Tensor, known: KnownLabels | None, new: Tensor | None = None, n_asked: int | None = None
    ) -> Tensor:
        """Return logits [n_asked, T] of the first of items [B, width], see `metalink.MetaLink.relate`."""
        ...


@dataclass(frozen=True)
class Support:
    """Training items whose labels predictions read."""

    rows: Tensor  # int64 [s]
    items: Tensor  # float32 [s, width], what the encoder makes of them


class Training(EpochTraining):
    """A network over the graph of items and tasks."""

    def __init__(self, problem: Problem, weights: dict[str, Tensor] | None = None):
        super().__init__(problem, weights=weights)
        self.setting = Setting.of(problem)
        self.seen = ~self.setting.unseen
        self.rows = labelled_in(problem, self.rows, self.seen)
        self.relational = self.setting.known_ratio > 0
        has_support = self.relational or self.setting.meta
        self.n_support = problem.spec.method.options.get("support", 0) if has_support else 0
        if self.n_support:  # so that a query leaves items for its support
            half = max(1, -(-len(self.rows) // 2))
            self.settings = {**self.settings, "batch_size": min(self.settings["batch_size"], half)}

    def require_examples(self) -> None:
        """Raise where training has no label of a seen task."""
        if not self.seen.any() or not len(self.rows):
            held_out = int(self.setting.unseen.sum())
            raise RelataskError(
                f"{self.problem.title} holds out {held_out} of {len(self.seen)} tasks, and training has no "
                "label of the others; lower its option unseen or choose another setting."
            )

    @property
    def relating(self) -> RelatingModel:
        """The model, as what it is besides."""
        return cast(RelatingModel, self.model)

    def labels(self, rows: Tensor) -> Tensor:
        """Labels [n, T] that training may read: none of unseen tasks."""
        return torch.where(self.seen, self.problem.labels(rows), torch.nan)

    def shown(self) -> dict[str, dict[str, Tensor]]:
        """Return which labels each pass knew, as `TrainingResult.shown`."""
        return shown_in(self.problem, self.setting)

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
        with autocast(self.problem):
            items = self.relating.encoder(self.inputs(torch.cat([batch, support])))
        logits = self.relating.relate(items.float(), shown, new, len(batch))
        targets = labels.masked_fill(~hidden, torch.nan)
        losses = self.model.losses(logits, targets)
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
        """Positions of other training items than the batch's, drawn anew in each step."""
        if not self.n_support:
            return batch[:0]
        drawn = self.rows[torch.randperm(len(self.rows))[: self.n_support + len(batch)].to(self.device)]
        return drawn[~torch.isin(drawn, batch)][: self.n_support]

    def predict(self, rows: Tensor, tasks: Tensor | None = None) -> Tensor:
        """Return logits [n, T] of items at `rows`, each cell by a pass that does not know its label.

        Where `tasks`, bool [T], is given, only those are predicted, and only labels that they need are read.
        """
        self.model.eval()
        asked = torch.ones_like(self.seen) if tasks is None else tasks
        with torch.inference_mode():
            needed = (
                one for one in passes(self.problem, self.setting, rows) if (one.predicted & asked).any()
            )
            scores = self._logits(rows, self.problem.labels(rows), needed)
        self.require_finite(float(scores.sum()))
        return scores

    def predict_informed(self, rows: Tensor) -> Tensor:
        """Return the probabilities [n, T] of items at `rows`, from all labels that they have."""
        self.model.eval()
        with torch.inference_mode():
            every = informed_passes(self.problem, self.setting, rows)
            return self._logits(rows, self.problem.labels(rows, None), every).sigmoid()

    def _logits(self, rows: Tensor, labels: Tensor, chosen: Iterable[Pass]) -> Tensor:
        """Return logits [n, T] of items at `rows` from what each pass knows of their labels; 0 elsewhere."""
        items = self._encode(rows)
        scores = torch.zeros(len(rows), len(self.seen), device=self.device)
        support = Support(rows[:0], items[:0])
        for one in chosen:
            support = self._support_of(one, support)
            logits = self._answer(rows, items, KnownLabels.of(labels, one.known), one, support)
            scores = torch.where(one.predicted, logits, scores)
        return scores

    def _encode(self, rows: Tensor) -> Tensor:
        """What the encoder makes of items, float32 [n, width]."""
        encoder = self.relating.encoder
        parts = [torch.zeros(0, encoder.width, device=self.device)]
        with autocast(self.problem):
            for batch in self.problem.data.passes(rows, PREDICTION_BATCH):
                parts.append(encoder(self.problem.data.x(batch)).float())
        return torch.cat(parts)

    def _support_of(self, one: Pass, before: Support) -> Support:
        """Return the support of a pass; it is encoded anew only where it differs from the one before."""
        rows = support_rows(self.problem, self.setting, one)
        return before if torch.equal(rows, before.rows) else Support(rows, self._encode(rows))

    def _answer(self, rows: Tensor, items: Tensor, known: KnownLabels, one: Pass, support: Support) -> Tensor:
        """Return what a pass says of items [n, width] at `rows`: logits [n, T]; none is its own support."""
        shown = KnownLabels.of(torch.where(one.from_support, self.problem.labels(support.rows), torch.nan))
        logits = items.new_zeros(len(items), len(self.seen))
        item_ids = self.problem.data.item_ids
        for asked, beside in apart(item_ids[rows], item_ids[support.rows]):
            for part in self._batches(rows, asked, len(support.rows) > 0):
                edges = KnownLabels(
                    torch.cat([known.negative[part], shown.negative[beside]]),
                    torch.cat([known.positive[part], shown.positive[beside]]),
                    n_query=len(part) if len(support.rows) else 0,
                )
                both = torch.cat([items[part], support.items[beside]])
                logits[part] = self.relating.relate(both, edges, one.new, len(part))
        return logits

    def _batches(self, rows: Tensor, asked: Tensor, alone: bool) -> Sequence[Tensor]:
        """Positions of the items that are `asked` for, together in batches.

        With a support each item is predicted by itself, and only memory limits a batch. Without one those of
        a batch exchange messages through the tasks, as in training; then a draw decides which are together.
        The table's order does not, because it may follow a label.
        """
        positions = asked.nonzero()[:, 0]
        if not alone:
            positions = positions[draws(self.problem, rows[positions], "beside")[:, 0].argsort()]
        size = PREDICTION_BATCH if alone else self.settings["batch_size"]
        return positions.tensor_split(max(1, -(-len(positions) // size)))

    def valid_value(self) -> float:
        """Mean validation ROC-AUC of the tasks that validation evaluates."""
        tasks = self.setting.evaluated("valid")
        labels = self.problem.labels(self.valid, "valid")
        return mean_metric("roc_auc", labels[:, tasks], self.predict(self.valid, tasks)[:, tasks])

    def probabilities(self, rows: Tensor) -> Tensor:
        """Return the probabilities [n, T] of label 1."""
        return self.predict(rows).sigmoid()
