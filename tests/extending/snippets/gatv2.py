"""Graph attention of Brody et al. (2022) on torch-geometric's GATv2 layers."""

import torch
from torch import Tensor, nn

from relatask.encoders.pyg import edge_index
from relatask.inputs.graph_batch import N_ATOMIC_NUMBERS, N_CHIRALITIES, GraphBatch
from relatask.nn import plain
from relatask.nn.contract import Encoder

CAPABILITIES = {
    "summary": "graph attention (GATv2)",
    "label": "GATv2",
    "inputs": ("graph",),
    "microseconds": 6000.0,
    "cost_options": ("layers", "width", "width"),
    "twice_differentiable": True,
    "options": {"width": 64, "layers": 2},
    "limits": {"width": (1, 10_000), "layers": (1, 100)},
}


class GATv2(Encoder):
    """B molecules -> states of N atoms -> [B, width]."""

    def __init__(self, width: int, layers: int):
        from torch_geometric.nn import GATv2Conv

        super().__init__()
        self.width = width
        self.atoms = nn.Embedding(N_ATOMIC_NUMBERS * N_CHIRALITIES, width)
        self.layers = nn.ModuleList(GATv2Conv(width, width) for _ in range(layers))

    def states(self, x: GraphBatch) -> Tensor:
        """Return the states [N, width] of all atoms."""
        states, edges = self.atoms(x.atoms), edge_index(x)
        for layer in self.layers:
            states = states + torch.relu(layer(states, edges))
        return states

    def pool(self, states: Tensor, x: GraphBatch) -> Tensor:
        """Return the mean over each molecule's atoms, [B, width]."""
        return plain.molecule_mean(states, x)


def build(width: int, layers: int) -> GATv2:
    """Return the encoder."""
    return GATv2(width, layers)
