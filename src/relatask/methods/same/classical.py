"""The loop of SAME's baselines: every graph of a batch carries every task, and losses are summed."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from relatask.engine.kinds import mean_of
from relatask.engine.network import autocast
from relatask.engine.problem import Problem
from relatask.inputs.parts_batch import GRAPH, NODE, PAIR
from relatask.methods.same.episodes import Asked, at_nodes, at_pairs, whole
from relatask.methods.same.network import LevelNetwork
from relatask.methods.same.training import LevelTraining, predictor_by, scores_of, trained_levels

LOOP: dict[str, Any] = {}


def read_by_heads(problem: Problem, network: LevelNetwork) -> list[int]:
    """Return the levels that are scored by heads: those that are trained, if the option `reads` says so."""
    return trained_levels(problem, network) if problem.spec.method.options["reads"] == "heads" else []


predictor = predictor_by(read_by_heads)


class Training(LevelTraining):
    """The training of one network of several levels, or of one."""

    def __init__(self, problem: Problem):
        super().__init__(problem)
        epochs = self.settings["epochs"]
        # The first epoch in which each level has an encoder of its own: the last one at the latest.
        self.parting = min(max(1, round(epochs * (1 - self.options["finetuning"]))), epochs - 1)

    def by_heads(self) -> list[int]:
        """As `read_by_heads`."""
        return read_by_heads(self.problem, self.network)

    def run_epoch(self, after_step: Callable[[], None]) -> None:
        """As any epoch; where it is gone on with, networks may have parted already."""
        self.network.apart = bool(self.network.own) and self.epoch >= self.parting
        super().run_epoch(after_step)

    def going(self) -> list[int]:
        """As for others, but patience ends no shared stage before encoders part."""
        before = bool(self.network.own) and self.epoch <= self.parting
        return [0] if before and self.selections[0].failure is None else super().going()

    def before_epoch(self) -> None:
        """Let encoders part, and forget what was best before."""
        if self.network.own and self.epoch == self.parting:
            self.network.part()
            self.forget_best()

    def take_step(self, batch: Tensor) -> None:
        """One update on the graphs at numbers `batch`."""
        generator, losses = self.generator(), []
        for level in self.levels:
            asked = self._asked(level, batch, generator)
            if len(asked.labels):
                with autocast(self.problem):
                    outputs = self.network.head(level)(self.network.states(asked.x, level), asked.x)
                losses.append(self.weight(level) * self.network.loss(level, outputs.float(), asked.labels))
        if losses:
            self.learn_from(torch.stack(losses).sum())

    def _asked(self, level: int, graphs: Tensor, generator: torch.Generator) -> Asked:
        """Return what a step asks: all graphs, all nodes, or edges that carry no messages and other pairs.

        In the released code edges that carry messages are asked for as well.
        """
        labels = self.drawer.labels
        if level == PAIR:
            episode = self.drawer.draw(PAIR, graphs, generator)
            if episode is None:
                return Asked(self.parts.graphs(graphs), labels.graphs[:0])
            if self.options["protocol"] != "released":
                return episode.target
            parts = torch.cat([episode.support.x.parts, episode.target.x.parts])
            both = torch.cat([episode.support.labels, episode.target.labels])
            return Asked(at_pairs(episode.support.x, parts), both)
        x = self.parts.graphs(graphs)
        if level == GRAPH:
            return Asked(whole(x), labels.graphs[graphs])
        assert level == NODE
        nodes = torch.arange(len(x.vectors), device=graphs.device)
        return Asked(at_nodes(x, nodes), labels.nodes[self.drawer.nodes_of(graphs)])

    def valid_value(self) -> float:
        """Mean over the trained levels of how well heads predict validation items."""
        scores = scores_of(self.problem, self.network, self.valid, self.levels)
        labels = self.problem.labels(self.valid, "valid")
        values = []
        for level in self.levels:
            columns = torch.tensor(self.network.columns[level], device=labels.device)
            own = self.parts.level[self.valid] == level
            values.append(self.level_value(level, labels[own][:, columns], scores[own][:, columns]))
        return mean_of(torch.tensor(values, dtype=torch.float64))
