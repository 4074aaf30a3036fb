"""The loop of SAME (Algorithm 1): single-task adaptation inside, all tasks outside."""

from collections.abc import Callable

import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.engine.kinds import mean_of
from relatask.engine.network import autocast
from relatask.engine.problem import Problem
from relatask.inputs.parts_batch import GRAPH
from relatask.methods.same.adaptation import Inner, target_loss, target_outputs
from relatask.methods.same.episodes import Drawer, LevelLabels
from relatask.methods.same.network import LevelNetwork
from relatask.methods.same.training import LevelTraining, graphs_of, predictor_by

LOOP = {"second_derivatives": True}


def _none(problem: Problem, network: LevelNetwork) -> list[int]:
    return []


predictor: Callable[..., Callable[[Tensor], Tensor]] = predictor_by(_none)


def blocks(graphs: Tensor, n_levels: int) -> list[Tensor]:
    """Return the graphs of each level: equal runs of a batch, and what is left over one by one.

    As released with SAME: each graph of a batch serves one task.
    """
    size = len(graphs) // n_levels
    left = graphs[size * n_levels :]
    return [
        torch.cat([graphs[level * size : (level + 1) * size], left[level : level + 1]])
        for level in range(n_levels)
    ]


class Training(LevelTraining):
    """The training of one iSAME or eSAME."""

    def __init__(self, problem: Problem):
        super().__init__(problem)
        options = self.options
        self.inner = Inner(
            heads_alone=options["adapts"] == "heads",
            step_size=options["step_size"],
            steps=options["steps"],
            second_order=options["second_order"],
        )
        self._require_blocks()

    def _require_blocks(self) -> None:
        """Raise where no step could draw an episode of each level: a level would never be learned."""
        n_graphs = min(self.settings["batch_size"], len(self.rows))
        sizes = [len(own) for own in blocks(torch.arange(n_graphs), len(self.levels))]
        for level, size in zip(self.levels, sizes, strict=True):
            if n_graphs and size < (2 if level == GRAPH else 1):
                raise RelataskError(
                    f"{self.problem.title}: a step has {n_graphs} graphs, too few for an episode of each of "
                    f"{len(self.levels)} levels; set training.batch_size to "
                    f"{len(self.levels) + (GRAPH in self.levels)} or more, and train on as many graphs."
                )

    def take_step(self, batch: Tensor) -> None:
        """One outer update on the graphs at numbers `batch`."""
        generator, losses = self.generator(), []
        for level, graphs in zip(self.levels, blocks(batch, len(self.levels)), strict=True):
            episode = self.drawer.draw(level, graphs, generator)
            if episode is not None:
                with autocast(self.problem):
                    losses.append(self.weight(level) * target_loss(self.network, episode, self.inner))
        if losses:
            self.learn_from(torch.stack(losses).sum())

    def valid_value(self) -> float:
        """Mean over levels of how well targets in validation graphs are predicted after adaptation."""
        self.model.eval()
        graphs = graphs_of(self.problem, "valid")
        labels = LevelLabels.of(self.problem, self.parts, "valid")
        drawer = Drawer(self.parts, labels, self.drawer.first)
        generator = torch.Generator().manual_seed(self.problem.spec.data_seed("valid episodes"))
        found: dict[int, list[tuple[Tensor, Tensor]]] = {level: [] for level in self.levels}
        for batch in graphs.split(self.settings["batch_size"]):
            for level in self.levels:  # in validation each graph serves every task
                episode = drawer.draw(level, batch, generator)
                if episode is not None:
                    with autocast(self.problem):
                        outputs = target_outputs(self.network, episode, self.inner).detach().float()
                    scores = self.network.level_scores(level, outputs)
                    found[level].append((episode.target.labels, scores))
        values = [
            self.level_value(level, *map(torch.cat, zip(*own, strict=True)))
            for level, own in found.items()
            if own
        ]
        return mean_of(torch.tensor(values, dtype=torch.float64))
