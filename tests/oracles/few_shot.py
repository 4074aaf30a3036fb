"""One episode of few-shot learning as the papers write it: a loop over queries, classes, nodes and edges."""

from collections.abc import Mapping

import torch
from torch import Tensor


def cosine(one: Tensor, other: Tensor) -> Tensor:
    """<a, b> / (|a| |b|)."""
    return one @ other / (one @ one).sqrt() / (other @ other).sqrt()


def meta_baseline(temperature: Tensor, support: Tensor, queries: Tensor) -> Tensor:
    """Logits [Q, N] of Meta-Baseline: the cosine with each class's centroid, times the temperature.

    Args:
        temperature: learned.
        support: embeddings [N, K, D].
        queries: embeddings [Q, D].
    """
    centroids = [sum(images) / len(images) for images in support]
    return torch.stack([torch.stack([temperature * cosine(x, w) for w in centroids]) for x in queries])


def episode(parameters: Mapping[str, Tensor], layers: int, support: Tensor, queries: Tensor) -> Tensor:
    """Logits [Q, N] of MetaLink over the graph of an episode (section 3.2 with the inputs of section 4.3)."""
    n, shots = support.shape[:2]
    logits = meta_baseline(parameters["temperatures"][0], support, queries)
    classes = {c: _unit(sum(support[c]) / shots) for c in range(n)}
    images = {("query", i): _unit(x) for i, x in enumerate(queries)}
    images |= {("told", c, k): _unit(support[c, k]) for c in range(n) for k in range(shots)}
    edges = {(image, c): float(image[1] == c) for image in images if image[0] == "told" for c in range(n)}
    for layer in range(layers):
        name = f"layers.{layer}"
        images, classes = (
            {
                image: _update(
                    parameters,
                    name,
                    "tasks",
                    state,
                    [(classes[c], y) for (i, c), y in edges.items() if i == image],
                )
                for image, state in images.items()
            },
            {
                c: _update(
                    parameters,
                    name,
                    "items",
                    state,
                    [(images[i], y) for (i, k), y in edges.items() if k == c],
                )
                for c, state in classes.items()
            },
        )
        temperature = parameters["temperatures"][layer + 1]
        found = [
            [temperature * cosine(images["query", i], classes[c]) for c in range(n)]
            for i in range(len(queries))
        ]
        logits = logits + torch.stack([torch.stack(row) for row in found])
    return logits


def _unit(state: Tensor) -> Tensor:
    return state / (state @ state).sqrt()


def _update(
    parameters: Mapping[str, Tensor], name: str, source: str, own: Tensor, edges: list[tuple[Tensor, float]]
) -> Tensor:
    """U concat(mean of relu(W h_u + O y), h_v)."""
    weight, bias = parameters[f"{name}.from_{source}.weight"], parameters[f"{name}.from_{source}.bias"]
    mean = torch.zeros_like(own)
    for state, label in edges:
        mean = mean + torch.relu(weight @ state + bias + parameters[f"{name}.label"] * label) / len(edges)
    return parameters[f"{name}.update.weight"] @ torch.cat([mean, own]) + parameters[f"{name}.update.bias"]
