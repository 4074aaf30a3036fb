"""Graph networks of torch-geometric (Fey and Lenssen, 2019): GCN, GIN, GAT, GraphSAGE, PNA, EdgeCNN.

Several of these layers read no features of bonds, so every model reads them in the same way: an atom starts
as the sum of the embeddings of its number, its chirality and its bonds. Layer norm stands between layers,
which needs no statistics of a batch. Our own `gin` and `graphsage` are faster where they serve; these are
plain operations of torch with second derivatives, and a pattern for encoders of other graphs.
"""

import torch
from torch import Tensor, nn

from relatask.core.errors import RelataskError
from relatask.inputs.graph_batch import (
    N_ATOMIC_NUMBERS,
    N_BOND_KINDS,
    N_CHIRALITIES,
    GraphBatch,
)
from relatask.nn import plain
from relatask.nn.contract import Encoder

CAPABILITIES = {
    "summary": "a graph network of torch-geometric (Fey and Lenssen, 2019)",
    "label": "PyG",
    "paper": "fey_2019",
    "inputs": ("graph",),
    "microseconds": 6000.0,
    "cost_options": ("layers", "width", "width"),
    "twice_differentiable": True,
    "options": {"model": "GIN", "width": 300, "layers": 5, "dropout": 0.2},
    "choices": {"model": ("GCN", "GIN", "GAT", "GraphSAGE", "PNA", "EdgeCNN")},
    "limits": {"width": (1, 10_000), "layers": (1, 100), "dropout": (0.0, 0.99)},
    "space": {
        "width": {"least": 64, "greatest": 512, "log": True},
        "layers": {"least": 2, "greatest": 6},
        "dropout": {"least": 0.0, "greatest": 0.5},
    },
}
# PNA scales messages by the degree of an atom over the usual one: how many of 100 atoms have 0, 1, 2, ...
# bonds in drug-like molecules without hydrogens. Fixed: a model must not depend on its training molecules.
DEGREES = (0, 22, 46, 30, 2)
OF_PNA = {
    "aggregators": ["mean", "min", "max", "std"],
    "scalers": ["identity", "amplification", "attenuation"],
}


class PyGEncoder(Encoder):
    """Embeddings of atoms, layers of torch-geometric, and the mean over a molecule's atoms."""

    def __init__(self, model: str, width: int, layers: int, dropout: float):
        super().__init__()
        self.width = width
        self.numbers = nn.Embedding(N_ATOMIC_NUMBERS, width)
        self.chiralities = nn.Embedding(N_CHIRALITIES, width)
        self.bonds = nn.Linear(N_BOND_KINDS, width, bias=False)
        self.network = _network(model, width, layers, dropout)

    def states(self, x: GraphBatch) -> Tensor:
        """Return the states [N, width] of the atoms of B molecules after the last layer."""
        number = torch.div(x.atoms, N_CHIRALITIES, rounding_mode="floor")
        atoms = self.numbers(number) + self.chiralities(x.atoms % N_CHIRALITIES)
        states: Tensor = self.network(atoms + self.bonds(x.bond_counts.to(atoms.dtype)), edge_index(x))
        return states

    def pool(self, states: Tensor, x: GraphBatch) -> Tensor:
        """Return the mean over each molecule's atoms, float32 [B, width]."""
        mean = plain.molecule_mean(states, x)
        return mean if mean.dtype == torch.float64 else mean.float()


def edge_index(x: GraphBatch) -> Tensor:
    """Return bonds in both directions as torch-geometric takes them, int64 [2, E]: from, to; no loops."""
    receiver = torch.repeat_interleave(x.neighbour_offsets.diff())
    sender = x.neighbours.long()
    return torch.stack([sender, receiver])[:, sender != receiver]


def _network(model: str, width: int, layers: int, dropout: float) -> nn.Module:
    """Return a stack of layers [N, width] -> [N, width].

    Raises:
        RelataskError: torch-geometric is not installed.
    """
    try:
        from torch_geometric.nn import models
    except ImportError as error:
        raise RelataskError(
            f"encoder 'pyg' needs torch-geometric ({error}); install it with pip install torch-geometric, or "
            "choose encoder gin or graphsage."
        ) from None
    options = {**OF_PNA, "deg": torch.tensor(DEGREES)} if model == "PNA" else {}
    norm = {"norm": "layer_norm", "norm_kwargs": {"mode": "node"}}
    network: nn.Module = getattr(models, model)(width, width, layers, dropout=dropout, **norm, **options)
    return network


def build(model: str, width: int, layers: int, dropout: float) -> PyGEncoder:
    """Return the encoder, initialised from torch's global generator."""
    return PyGEncoder(model, width, layers, dropout)
