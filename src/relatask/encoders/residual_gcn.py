"""Graph convolutions with residual connections and rows of length 1: the encoder of SAME.

Layer l is h_l = r / |r| with r = ReLU(A h_(l-1) W_l + b_l) + h_(l-1), A the adjacency of Kipf and Welling
(2017, eq. 2); the first layer has nothing to add. The paper says 3 layers; width, residuals and lengths are
those of its released code, which also divides a node's attributes by their sum where that is above 1.
"""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from relatask.inputs.adjacency import Adjacency
from relatask.inputs.parts_batch import GRAPH, PAIR, PartsBatch, require_features
from relatask.nn.contract import Encoder
from relatask.nn.neighbour_sum import weighted_sum
from relatask.nn.unit_rows import UnitRows

CAPABILITIES = {
    "summary": "graph convolutions with residuals, as in SAME, on graphs, their nodes and pairs",
    "label": "GCN of SAME",
    "paper": "same",
    "inputs": ("graph_parts",),
    "from_input": ("n_features",),
    "microseconds": 25.0,
    "cost_options": ("layers", "width"),
    "twice_differentiable": True,
    "options": {"width": 256, "layers": 3, "residual": True, "unit_rows": True, "attributes": "shares"},
    "choices": {"attributes": ("shares", "given")},
    "limits": {"width": (1, 10_000), "layers": (1, 100)},
    "space": {
        "width": {"least": 64, "greatest": 512, "log": True},
        "layers": {"least": 2, "greatest": 5},
    },
}


class ResidualGCN(Encoder):
    """b graphs -> states [N, width] of their nodes; embeddings [B, width] of graphs, nodes and pairs."""

    def __init__(
        self, n_features: int, width: int, layers: int, residual: bool, unit_rows: bool, attributes: str
    ):
        super().__init__()
        self.width, self.residual, self.unit_rows, self.attributes = width, residual, unit_rows, attributes
        sizes = [n_features, *[width] * layers]
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(sizes))
        for layer in self.layers:
            assert isinstance(layer, nn.Linear)
            nn.init.xavier_uniform_(layer.weight)  # as torch-geometric's GCNConv
            nn.init.zeros_(layer.bias)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Refuse weights for other attributes: an encoder is made for those of the graphs at hand."""
        if (kept := state_dict.get(f"{prefix}layers.0.weight")) is not None:
            require_features(kept.shape[1], self.layers[0].in_features)  # type: ignore[arg-type]
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def states(self, x: PartsBatch) -> Tensor:
        """Return the states [N, width] of all nodes of the graphs."""
        dtype = next(self.parameters()).dtype
        graph = Adjacency.with_loops(x.source, x.receiver, len(x.vectors), dtype)
        states = self._attributes(x.vectors.to(dtype))
        for number, layer in enumerate(self.layers):
            added = states if self.residual and number else None
            mapped = layer(weighted_sum(states, graph))
            if self.unit_rows:
                states = UnitRows.apply(mapped, added)
            else:
                states = mapped.relu() if added is None else mapped.relu() + added
        return states

    def _attributes(self, vectors: Tensor) -> Tensor:
        if self.attributes == "given":
            return vectors
        return vectors / vectors.sum(1, keepdim=True).clamp(min=1)

    def pool(self, states: Tensor, x: PartsBatch) -> Tensor:
        """Return the embeddings [B, width]: of a graph its nodes' mean, of a pair their product."""
        sums = torch.zeros(x.n_graphs, self.width, dtype=states.dtype, device=states.device)
        means = sums.index_add(0, x.graph, states) / x.node_offsets.diff().clamp(min=1)[:, None]
        everything = torch.cat([means, states])
        first, second = (x.parts + torch.where(x.level == GRAPH, 0, x.n_graphs)[:, None]).unbind(1)
        found = everything[first]
        found = torch.where((x.level == PAIR)[:, None], found * everything[second], found)
        return found if found.dtype == torch.float64 else found.float()


def build(
    n_features: int,
    width: int = 256,
    layers: int = 3,
    residual: bool = True,
    unit_rows: bool = True,
    attributes: str = "shares",
) -> ResidualGCN:
    """Return the encoder, initialised from torch's global generator.

    Args:
        n_features: attributes of a node.
        width: of states.
        layers: of the network.
        residual: whether each layer but the first adds what it reads.
        unit_rows: whether states have length 1.
        attributes: "shares": divided by their sum where that is above 1; or as "given".
    """
    return ResidualGCN(n_features, width, layers, residual, unit_rows, attributes)
