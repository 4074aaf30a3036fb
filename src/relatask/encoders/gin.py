"""The graph isomorphism network of the paper for molecules."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relatask.data.graph_batch import N_ATOMIC_NUMBERS, N_BOND_KINDS, N_CHIRALITIES, GraphBatch

CAPABILITIES = {
    "summary": "graph isomorphism network with bond embeddings (Hu et al., 2019)",
    "label": "GIN",
    "paper": "liu2022sgnnebm",
    "inputs": ("graph",),
    "microseconds": 4000.0,
    "options": {"width": 300, "layers": 5, "dropout": 0.2},
}


class GIN(nn.Module):
    """SGNN-EBM, appendix B: eq. 15 in each layer, eq. 16 to pool. GraphBatch of B molecules -> [B, width]."""

    def __init__(self, width: int, layers: int, dropout: float):
        super().__init__()
        self.width, self.dropout = width, dropout
        self.atomic_number = nn.Parameter(nn.init.xavier_uniform_(torch.empty(N_ATOMIC_NUMBERS, width)))
        self.chirality = nn.Parameter(nn.init.xavier_uniform_(torch.empty(N_CHIRALITIES, width)))
        self.bonds = nn.ParameterList(torch.empty(N_BOND_KINDS, width) for _ in range(layers))
        for table in self.bonds:
            nn.init.xavier_uniform_(table[:6])
            nn.init.xavier_uniform_(table[6:])
        self.up = nn.ModuleList(nn.Linear(width, 2 * width) for _ in range(layers))
        self.down = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(layers))
        self.norm = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(layers))

    def forward(self, x: GraphBatch) -> Tensor:
        """Encode the molecules of a batch as [B, width]."""
        z = self.atomic_number[x.atoms // N_CHIRALITIES] + self.chirality[x.atoms % N_CHIRALITIES]
        receivers = torch.repeat_interleave(x.neighbour_offsets.diff().long())
        for k in range(len(self.up)):
            z = torch.zeros_like(z).index_add(0, receivers, z[x.neighbours]) + x.bond_counts @ self.bonds[k]
            z = self.norm[k](self.down[k](torch.relu(self.up[k](z))).float())
            if k < len(self.up) - 1:
                z = torch.relu(z)
            z = F.dropout(z, self.dropout, self.training)
        sizes = x.molecule_offsets.diff().unsqueeze(1)
        return z.new_zeros(len(x), self.width).index_add(0, x.molecules, z) / sizes


def build(width: int = 300, layers: int = 5, dropout: float = 0.2) -> GIN:
    """Return the encoder, initialised from torch's global generator."""
    return GIN(width, layers, dropout)
