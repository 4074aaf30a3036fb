"""MTG-Net by loops over tasks, and algorithm 1 as the paper prints it."""

import math

import numpy as np
from torch import Tensor, nn


def _linear(layer: nn.Linear, x: Tensor) -> Tensor:
    return layer.weight @ x + (layer.bias if layer.bias is not None else 0.0)


def _norm(layer: nn.LayerNorm, x: Tensor) -> Tensor:
    mean = x.mean()
    variance = ((x - mean) ** 2).mean()
    return (x - mean) / (variance + layer.eps).sqrt() * layer.weight + layer.bias


def gains_of_set(
    network: nn.Module, tasks: list[int], temperature: float, pairs: Tensor | None
) -> dict[int, Tensor]:
    """Predicted gain of each task of one set: embeddings, self-attention among them, a linear map (eq. 2)."""
    x = {task: network.embedding[task] for task in tasks}
    for layer in network.layers:
        width = len(x[tasks[0]])
        attended = {}
        for task in tasks:
            query = _linear(layer.query, x[task])
            scores = []
            for other in tasks:
                score = float(1) * (query @ _linear(layer.key, x[other])) / math.sqrt(width) / temperature
                if pairs is not None:
                    score = score + layer.pair_bias.weight[0] @ pairs[task, other]
                scores.append(score.exp())
            total = sum(scores)
            mixed = sum(
                score / total * _linear(layer.value, x[other])
                for score, other in zip(scores, tasks, strict=True)
            )
            attended[task] = _norm(layer.norms[0], x[task] + _linear(layer.out, mixed))
        x = {
            task: _norm(layer.norms[1], value + _linear(layer.outer, _linear(layer.inner, value).relu()))
            for task, value in attended.items()
        }
    return {task: _linear(network.head, value)[0] for task, value in x.items()}


def chances(predicted: list[float], alpha: float) -> np.ndarray:
    """Chance of each candidate to be the next, proportional to exp(alpha |G|) (algorithm 1)."""
    weights = [math.exp(alpha * abs(gain)) for gain in predicted]
    return np.array([weight / sum(weights) for weight in weights])
