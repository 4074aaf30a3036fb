"""The graph isomorphism network of SGNN-EBM for molecules."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relatask.inputs.graph_batch import (
    N_ATOMIC_NUMBERS,
    N_BOND_DIRECTIONS,
    N_BOND_TYPES,
    N_CHIRALITIES,
    GraphBatch,
)
from relatask.nn import plain
from relatask.nn.contract import Encoder
from relatask.nn.gin_layer import KindSum, Linear, MoleculeMean, NeighbourSum, NormDropout, Padded

CAPABILITIES = {
    "summary": "graph isomorphism network with bond embeddings (Hu et al., 2019)",
    "label": "GIN",
    "paper": "sgnn_ebm",
    "inputs": ("graph",),
    "microseconds": 3000.0,
    "cost_options": ("layers", "width", "width"),
    # On CPU side by side takes longer than one after the other (docs/performance.md); GPUs are not measured.
    "side_by_side": {"cuda": 4096},
    "twice_differentiable": True,
    "options": {"width": 300, "layers": 5, "dropout": 0.2},
    "limits": {"width": (1, 10_000), "layers": (1, 100), "dropout": (0.0, 0.99)},
    "space": {
        "width": {"least": 64, "greatest": 512, "log": True},
        "layers": {"least": 2, "greatest": 6},
        "dropout": {"least": 0.0, "greatest": 0.5},
    },
}


def _embedding(*sizes: int, width: int) -> nn.Parameter:
    """Tables of `sizes` entries, each Xavier-uniform by itself, one below the other."""
    return nn.Parameter(torch.cat([nn.init.xavier_uniform_(torch.empty(size, width)) for size in sizes]))


class GINLayer(nn.Module):
    """Bond embeddings, an MLP width -> 2 width -> width, and batch norm."""

    running_mean: Tensor
    running_var: Tensor
    runs = 1  # networks side by side in the columns of states (`_stacked_gin`)

    def __init__(self, width: int):
        super().__init__()
        self.bonds = _embedding(N_BOND_TYPES, N_BOND_DIRECTIONS, width=width)
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width, bias=False)  # batch norm would take a bias away again
        self.norm_weight = nn.Parameter(torch.ones(width))
        self.norm_bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))

    def hidden(self, states: Tensor, x: Padded) -> Tensor:
        """Return the MLP's hidden units [N padded, 2 width] of atom states [N, width]."""
        total = NeighbourSum.apply(states, self.bonds, x)
        return self.linear(total, self.up.weight, self.up.bias)

    def first_hidden(self, atoms: Tensor, x: Padded) -> Tensor:
        """Return the hidden units of the first layer, where a state is the embedding of an atom's kind.

        The sum over neighbours moves behind the linear map, which then runs once for each of the
        133 embeddings (`atoms` [124, width] and the bonds') and not for each atom.
        """
        tables = torch.cat([atoms, self.bonds]).to(x.bond_counts.dtype)
        mapped = self.linear(tables, self.up.weight)
        numbers, chiralities, bonds = mapped.split([N_ATOMIC_NUMBERS, N_CHIRALITIES, len(self.bonds)])
        kinds = (numbers[:, None] + chiralities).flatten(0, 1)
        return (KindSum.apply(kinds, bonds, x) + self.up.bias.to(kinds.dtype)).relu_()

    def states(self, hidden: Tensor, n_atoms: int, relu: bool, dropout: float) -> Tensor:
        """Return the atoms' next states [N, width]; a single atom is normalised as in evaluation."""
        new = self.linear(hidden, self.down.weight)
        norm = (self.norm_weight, self.norm_bias, self.running_mean, self.running_var)
        return NormDropout.apply(new, n_atoms, *norm, self.training and n_atoms > 1, relu, dropout, self.runs)

    def plain(self, states: Tensor, x: GraphBatch, relu: bool, dropout: float) -> Tensor:
        """Return the atoms' next states [N, width] by operations that have second derivatives."""
        total = plain.neighbour_sum(states, self.bonds, x, x.bond_counts)
        new = F.linear(self.up(total).relu(), self.down.weight)
        norm = (self.norm_weight, self.norm_bias, self.running_mean, self.running_var)
        return plain.norm_dropout(new, *norm, self.training, relu, dropout)

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Map [n, k] with weight [m, k] to [n, m]; with a bias [m] also ReLU."""
        return Linear.apply(x, weight, bias, bias is not None)


class GIN(Encoder):
    """SGNN-EBM, appendix B: eq. 15 in each layer, eq. 16 to pool.

    As Hu et al. (2019): an atom is the sum of the embeddings of its number and chirality, each layer
    embeds bond types and directions anew, self loops have a bond type of their own, the states of the
    last layer are averaged. Runs in fp32, or in the type of `torch.autocast` with statistics in fp32.
    """

    def __init__(self, width: int, layers: int, dropout: float):
        super().__init__()
        self.width, self.dropout = width, dropout
        self.atoms = _embedding(N_ATOMIC_NUMBERS, N_CHIRALITIES, width=width)
        self.layers = nn.ModuleList(GINLayer(width) for _ in range(layers))

    def states(self, x: GraphBatch) -> Tensor:
        """Return the states [N, width] of the atoms of B molecules after the last layer."""
        if self.plain:
            return self._plain_states(x)
        device = x.atoms.device.type
        autocast = torch.is_autocast_enabled(device)
        dtype = torch.get_autocast_dtype(device) if autocast else self.atoms.dtype
        with torch.autocast(device, enabled=False):
            padded = Padded(x, dtype)
            states: Tensor = self.atoms  # of the kinds; the first layer spreads them over atoms
            for k, layer in enumerate(self.layers):
                assert isinstance(layer, GINLayer)
                hidden = layer.hidden(states, padded) if k else layer.first_hidden(states, padded)
                last = k == len(self.layers) - 1
                states = layer.states(hidden, padded.n_atoms, not last, self.dropout)
            return states

    def _plain_states(self, x: GraphBatch) -> Tensor:
        numbers, chiralities = self.atoms.split([N_ATOMIC_NUMBERS, N_CHIRALITIES])
        number = torch.div(x.atoms, N_CHIRALITIES, rounding_mode="floor")
        states = numbers[number] + chiralities[x.atoms % N_CHIRALITIES]
        for k, layer in enumerate(self.layers):
            assert isinstance(layer, GINLayer)
            states = layer.plain(states, x, k < len(self.layers) - 1, self.dropout)
        return states

    def pool(self, states: Tensor, x: GraphBatch) -> Tensor:
        """Return the mean over each molecule's atoms, float32 [B, width] (eq. 16)."""
        if self.plain:
            return plain.molecule_mean(states, x)
        with torch.autocast(x.atoms.device.type, enabled=False):
            mean: Tensor = MoleculeMean.apply(states, x)
            return mean.float()


def build(width: int = 300, layers: int = 5, dropout: float = 0.2) -> GIN:
    """Return the encoder, initialised from torch's global generator."""
    return GIN(width, layers, dropout)
