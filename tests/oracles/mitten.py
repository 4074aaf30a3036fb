"""Section 4 of L2T-MITTEN as it is written: a loop over positions, source tasks and target tasks.

F_S and F_T are affine maps, the softmax of eq. 4 is over the source tasks of a target.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor


def transferred(states: Tensor, maps: Mapping[str, Tensor], i: int, j: int, n: int) -> Tensor:
    """H_ij of position n, eq. 2: F_Tj(F_Si(E_i(X)))."""
    sent = states[n, i] @ maps["source"][i] + maps["source_bias"][i]
    return sent @ maps["target"][j] + maps["target_bias"][j]


def mixed(
    states: Tensor, maps: Mapping[str, Tensor], dependency: Tensor, eta: float, axis: str, own: bool
) -> tuple[Tensor, Tensor]:
    """Return the mixed states [N, T, d] and the attention [N, T, T] (source, target) of states [N, T, d].

    Args:
        states: E_i(X), of N positions.
        maps: source, target, query, key, value, mix [T, d, d]; source_bias, target_bias [T, d].
        dependency: D, [T, T].
        eta: of eq. 4.
        axis: over which softmax(D) sums to 1.
        own: whether the sums contain i = j.
    """
    n_positions, n_tasks, width = states.shape
    general = {}
    for i in range(n_tasks):
        for j in range(n_tasks):
            if axis == "source":
                others = [dependency[k, j] for k in range(n_tasks) if own or k != j]
            else:
                others = [dependency[i, k] for k in range(n_tasks) if own or k != i]
            general[i, j] = dependency[i, j].exp() / sum(value.exp() for value in others)
    rows, weights = [], torch.zeros(n_positions, n_tasks, n_tasks, dtype=states.dtype)
    for n in range(n_positions):
        row = []
        for j in range(n_tasks):
            sources = [i for i in range(n_tasks) if own or i != j]
            logits = []
            for i in sources:
                product = (transferred(states, maps, i, j, n) @ maps["query"][i]) * (
                    states[n, j] @ maps["key"][j]
                )
                attention = product.sum() / math.sqrt(width)  # eq. 3
                logits.append(eta * general[i, j] * attention)
            chances = torch.stack(logits).softmax(0)
            total = torch.zeros(width, dtype=states.dtype)
            for chance, i in zip(chances, sources, strict=True):  # eq. 4
                total = (
                    total
                    + (chance * (transferred(states, maps, i, j, n) @ maps["value"][i])) @ maps["mix"][j]
                )
                weights[n, i, j] = chance.detach()
            row.append(total)
        rows.append(torch.stack(row))
    return torch.stack(rows), weights
