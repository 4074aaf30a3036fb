"""Mini-batch training on labels."""

import torch
from torch import Tensor, nn

from relatask.training.checkpoint import Checkpoint
from relatask.training.epochs import EpochTraining, fit
from relatask.training.network import autocast
from relatask.training.unit import Progress, Unit, UnitResult

PREDICTION_BATCH = 512


def train(unit: Unit, checkpoint: Checkpoint, progress: Progress) -> UnitResult:
    """Train the unit's network from its checkpoint, if there is one, and score the held-out folds."""
    return fit(Training(unit), checkpoint, progress)


class Training(EpochTraining):
    """A network that gives logits."""

    def take_step(self, batch: Tensor) -> None:
        """One update on the molecules at positions `batch`: mean loss over tasks that have a label there."""
        labels = self.unit.labels(batch)
        with autocast(self.unit):
            logits = self.model(self.unit.data.x(batch))
        losses: Tensor = self.model.losses(logits.float(), labels)  # type: ignore[operator]
        self.learn_from(losses.sum() / (~labels.isnan()).any(0).sum())

    def predict(self, rows: Tensor) -> Tensor:
        """Return the logits float32 [n, t] of the molecules at positions `rows`."""
        logits = predict(self.model, self.unit, rows)
        self.require_finite(float(logits.sum()))
        return logits

    def probabilities(self, rows: Tensor) -> Tensor:
        """Return the probabilities float32 [n, t] of label 1 of the molecules at positions `rows`."""
        return self.predict(rows).sigmoid()


def predict(model: nn.Module, unit: Unit, rows: Tensor) -> Tensor:
    """Return the logits float32 [n, t] of a unit's network for the molecules at positions `rows`."""
    model.eval()
    logits = [torch.zeros(0, len(unit.columns), device=rows.device)]
    with torch.inference_mode(), autocast(unit):
        logits += [model(unit.data.x(batch)).float() for batch in rows.split(PREDICTION_BATCH)]
    return torch.cat(logits if len(rows) else logits[:1])
