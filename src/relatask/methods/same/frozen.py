"""The loop of what is not trained: a linear classifier on given states of nodes, as SAME's is measured."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.registry import load, own_options
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.kinds import kinds_of, tasks_of
from relatask.engine.network import Encoders
from relatask.engine.problem import EVALUATED, Problem, Progress, TrainingResult
from relatask.methods.same.network import LevelNetwork
from relatask.methods.same.training import fit_readouts, parts_of, scores_of

LOOP: dict[str, Any] = {}


def train(problem: Problem, checkpoint: Checkpoint, progress: Progress) -> TrainingResult:
    """Fit the linear classifiers to the training items and score the held-out folds."""
    if not len(problem.rows("train")):
        raise RelataskError(f"{problem.title} has no labelled item in training; choose other tasks.")
    network = _network(problem)
    progress(0.0, "linear classifiers")
    fit_readouts(problem, network)
    scores = {fold: scores_of(problem, network, problem.rows(fold), []).cpu() for fold in EVALUATED}
    return TrainingResult(scores, [], {name: value.cpu() for name, value in network.state_dict().items()})


def _network(problem: Problem) -> LevelNetwork:
    """Return the network of the method's module of nodes, initialised."""
    options = own_options(problem.spec.method.name, problem.spec.method.options)
    encoders = Encoders(problem)
    torch.manual_seed(problem.seed("initialisation"))
    nodes = load("methods", problem.spec.method.name).build(parts_of(problem).n_features, encoders, **options)
    levels = [task.level for task in tasks_of(problem)]
    network = LevelNetwork(levels, kinds_of(problem), nodes, released=False)
    return network.to(problem.data.labels.device)


def predictor(problem: Problem, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """Return what gives the scores [n, t] of items at some rows."""
    network = _network(problem)
    network.load_state_dict(weights)
    return lambda rows: scores_of(problem, network, rows, [])
