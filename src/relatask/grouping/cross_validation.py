"""How long MTG-Net trains, by cross-validation on the task sets whose gains it was told, and on no others."""

from dataclasses import replace

import numpy as np
from sklearn.model_selection import KFold

from relatask.grouping.mtg_net import MTGNetModel, MTGNetSettings

FOLDS = 5


def cross_validated_model(
    sets: np.ndarray, gains: np.ndarray, settings: MTGNetSettings, seed: int, pairs: np.ndarray | None = None
) -> MTGNetModel:
    """Return a network trained on all `sets` for as many epochs as had the least error on sets left out.

    Args:
        sets: bool [n, N]; folds are of those of two tasks or more, a task alone is always known.
        gains: float64 [n, N], NaN outside.
        settings: of the network; `cross_validated_epochs` is the most that is tried.
        seed: of the initial weights, of all folds, and of the folds.
        pairs: float [N, N, F], features of pairs of tasks.
    """
    longest = replace(settings, epochs=settings.cross_validated_epochs)
    together = np.flatnonzero(sets.sum(1) > 1)
    errors = np.zeros(longest.epochs)  # of a training of 1, 2, ... epochs
    if len(together) > 1:
        for _, left in KFold(min(FOLDS, len(together)), shuffle=True, random_state=seed).split(together):
            known = np.setdiff1d(np.arange(len(sets)), together[left])
            model = MTGNetModel(sets.shape[1], longest, seed, pairs)
            model.fit(
                sets[known], gains[known], _Curve(model, sets[together[left]], gains[together[left]], errors)
            )
    chosen = 1 + int(np.argmin(errors)) if len(together) > 1 else settings.epochs
    model = MTGNetModel(sets.shape[1], replace(settings, epochs=chosen), seed, pairs)
    model.fit(sets, gains)
    return model


class _Curve:
    """Adds the error on sets that were left out to that of every number of epochs."""

    def __init__(self, model: MTGNetModel, sets: np.ndarray, gains: np.ndarray, errors: np.ndarray):
        self.model, self.sets, self.gains, self.errors = model, sets, gains, errors
        self.last = 0.0

    def __call__(self, epoch: int) -> None:
        """The network has new best weights at `epoch`, which a training of more epochs keeps or betters."""
        wrong = np.abs(self.model.predict(self.sets) - self.gains)[self.sets]
        error = float((wrong**2 if self.model.settings.loss == "squared" else wrong).sum())
        self.errors[epoch:] += error - self.last
        self.last = error
