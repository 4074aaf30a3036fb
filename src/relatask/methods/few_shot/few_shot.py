"""Training of few-shot learning: episodes of training classes, and before them, if asked for, a classifier.

An item of a batch is an episode; all episodes of a batch are one pass. The first `pretraining` epochs are
the first stage of Meta-Baseline (Chen et al., 2021): images of all training classes are classified, as many
as the episodes of an epoch hold. Validation and test are episodes of their own classes.
"""

from collections.abc import Callable
from typing import Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from relatask.engine.epochs import EpochTraining
from relatask.engine.loops.supervised import PREDICTION_BATCH
from relatask.engine.network import autocast, trained_model
from relatask.engine.problem import EVALUATED, Problem
from relatask.methods.few_shot.episodes import Pool, cells, evaluated_episodes, images_of_class, true_ways
from relatask.nn.contract import MultiTaskModel

__all__ = ["LOOP", "Training", "cells", "predictor"]

EPISODES_AT_ONCE = 64  # in prediction, where images are encoded already
LOOP = {
    "episodes": True,
    "options": {"pretraining": 0, "episodes": 800},
    "limits": {"pretraining": (0, 100_000), "episodes": (1, 1_000_000)},
}


def predictor(problem: Problem, weights: dict[str, Tensor]) -> Callable[[Tensor, int], Tensor]:
    """Return what gives the logits [E, ways x queries, ways] of episodes.

    It takes positions of images, int64 [E, ways, shots + queries], and the number of shots.
    """
    model = trained_model(problem, weights)
    return lambda episodes, shots: episode_logits(model, problem, episodes, shots)


class EpisodicModel(Protocol):
    """What the loop trains, a `MultiTaskModel` whose losses are those of episodes, with these."""

    def relate(self, support: Tensor, queries: Tensor) -> Tensor:
        """Return logits [E, Q, N] of queries [E, Q, width], by images [E, N, K, width] of N classes."""
        ...

    def classify(self, embeddings: Tensor) -> Tensor:
        """Return the logits [B, C] of all classes of the data set."""
        ...


class Training(EpochTraining):
    """A network that tells the classes of an episode; `rows` are the numbers of an epoch's episodes."""

    def __init__(self, problem: Problem):
        super().__init__(problem)
        assert problem.spec.episodes is not None
        self.form, self.images = problem.spec.episodes, images_of_class(problem)
        self.pool, self.train_rows = Pool.of(problem, "train"), self.rows
        self.held_out = {fold: evaluated_episodes(problem, fold) for fold in EVALUATED}
        self.class_of = problem.data.class_of
        self.seen = self.class_of[self.train_rows].unique()  # classes of the first stage
        self.rows = torch.arange(problem.spec.method.options["episodes"], device=self.device)
        self._drawn: tuple[int, Tensor] = (-1, self.rows)

    @property
    def episodic(self) -> EpisodicModel:
        """The model, as what it is besides."""
        return cast(EpisodicModel, self.model)

    @property
    def classifies(self) -> bool:
        """Whether the epoch that comes or runs is of the first stage."""
        return self.epoch < self.problem.spec.method.options["pretraining"]

    def going(self) -> list[int]:
        """As for others, but patience ends no first stage before the second."""
        before_second = (
            self.epoch <= self.problem.spec.method.options["pretraining"] < self.settings["epochs"]
        )
        return [0] if before_second else super().going()

    def before_epoch(self) -> None:
        """Forget what was best in the first stage once the second begins: its layers were not trained."""
        if self.epoch == self.problem.spec.method.options["pretraining"]:
            self.forget_best()

    def take_step(self, batch: Tensor) -> None:
        """One update on the episodes, or as many images, of the numbers `batch`."""
        rows = self._rows_of(batch)
        with autocast(self.problem):
            embeddings = self.model(self.inputs(rows.flatten())).float()
        if self.classifies:
            classes = self.class_of[rows.flatten()]
            logits = self.episodic.classify(embeddings)[:, self.seen]
            self.learn_from(F.cross_entropy(logits, torch.searchsorted(self.seen, classes)))
        else:
            logits = self._relate(embeddings.view(*rows.shape, -1))
            ways = true_ways(rows, self.form["shots"]).to(self.device)
            self.learn_from(self.model.losses(logits, ways).mean())

    def _rows_of(self, batch: Tensor) -> Tensor:
        """Positions of the images of the numbers `batch`, int64 [B, ways, shots + queries].

        They follow from data set, split, seed and epoch: methods learn from the same episodes.
        """
        if self._drawn[0] != self.epoch:
            draw = self._draw_images if self.classifies else self._draw_episodes
            generator = torch.Generator().manual_seed(self.problem.spec.data_seed("training", self.epoch))
            self._drawn = (self.epoch, draw(generator).to(self.device))
        return self._drawn[1][batch]

    def _draw_episodes(self, generator: torch.Generator) -> Tensor:
        return self.pool.draw(len(self.rows), self.form["ways"], self.images, generator)

    def _draw_images(self, generator: torch.Generator) -> Tensor:
        """All training images in a random order, from the start again where they are too few."""
        shape = (len(self.rows), self.form["ways"], self.images)
        order = self.train_rows[torch.randperm(len(self.train_rows), generator=generator).to(self.device)]
        places = torch.arange(shape[0] * shape[1] * shape[2], device=self.device) % len(order)
        return order[places].view(shape)

    def _relate(self, embeddings: Tensor) -> Tensor:
        """Return the logits [E, ways x queries, ways] of embeddings [E, ways, shots + queries, width]."""
        return relate(self.episodic, embeddings, self.form["shots"])

    def predict(self, rows: Tensor) -> Tensor:
        """Return the logits float32 [E, ways x queries, ways] of episodes `rows` [E, ways, shots + queries].

        An image's embedding depends on no other image, so those of several episodes are encoded once.
        """
        logits = episode_logits(self.model, self.problem, rows, self.form["shots"])
        self.require_finite(float(logits.sum()))
        return logits

    def scores(self) -> dict[str, Tensor]:
        """Return for each held-out fold the predicted class of each query, int64 [E, ways x queries]."""
        return {fold: self.predict(rows).argmax(-1).cpu() for fold, rows in self.held_out.items()}

    def valid_value(self) -> float:
        """Mean accuracy of the validation episodes."""
        rows = self.held_out["valid"]
        right = self.predict(rows).argmax(-1).cpu() == true_ways(rows, self.form["shots"])
        return float(right.double().mean())


def relate(model: EpisodicModel, embeddings: Tensor, shots: int) -> Tensor:
    """Return the logits [E, ways x queries, ways] of embeddings [E, ways, shots + queries, width]."""
    return model.relate(embeddings[:, :, :shots], embeddings[:, :, shots:].flatten(1, 2))


def episode_logits(model: MultiTaskModel, problem: Problem, episodes: Tensor, shots: int) -> Tensor:
    """Return the logits float32 [E, ways x queries, ways] of episodes [E, ways, shots + queries].

    An image's embedding depends on no other image, so those of several episodes are encoded once.
    """
    device = problem.data.labels.device
    model.eval()
    images, place = episodes.unique(return_inverse=True)
    with torch.inference_mode():
        with autocast(problem):
            parts = images.to(device).split(PREDICTION_BATCH)
            states = torch.cat([model(problem.data.x(part)).float() for part in parts])
        episodic = cast(EpisodicModel, model)
        batches = place.to(device).split(EPISODES_AT_ONCE)
        return torch.cat([relate(episodic, states[batch], shots) for batch in batches])
