"""MTG-Net: a network that predicts the gains of any task set from those of some (MTG-Net, 3.2 and 3.3).

Each task has an embedding; self-attention layers mix those of the tasks in a set; a linear map gives each
task's gain (eq. 2). The paper leaves out what an attention layer is made of. As in the authors' code it has
one head, a softmax with temperature 0.2, normalisation after each part and a feed-forward part as wide as the
embedding, all trained in full batches by Adam. The paper says squared error, the code has absolute error.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

AT_ONCE = 4096  # sets predicted at a time


@dataclass(frozen=True)
class MTGNetSettings:
    """Settings of the network and its training; the defaults are the paper's where it has them."""

    width: int = 64  # D, section 4.1
    layers: int = 2  # section 4.1; the README of the authors' code has 4
    temperature: float = 0.2
    loss: str = "squared"  # eq. 2; "absolute" as the authors' code
    learning_rate: float = 0.007
    weight_decay: float = 5e-4
    # At most. The code has 10,000, ends after 5 without a better training loss, and varies wildly over seeds;
    # a short training is what keeps the network from learning a few sets by heart (docs/grouping.md).
    epochs: int = 100
    patience: int = 50  # epochs without a better training loss
    # Most epochs of the trainings that a round's estimate is from, their number by cross-validation on the
    # sets whose gains are known; those between, which choose sets, take `epochs`. 0: all take `epochs`.
    cross_validated_epochs: int = 0


class AttentionLayer(nn.Module):
    """One self-attention layer over the tasks of a set, each part with a residual and a norm after it."""

    def __init__(self, width: int, temperature: float, pair_features: int):
        super().__init__()
        self.scale = temperature * math.sqrt(width)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)
        self.inner, self.outer = nn.Linear(width, width), nn.Linear(width, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.pair_bias = nn.Linear(pair_features, 1, bias=False) if pair_features else None

    def forward(self, x: Tensor, member: Tensor, pairs: Tensor | None) -> Tensor:
        """Mix the embeddings of each set.

        Args:
            x: [S, N, D], or [1, N, D] where all sets have the same.
            member: bool [S, N].
            pairs: [N, N, F], what is known of pairs of tasks, or None.

        Returns:
            [S, N, D]; rows of tasks outside the set mean nothing and reach no other.
        """
        scores = self.query(x) @ self.key(x).transpose(1, 2) / self.scale
        if self.pair_bias is not None and pairs is not None:
            scores = scores + self.pair_bias(pairs)[..., 0]
        weights = scores.masked_fill(~member[:, None, :], -math.inf).softmax(-1)
        x = self.norms[0](x + self.out(weights @ self.value(x)))
        return self.norms[1](x + self.outer(self.inner(x).relu()))


class MTGNet(nn.Module):
    """Task sets, bool [S, N], to the gains of their tasks, [S, N]."""

    def __init__(self, n_tasks: int, settings: MTGNetSettings, pairs: Tensor | None = None):
        super().__init__()
        self.embedding = nn.Parameter(torch.randn(n_tasks, settings.width) / math.sqrt(settings.width))
        features = 0 if pairs is None else pairs.shape[-1]
        self.layers = nn.ModuleList(
            AttentionLayer(settings.width, settings.temperature, features) for _ in range(settings.layers)
        )
        self.head = nn.Linear(settings.width, 1)
        self.register_buffer("pairs", pairs)

    def encode(self, member: Tensor) -> Tensor:
        """Return H of eq. 2, [S, N, D]; the first layer's projections are of N rows, not of S x N."""
        x = self.embedding[None]
        for layer in self.layers:
            x = layer(x, member, self.pairs)
        return x

    def forward(self, member: Tensor) -> Tensor:
        """Return the predicted gains [S, N]; those of tasks outside the set mean nothing."""
        return self.head(self.encode(member))[..., 0]


class MTGNetModel:
    """A network with the weights of its best epoch.

    Args:
        n_tasks: N.
        settings: of the network and its training.
        seed: of the initial weights.
        pairs: float [N, N, F], what is known of pairs of tasks, or None.
        device: where it computes.
    """

    def __init__(
        self,
        n_tasks: int,
        settings: MTGNetSettings,
        seed: int,
        pairs: np.ndarray | None = None,
        device: str | torch.device = "cpu",
    ):
        self.settings, self.device, self.seed = settings, torch.device(device), seed
        self.pairs = None if pairs is None else torch.as_tensor(pairs, dtype=torch.float32)
        self.n_tasks = n_tasks
        self.restart()

    def restart(self) -> None:
        """Draw the initial weights again."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.network = MTGNet(self.n_tasks, self.settings, self.pairs).to(self.device)

    def fit(self, sets: np.ndarray, gains: np.ndarray, at_best: Callable[[int], None] | None = None) -> int:
        """Train from the weights there are on task sets and their gains, and return the number of epochs.

        Args:
            sets: bool [n, N].
            gains: float [n, N], NaN outside.
            at_best: is called with the number of each epoch, from 0, before which the weights are the best so
                far.
        """
        member = torch.as_tensor(sets, device=self.device)
        target = torch.as_tensor(np.nan_to_num(gains), dtype=torch.float32, device=self.device)
        optimiser = torch.optim.Adam(
            self.network.parameters(),
            lr=self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
            fused=True,
        )
        best, best_weights, stale = math.inf, self.network.state_dict(), 0
        epoch = 0
        while epoch < self.settings.epochs and stale < self.settings.patience:
            error = (self.network(member) - target)[member]
            loss = (error.square() if self.settings.loss == "squared" else error.abs()).mean()
            value = float(loss.detach())
            stale += 1
            if value < best:
                best, stale = value, 0
                best_weights = copy.deepcopy(self.network.state_dict())
                if at_best is not None:
                    at_best(epoch)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            epoch += 1
        self.network.load_state_dict(best_weights)
        return epoch

    def predict(self, sets: np.ndarray) -> np.ndarray:
        """Return the predicted gains of task sets (bool [S, N]), float64 [S, N], NaN outside."""
        with torch.inference_mode():
            parts = [self.network(part) for part in torch.as_tensor(sets, device=self.device).split(AT_ONCE)]
        return np.where(sets, torch.cat(parts).double().cpu().numpy(), np.nan)

    def encode(self, sets: np.ndarray) -> np.ndarray:
        """Return the encodings H of task sets (bool [S, N]), float32 [S, N, D]."""
        with torch.inference_mode():
            return self.network.encode(torch.as_tensor(sets, device=self.device)).cpu().numpy()
