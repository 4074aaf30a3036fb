"""What the loops of SAME and its baselines share: epochs over graphs, and a linear classifier in the end."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.engine.epochs import EpochTraining
from relatask.engine.kinds import mean_of, selection_values
from relatask.engine.network import autocast, trained_model
from relatask.engine.problem import Problem
from relatask.inputs.parts_batch import GraphParts, PartsBatch
from relatask.methods.same.episodes import LEVELS, Drawer, LevelLabels
from relatask.methods.same.network import NAMES, LevelNetwork, features
from relatask.methods.same.scoring import by_level


def graphs_of(problem: Problem, fold: str) -> Tensor:
    """Return the numbers of the graphs that have an item in a fold, int64 [n]."""
    return parts_of(problem).graph_of_item[problem.rows(fold)].unique()


def parts_of(problem: Problem) -> GraphParts:
    """Return the problem's graphs."""
    return cast(GraphParts, problem.data.inputs)


def trained_levels(problem: Problem, network: LevelNetwork) -> list[int]:
    """Return the levels that the option `trains` names.

    Raises:
        RelataskError: one of them has no task.
    """
    trains = problem.spec.method.options["trains"]
    if trains == "all":
        return network.levels
    levels = [LEVELS[name] for name in trains.split("_")]
    if missing := [level for level in levels if level not in network.levels]:
        raise RelataskError(
            f"{problem.title}: option trains is {trains!r}, but there is no task of level "
            f"{NAMES[missing[0]]}; choose another, or a source that has one."
        )
    return levels


class LevelTraining(EpochTraining):
    """A network of three levels in training; `rows` are numbers of graphs."""

    def __init__(self, problem: Problem):
        super().__init__(problem)
        self.parts, self.options = parts_of(problem), problem.spec.method.options
        self.network = cast(LevelNetwork, self.model)
        self.levels = trained_levels(problem, self.network)
        if len(self.rows):
            self.rows = graphs_of(problem, "train")
        released = self.options["protocol"] == "released"
        self.drawer = Drawer(self.parts, LevelLabels.of(problem, self.parts, "train"), released)

    def generator(self) -> torch.Generator:
        """What draws the episodes of the step that comes: the same for every method."""
        seed = self.problem.spec.data_seed("episodes", self.epoch, self.step)
        return torch.Generator().manual_seed(seed)

    def weight(self, level: int) -> float:
        """The balancing coefficient lambda of a level."""
        return float(self.options[f"{NAMES[level]}_weight"])

    def level_value(self, level: int, labels: Tensor, scores: Tensor) -> float:
        """How good the tasks of a level are on average; labels and scores are [n, t]."""
        kinds = self.network.kinds[NAMES[level]]
        return mean_of(selection_values(kinds, labels, scores, None))

    def by_heads(self) -> list[int]:
        """Levels whose scores are those of the network's heads; default: none, all are the classifier's."""
        return []

    def chosen_weights(self) -> list[dict[str, Tensor]]:
        """Return the weights of the best epoch, with classifiers that are fitted to its embeddings."""
        self.networks.load_weights(super().chosen_weights())
        fit_readouts(self.problem, self.network)
        return [self.networks.weights_of(0)]

    def predict(self, rows: Tensor) -> Tensor:
        """Return scores [n, t] of items; of tasks of other levels they are 0."""
        scores = scores_of(self.problem, self.network, rows, self.by_heads())
        self.require_finite(float(scores.sum()))
        return scores


def fit_readouts(problem: Problem, network: LevelNetwork) -> None:
    """Fit the linear classifiers of a network to the training items."""
    rows = problem.rows("train")
    labels = problem.labels(rows)
    network.eval()
    with torch.inference_mode(), autocast(problem):
        found = by_level(parts_of(problem), rows, network.states, features, _shows(problem))
    for level, (places, values) in found.items():
        if level in network.levels:
            columns = torch.tensor(network.columns[level], device=labels.device)
            network.readout(level).fit(values.float(), labels[places][:, columns])


def scores_of(problem: Problem, network: LevelNetwork, rows: Tensor, by_heads: list[int]) -> Tensor:
    """Return scores float32 [n, t] of items at `rows`, by heads or by linear classifiers."""

    def read(states: Tensor, x: PartsBatch, level: int) -> Tensor:
        if level not in network.levels:
            return states.new_zeros(len(x), 0)
        if level in by_heads:
            outputs = network.head(level)(states, x)
        else:
            outputs = network.readout(level)(features(states, x, level).float())
        return network.level_scores(level, outputs.float())

    network.eval()
    device = problem.data.labels.device
    scores = torch.zeros(len(rows), len(problem.columns), device=device)
    if not len(rows):
        return scores
    with torch.inference_mode(), autocast(problem):
        found = by_level(parts_of(problem), rows, network.states, read, _shows(problem))
    for level, (places, values) in found.items():
        if level in network.levels:
            scores[places[:, None], torch.tensor(network.columns[level], device=device)] = values
    return scores


def _shows(problem: Problem) -> bool:
    """Whether pairs are read with the edges that are asked about, as released."""
    return bool(problem.spec.method.options.get("protocol") == "released")


def predictor_by(
    by_heads: Callable[[Problem, LevelNetwork], list[int]],
) -> Callable[..., Callable[[Tensor], Tensor]]:
    """Return the function `predictor` of a loop whose scores come from heads at some levels."""

    def predictor(problem: Problem, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
        network = cast(LevelNetwork, trained_model(problem, weights))
        levels = by_heads(problem, network)
        return lambda rows: scores_of(problem, network, rows, levels)

    return predictor
