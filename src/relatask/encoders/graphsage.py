"""GraphSAGE for molecules, the encoder of MetaLink (appendix A; what the paper leaves out is as released).

Messages are summed, as released: by atomic number and chirality alone, a mean over neighbours would hide how
many there are. `aggregation: mean` is GraphSAGE as published.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relatask.inputs.graph_batch import (
    N_ATOMIC_NUMBERS,
    N_BOND_KINDS,
    N_BOND_TYPES,
    N_CHIRALITIES,
    SELF_LOOP,
    GraphBatch,
)
from relatask.nn import plain
from relatask.nn.contract import Encoder
from relatask.nn.gin_layer import Linear, MoleculeMean, NeighbourSum, NormDropout, Padded

CAPABILITIES = {
    "summary": "GraphSAGE with bond embeddings (Hamilton et al., 2017)",
    "label": "SAGE",
    "paper": "metalink",
    "inputs": ("graph",),
    "microseconds": 900.0,
    "cost_options": ("layers", "width", "width"),
    "twice_differentiable": True,
    "options": {"width": 256, "layers": 3, "dropout": 0.0, "normalise": True, "aggregation": "sum"},
    "choices": {"aggregation": ("sum", "mean")},
    "limits": {"width": (1, 10_000), "layers": (1, 100), "dropout": (0.0, 0.99)},
    "space": {
        "width": {"least": 64, "greatest": 512, "log": True},
        "layers": {"least": 2, "greatest": 5},
        "dropout": {"least": 0.0, "greatest": 0.5},
        "aggregation": {"values": ["sum", "mean"]},
    },
}


class SAGELayer(nn.Module):
    """U concat(sum of the neighbours' states and bonds, own state), batch norm, ReLU and dropout."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, width: int):
        super().__init__()
        self.bonds = nn.Parameter(nn.init.xavier_uniform_(torch.empty(N_BOND_KINDS, width)))
        self.neighbours = nn.Linear(width, width, bias=False)  # batch norm would take a bias away again
        self.own = nn.Linear(width, width, bias=False)
        self.norm_weight = nn.Parameter(torch.ones(width))
        self.norm_bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))

    def forward(self, states: Tensor, x: "Neighbourhoods", dropout: float) -> Tensor:
        """Return the atoms' next states [N, width]; a single atom is normalised as in evaluation."""
        total: Tensor = NeighbourSum.apply(states, self.bonds, x)  # with the atom itself, which is taken out
        states = F.pad(states, (0, 0, 0, len(total) - len(states)))
        gathered = (total - states) * x.share
        new = Linear.apply(gathered, self.neighbours.weight, None, False)
        new = new + Linear.apply(states, self.own.weight, None, False)
        norm = (self.norm_weight, self.norm_bias, self.running_mean, self.running_var)
        training = self.training and x.n_atoms > 1
        states = NormDropout.apply(new, x.n_atoms, *norm, training, True, dropout)
        return states

    def plain(self, states: Tensor, x: GraphBatch, around: "Neighbourhoods", dropout: float) -> Tensor:
        """Return the atoms' next states [N, width] by operations that have second derivatives."""
        total = plain.neighbour_sum(states, self.bonds, x, around.bond_counts[: len(states)])
        gathered = (total - states) * around.share[: len(states)]
        new = self.neighbours(gathered) + self.own(states)
        norm = (self.norm_weight, self.norm_bias, self.running_mean, self.running_var)
        return plain.norm_dropout(new, *norm, self.training, True, dropout)


class Neighbourhoods(Padded):
    """A batch whose counts of bonds leave out the self loop; `share` weighs a neighbour: in a mean, or 1."""

    def __init__(self, x: GraphBatch, dtype: torch.dtype, aggregation: str):
        super().__init__(x, dtype)
        own = torch.zeros(N_BOND_KINDS, dtype=dtype, device=x.atoms.device)
        own[[SELF_LOOP, N_BOND_TYPES]] = 1
        self.bond_counts[: self.n_atoms] -= own
        degree = self.bond_counts[:, :N_BOND_TYPES].sum(1, keepdim=True).clamp(min=1)
        self.share = 1 / degree if aggregation == "mean" else torch.ones_like(degree)


class GraphSAGE(Encoder):
    """Embeddings of atoms, layers, the sum over a molecule's atoms, and a perceptron of two layers.

    `normalise` scales each molecule's embedding to length 1, as the released code of MetaLink.
    """

    def __init__(self, width: int, layers: int, dropout: float, normalise: bool, aggregation: str):
        super().__init__()
        self.width, self.dropout, self.normalise, self.aggregation = width, dropout, normalise, aggregation
        self.numbers = nn.Embedding(N_ATOMIC_NUMBERS, width)
        self.chiralities = nn.Embedding(N_CHIRALITIES, width)
        for table in (self.numbers, self.chiralities):
            nn.init.xavier_uniform_(table.weight)
        self.layers = nn.ModuleList(SAGELayer(width) for _ in range(layers))
        self.pooled = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    def states(self, x: GraphBatch) -> Tensor:
        """Return the states [N, width] of the atoms of B molecules after the last layer."""
        device = x.atoms.device.type
        autocast = torch.is_autocast_enabled(device)
        dtype = torch.get_autocast_dtype(device) if autocast else self.numbers.weight.dtype
        with torch.autocast(device, enabled=False):
            padded = Neighbourhoods(x, dtype, self.aggregation)
            numbers = torch.div(x.atoms, N_CHIRALITIES, rounding_mode="floor")
            states: Tensor = (self.numbers(numbers) + self.chiralities(x.atoms % N_CHIRALITIES)).to(dtype)
            for layer in self.layers:
                assert isinstance(layer, SAGELayer)
                if self.plain:
                    states = layer.plain(states, x, padded, self.dropout)
                else:
                    states = layer(states, padded, self.dropout)
            return states

    def pool(self, states: Tensor, x: GraphBatch) -> Tensor:
        """Return a perceptron of the sum over each molecule's atoms, float32 [B, width]."""
        with torch.autocast(x.atoms.device.type, enabled=False):
            if self.plain:
                total = plain.molecule_sum(states, x)
            else:
                mean: Any = MoleculeMean.apply(states, x)
                total = mean.float() * x.molecule_offsets.diff()[:, None]
            pooled: Tensor = self.pooled(total)
        return F.normalize(pooled, dim=1) if self.normalise else pooled


def build(
    width: int = 256,
    layers: int = 3,
    dropout: float = 0.0,
    normalise: bool = True,
    aggregation: str = "sum",
) -> GraphSAGE:
    """Return the encoder, initialised from torch's global generator."""
    return GraphSAGE(width, layers, dropout, normalise, aggregation)
