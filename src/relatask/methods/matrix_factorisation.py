"""Labels as products of a few numbers of items and tasks, by alternating least squares: no structure.

Minimises the sum over known cells of (y - m_j - u_i v_j)^2 + penalty (|u_i|^2 + |v_j|^2), m_j the task's mean
(Zhou et al., 2008, with one penalty for all). A held-out item's u is fitted to its known labels.
"""

import torch
from torch import Tensor

CAPABILITIES = {
    "summary": "matrix factorisation of the labels; reads no structure",
    "label": "MF",
    "paper": "zhou_2008",
    "inputs": ("none",),
    "loop": "label_only",
    "encoders": "none",
    "uses_known_labels": True,
    "microseconds": 600.0,
    # Best on validation of SIDER and Tox21 (scaffold split, a fifth and four fifths known) among ranks of 2,
    # 8 and 32 and penalties of 1, 5 and 20; the penalty, not the rank, says how much is learned.
    "options": {"rank": 32, "penalty": 5.0, "rounds": 20},
    "limits": {"rank": (1, 1000), "penalty": (1e-6, 1e6), "rounds": (1, 10_000)},
    "space": {
        "rank": {"least": 4, "greatest": 128, "log": True},
        "penalty": {"least": 0.5, "greatest": 50.0, "log": True},
    },
}


class MatrixFactorisation:
    """Task means [T] and factors [T, rank]."""

    def __init__(self, seed: int, rank: int, penalty: float, rounds: int):
        self.seed, self.rank, self.penalty, self.rounds = seed, rank, penalty, rounds
        self.means, self.factors = torch.zeros(0), torch.zeros(0, rank)

    def fit(self, labels: Tensor) -> None:
        """Learn from labels [n, T] (NaN where missing); a task without any has mean one half."""
        self.means = labels.nanmean(0).nan_to_num(0.5)
        draw = torch.Generator().manual_seed(self.seed)
        self.factors = torch.randn(labels.shape[1], self.rank, generator=draw).to(labels) / self.rank**0.5
        for _ in range(self.rounds):
            items = ridge(labels - self.means, self.factors, self.penalty)
            self.factors = ridge((labels - self.means).T, items, self.penalty)

    def state(self) -> dict[str, Tensor]:
        """Return the task means and factors."""
        return {"means": self.means, "factors": self.factors}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take the means and factors of a fitted model."""
        self.means = state["means"]
        self.factors = state["factors"]

    def predict(self, known: Tensor) -> Tensor:
        """Return the scores [n, T] of items of which labels `known` [n, T] are known, NaN where not."""
        items = ridge(known - self.means, self.factors, self.penalty)
        return (self.means + items @ self.factors.T).clamp(0, 1)


def ridge(targets: Tensor, factors: Tensor, penalty: float) -> Tensor:
    """Return for each row of targets [n, m] (NaN: left out) the weights [n, r] of ridge on factors [m, r]."""
    present = ~targets.isnan()
    squares = (factors[:, :, None] * factors[:, None]).flatten(1)  # [m, r * r]
    rank = factors.shape[1]
    left = (present.to(factors) @ squares).view(-1, rank, rank) + penalty * torch.eye(rank).to(factors)
    return torch.linalg.solve(left, targets.nan_to_num(0) @ factors)


def build(seed: int, rank: int, penalty: float, rounds: int) -> MatrixFactorisation:
    """Return the untrained model."""
    return MatrixFactorisation(seed, rank, penalty, rounds)
