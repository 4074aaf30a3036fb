"""Noise-contrastive training of an energy over label vectors, read out by Gibbs sampling (SGNN-EBM).

The run's prior is the backbone q: it tilts the energy, fills in missing labels, starts the Gibbs chains and
is the first noise distribution. Without a prior every probability is 0.5: the paper's uniform noise.
"""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor

from relatask.engine.epochs import EpochTraining
from relatask.engine.network import autocast
from relatask.engine.problem import Problem
from relatask.methods.sgnn.colouring import Schedule
from relatask.methods.sgnn.contrast import EnergyModel
from relatask.methods.sgnn.energy import inside
from relatask.methods.sgnn.gibbs import Chains, gibbs_marginals
from relatask.methods.sgnn.nce import contrast, label_vectors, noise_is_due, updated_noise

LOOP: dict[str, Any] = {}


def predictor(problem: Problem, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """Return what gives the marginals [n, t] of items at some rows."""
    return Training(problem, weights).probabilities


class Training(EpochTraining):
    """An `EnergyModel`, its backbone and its noise distribution.

    Draws belong to an item, a task and an epoch, not to a batch; those of Gibbs sampling are the same in
    every epoch, so that epochs are compared on equal terms.
    """

    def __init__(self, problem: Problem, weights: dict[str, Tensor] | None = None):
        super().__init__(problem, weights=weights)
        self.energy_model = cast(EnergyModel, self.model)
        self.contrast = self.energy_model.contrast
        self.items, n_tasks = problem.data.item_ids, len(problem.columns)
        prior = problem.prior
        if prior is None:
            prior = torch.full((len(self.items), n_tasks), 0.5, device=self.device)
        self.backbone = self.noise = inside(prior)  # [M, t]
        self.schedule = Schedule.of(self.energy_model.edge_index, n_tasks)
        numbers = [problem.spec.random_seed("task", task) for task in problem.task_ids]
        self.tasks = torch.tensor(numbers, device=self.device)

    def take_step(self, batch: Tensor) -> None:
        """One update on the items at positions `batch`: the mean of their losses."""
        node, edge = self._energies(batch)
        backbone, edge_index = self.backbone[batch], self.energy_model.edge_index
        noise = self.noise[batch]
        if self.contrast.noise == "gibbs":
            seed = self.problem.seed("gibbs noise", self.epoch)
            noise = inside(self._marginals(batch, node.detach(), edge.detach(), seed))
        seed = self.problem.seed("noise", self.epoch)
        drawn = (seed, self.items[batch], self.tasks)
        vectors = label_vectors(self.problem.labels(batch), backbone, noise, self.contrast, *drawn)
        log_z = self.energy_model.log_z()
        losses = contrast(node, edge, edge_index, *vectors, backbone, noise, self.contrast, log_z)
        self.learn_from(losses.mean())

    def after_epoch(self) -> None:
        """Update an adaptive noise distribution with the model's marginals of the training items."""
        if noise_is_due(self.epoch, self.contrast):
            marginals, noise = self.predict(self.rows), self.noise[self.rows]
            self._take_noise(updated_noise(noise, marginals, self.contrast.noise_mixing))

    def predict(self, rows: Tensor) -> Tensor:
        """Return the marginals float32 [n, t] of the items at positions `rows`."""
        self.model.eval()
        seed, marginals = self.problem.seed("gibbs"), [torch.zeros(0, len(self.tasks), device=self.device)]
        with torch.inference_mode():
            for batch in rows.split(self.settings["batch_size"]):  # edges fill memory as they do in training
                marginals.append(self._marginals(batch, *self._energies(batch), seed))
        scores = torch.cat(marginals)
        self.require_finite(float(scores.sum()))
        return scores

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs, as tensors and numbers."""
        adapted = self.noise is not self.backbone
        return {**super().state(), "noise": self.noise[self.rows] if adapted else None}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken, after a step."""
        super().restore(state)
        if state["noise"] is not None:
            self._take_noise(state["noise"])

    def _energies(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        with autocast(self.problem):
            node, edge = self.energy_model.energies(self.problem.data.x(batch))
        return node.float(), edge.float()

    def _marginals(self, batch: Tensor, node: Tensor, edge: Tensor, seed: int) -> Tensor:
        factors = (node, edge, self.energy_model.edge_index)
        chains = Chains(self.schedule, *factors, self.backbone[batch], self.contrast)
        return gibbs_marginals(chains, self.contrast, seed, self.items[batch], self.tasks)

    def _take_noise(self, noise: Tensor) -> None:
        """Replace the noise of the training items."""
        self.noise = self.backbone.clone()
        self.noise[self.rows] = noise.to(self.device)
