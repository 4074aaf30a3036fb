"""SAME as its paper writes it: Algorithm 1 over dictionaries of tensors, graphs as dense matrices.

Heads and layers are those of the released code, which the paper leaves to its appendix. Loops go over levels,
graphs, nodes and pairs.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

Parameters = Mapping[str, Tensor]


@dataclass(frozen=True)
class Question:
    """What is asked in one graph: the graph itself, some nodes, or some pairs."""

    adjacency: Tensor  # [n, n] of 0 and 1, without self loops: the edges that carry messages
    x: Tensor  # [n, d]
    asked: Sequence[tuple[int, ...]]  # (), (node,) or (node, node)
    labels: Sequence[float]


def states(theta: Parameters, question: Question, layers: int) -> Tensor:
    """Node embeddings of a graph: GCN with residuals and rows of length 1."""
    n = len(question.x)
    degree = [1 + float(question.adjacency[v].sum()) for v in range(n)]
    smoothing = torch.zeros(n, n, dtype=question.x.dtype)
    for v in range(n):
        for u in range(n):
            if u == v or question.adjacency[v, u]:
                smoothing[v, u] = (degree[v] * degree[u]) ** -0.5
    h = torch.stack([row / max(float(row.sum()), 1.0) for row in question.x])
    for layer in range(layers):
        weight, bias = theta[f"encoder.layers.{layer}.weight"], theta[f"encoder.layers.{layer}.bias"]
        out = torch.relu(smoothing @ h @ weight.T + bias)
        if layer:
            out = out + h
        h = torch.stack([row / row.norm().clamp(min=1e-12) for row in out])
    return h


def outputs(level: str, head: Parameters, h: Tensor, question: Question) -> Tensor:
    """What the head of a level says of each thing that is asked."""
    found = []
    for asked in question.asked:
        if level == "graph":
            inner = sum(torch.relu(head["inner.weight"] @ row + head["inner.bias"]) for row in h)
            found.append(head["outer.weight"] @ inner + head["outer.bias"])
        elif level == "node":
            found.append(head["outer.weight"] @ h[asked[0]] + head["outer.bias"])
        else:
            both = [head["inner.weight"] @ h[end] + head["inner.bias"] for end in asked]
            found.append(head["outer.weight"] @ torch.cat(both) + head["outer.bias"])
    return torch.stack(found)


def loss(
    level: str, encoder: Parameters, head: Parameters, questions: Sequence[Question], layers: int
) -> Tensor:
    """The mean over all that is asked: cross-entropy of classes, of links that of 0 and 1."""
    costs = []
    for question in questions:
        if not question.asked:
            continue
        said = outputs(level, head, states(encoder, question, layers), question)
        for row, label in zip(said, question.labels, strict=True):
            if level == "pair":
                chance = torch.sigmoid(row[0])
                costs.append(-torch.log(chance if label else 1 - chance))
            else:
                costs.append(-torch.log(row.exp()[int(label)] / row.exp().sum()))
    return torch.stack(costs).mean()


def outer_loss(
    encoder: Parameters,
    heads: Mapping[str, Parameters],
    episode: Mapping[str, tuple[Sequence[Question], Sequence[Question]]],
    step_size: float,
    steps: int,
    heads_alone: bool,
    layers: int,
    weights: Mapping[str, float],
) -> Tensor:
    """o_loss of Algorithm 1: for each task ADAPT to its support, TEST on its target."""
    o_loss = torch.zeros((), dtype=next(iter(encoder.values())).dtype)
    for level, (support, target) in episode.items():
        adapted, head = dict(encoder), dict(heads[level])
        for _ in range(steps):
            names = [("head", name) for name in head] + [("encoder", name) for name in adapted]
            if heads_alone:
                names = [name for name in names if name[0] == "head"]
            values = [head[name] if of == "head" else adapted[name] for of, name in names]
            slopes = torch.autograd.grad(
                loss(level, adapted, head, support, layers), values, create_graph=True
            )
            for (of, name), value, slope in zip(names, values, slopes, strict=True):
                (head if of == "head" else adapted)[name] = value - step_size * slope
        o_loss = o_loss + weights[level] * loss(level, adapted, head, target, layers)
    return o_loss


def copied_step(
    model: nn.Module,
    losses: Sequence[tuple[Callable[[Any], Tensor], Callable[[Any], Tensor]]],
    step_size: float,
) -> list[Tensor]:
    """Return the gradient of the outer loss by a deep copy of the model for each task, one after the other.

    What our step is measured against. With g the gradient of the support at theta and v that of the target at
    theta - alpha g, the outer gradient is v - alpha H v; the product with the Hessian H of the support is a
    second differentiation.

    Args:
        model: theta.
        losses: of each task, (copy of the model) -> loss of its support, and of its target.
        step_size: alpha.
    """
    total = [torch.zeros_like(value) for value in model.parameters()]
    for of_support, of_target in losses:
        first = copy.deepcopy(model)
        own = list(first.parameters())
        slopes = torch.autograd.grad(of_support(first), own, create_graph=True, allow_unused=True)
        second = copy.deepcopy(model)
        with torch.no_grad():
            for value, slope in zip(second.parameters(), slopes, strict=True):
                if slope is not None:
                    value.sub_(step_size * slope)
        ends = torch.autograd.grad(of_target(second), list(second.parameters()), allow_unused=True)
        pairs = [(s, e) for s, e in zip(slopes, ends, strict=True) if s is not None and e is not None]
        turns = torch.autograd.grad([s for s, _ in pairs], own, [e for _, e in pairs], allow_unused=True)
        for own_total, end, turn in zip(total, ends, turns, strict=True):
            if end is not None:
                own_total.add_(end)
            if turn is not None:
                own_total.sub_(step_size * turn)
    return total
