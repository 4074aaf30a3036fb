"""Ways of sharing beyond a shared bottom, as their papers write them: loops over items, tasks and experts.

Arguments are plain tensors: `embeddings[e]` [B, w] of expert or task e, weights of gates and heads by task.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def softmax(logits: Sequence[Tensor]) -> list[Tensor]:
    powers = [logit.exp() for logit in logits]
    return [power / sum(powers) for power in powers]


def stitched(states: Sequence[Tensor], unit: Tensor) -> list[Tensor]:
    """Cross-stitch (Misra et al., 2016, eq. 1 for k tasks): task i reads sum_j alpha_ij x_j."""
    return [sum(unit[i, j] * states[j] for j in range(len(states))) for i in range(len(states))]


def mixture(experts: Sequence[Tensor], gate_input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """MMoE (Ma et al., 2018, eqs. 6 and 7) of one task; weight [E, w], bias [E]."""
    rows = []
    for item in range(len(gate_input)):
        logits = [weight[e] @ gate_input[item] + bias[e] for e in range(len(experts))]
        shares = softmax(logits)
        rows.append(sum(share * expert[item] for share, expert in zip(shares, experts, strict=True)))
    return torch.stack(rows)


def extracted(
    own: Sequence[Sequence[Tensor]],
    shared: Sequence[Tensor],
    gate_input: Tensor,
    task_gates: Sequence[tuple[Tensor, Tensor]],
    shared_gate: tuple[Tensor, Tensor] | None = None,
) -> tuple[list[Tensor], Tensor | None]:
    """An extraction network of PLE (Tang et al., 2020, section 4.3): what tasks and shared experts read next.

    Args:
        own: experts [B, w] of each task.
        shared: experts of all tasks.
        gate_input: [B, w].
        task_gates: of each task weight [own + shared, w] and bias, of its own experts first.
        shared_gate: weight [all experts, w] and bias, of those of the first task first, shared ones last.
    """
    of_tasks = [
        mixture([*experts, *shared], gate_input, *gate) for experts, gate in zip(own, task_gates, strict=True)
    ]
    every = [expert for experts in own for expert in experts] + [*shared]
    return of_tasks, None if shared_gate is None else mixture(every, gate_input, *shared_gate)


def smooth_step(t: float, gamma: float) -> float:
    if t <= -gamma / 2:
        return 0.0
    if t >= gamma / 2:
        return 1.0
    return -2 / gamma**3 * t**3 + 3 / (2 * gamma) * t + 0.5


def selector(logits: Sequence[float], gamma: float) -> list[float]:
    """DSelect-k (Hazimeh et al., 2021): how much of each of 2^m experts m smooth digits select."""
    found = []
    for expert in range(2 ** len(logits)):
        share = 1.0
        for digit, logit in enumerate(logits):
            step = smooth_step(logit, gamma)
            share *= step if expert >> digit & 1 else 1 - step
        found.append(share)
    return found


def entropy(shares: Sequence[float]) -> float:
    return -sum(share * math.log(share) for share in shares if share > 0)
