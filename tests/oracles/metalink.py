"""MetaLink's knowledge graph (section 3), as it is written: a loop over nodes, a loop over their edges."""

from collections.abc import Mapping

import torch
from torch import Tensor

Edges = Mapping[tuple[int, int], float]  # (item, task) -> the known label


def metalink(
    parameters: Mapping[str, Tensor],
    items: Tensor,
    edges: Edges,
    layers: int,
    new: tuple[int, ...] = (),
    n_query: int = 0,
) -> Tensor:
    """Logits [B, T] of items [B, D], given the known labels.

    Args:
        parameters: the model's, by name.
        items: z of the data nodes.
        edges: known labels.
        layers: L.
        new: tasks that start as a constant vector, of length 1.
        n_query: so many items, the first, receive messages from tasks and send none.
    """
    n_items, weights, bias = len(items), parameters["heads.weight"], parameters["heads.bias"]
    n_tasks, width = weights.shape
    constant = torch.ones(width, dtype=items.dtype) / width**0.5
    data = {i: items[i] for i in range(n_items)}
    tasks = {j: constant if j in new else weights[j] for j in range(n_tasks)}
    starts = [0.0 if j in new else bias[j] for j in range(n_tasks)]
    logits = {(i, j): _score(parameters, 0, data[i], tasks[j]) + starts[j] for i in data for j in tasks}
    for layer in range(layers):
        data, tasks = (
            {
                i: _update(
                    parameters,
                    layer,
                    data[i],
                    [(tasks[j], y) for (k, j), y in edges.items() if k == i],
                    "tasks",
                )
                for i in data
            },
            {
                j: _update(
                    parameters,
                    layer,
                    tasks[j],
                    [(data[i], y) for (i, k), y in edges.items() if k == j and i >= n_query],
                    "items",
                )
                for j in tasks
            },
        )
        for i, j in logits:
            logits[i, j] = logits[i, j] + _score(parameters, layer + 1, data[i], tasks[j])
    return torch.stack([torch.stack([logits[i, j] for j in range(n_tasks)]) for i in range(n_items)])


def _update(
    parameters: Mapping[str, Tensor],
    layer: int,
    own: Tensor,
    neighbours: list[tuple[Tensor, float]],
    source: str,
) -> Tensor:
    """The equation after eq. 2: U concat(mean of relu(W h_u + O y), h_v)."""
    name = f"layers.{layer}"
    if f"{name}.from_{source}.weight" not in parameters:
        source = "items"  # one W for both directions
    weight, bias = parameters[f"{name}.from_{source}.weight"], parameters[f"{name}.from_{source}.bias"]
    mean = torch.zeros_like(own)
    for state, label in neighbours:
        mean = mean + torch.relu(weight @ state + bias + parameters[f"{name}.label"] * label) / len(
            neighbours
        )
    return parameters[f"{name}.update.weight"] @ torch.cat([mean, own]) + parameters[f"{name}.update.bias"]


def _score(parameters: Mapping[str, Tensor], number: int, item: Tensor, task: Tensor) -> Tensor:
    """EdgePred: an MLP on the concatenated states, or their dot product."""
    name = f"predictors.{number}"
    if f"{name}.items.weight" not in parameters:
        return item @ task
    weight = torch.cat([parameters[f"{name}.items.weight"], parameters[f"{name}.tasks.weight"]], 1)
    hidden = torch.relu(weight @ torch.cat([item, task]) + parameters[f"{name}.items.bias"])
    return (parameters[f"{name}.out.weight"] @ hidden + parameters[f"{name}.out.bias"])[0]
