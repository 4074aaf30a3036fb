"""Graph convolutions with layer norm on the nodes of one graph: the encoder of L2T-MITTEN for nodes.

As appendix B.1 without the pooling. The paper does not say what nodes without features start from; `features`
chooses it: their degree, their random-walk structural encodings, an identity that is learned for each node,
or the vectors of the source. Degrees and encodings are standardised as those of the graph of training. A
learned identity is that of the node at a position, so it knows its own graph alone, in the order of training.
"""

from typing import Any

import torch
from torch import Tensor, nn

from relatask.core.errors import RelataskError
from relatask.inputs.node_batch import NodeBatch, NodeGraph
from relatask.inputs.node_graph import STEPS
from relatask.nn.contract import Between
from relatask.nn.stackable import Single, Stackable, together
from relatask.nn.task_gcn import TaskGCN

__all__ = ["CAPABILITIES", "build", "together"]

CAPABILITIES = {
    "summary": "graph convolutions with layer norm on nodes, as in L2T-MITTEN",
    "label": "GCN on nodes",
    "paper": "l2t_mitten",
    "inputs": ("node_graph",),
    "from_input": ("n_nodes", "n_features"),
    "microseconds": 10.0,
    "cost_options": ("layers", "width"),
    "twice_differentiable": True,
    "options": {"features": "random_walk", "width": 32, "layers": 2, "dropout": 0.0},
    "choices": {"features": ("random_walk", "degree", "identity", "vectors")},
    "limits": {"width": (1, 10_000), "layers": (1, 100), "dropout": (0.0, 0.99)},
    "space": {
        "width": {"least": 16, "greatest": 128, "log": True},
        "layers": {"least": 1, "greatest": 4},
        "dropout": {"least": 0.0, "greatest": 0.6},
    },
}


class NodeGCNs(Stackable):
    """T networks of one shape: B nodes in their graph -> [B, T, width]."""

    def __init__(self, n_tasks: int, features: str, n_inputs: int, width: int, layers: int, dropout: float):
        super().__init__()
        self.options: dict[str, Any] = {
            "features": features, "n_inputs": n_inputs, "width": width, "layers": layers, "dropout": dropout
        }  # fmt: skip
        self.features, self.width, self.depth = features, width, layers
        bound = 1.0 if features == "identity" else n_inputs**-0.5
        self.first = nn.Parameter(torch.empty(n_tasks, n_inputs, width).uniform_(-bound, bound))
        self.layers = TaskGCN(n_tasks, width, layers, dropout)

    def states(self, x: NodeBatch, between: Between | None = None) -> Tensor:
        """Return the states [B, T, width] of the nodes that are asked for, by a pass of the whole graph."""
        states = self.layers(self._nodes(x.graph), x.graph.adjacency, between, self.plain)
        found: Tensor = states[x.rows]
        return found

    def _nodes(self, graph: NodeGraph) -> Tensor:
        """Return the first states [N, T, width]."""
        if self.features == "identity":
            if not graph.is_own or len(graph) != self.first.shape[1]:
                raise RelataskError(
                    f"the network knows the {self.first.shape[1]} nodes of its own graph by their "
                    f"identities, and this is another graph, of {len(graph)} nodes; give its own, with the "
                    "same item_id and neighbours, or train with other `features`."
                )
            return self.first.transpose(0, 1)
        values = self._values(graph).to(self.first.dtype)
        states = values @ self.first.transpose(0, 1).flatten(1)
        return states.unflatten(1, (-1, self.width))

    def _values(self, graph: NodeGraph) -> Tensor:
        """Return what is known of nodes, [N, n_inputs]."""
        if self.features == "vectors":
            if graph.vectors is None or graph.vectors.shape[1] != self.first.shape[1]:
                raise RelataskError(
                    f"the network reads {self.first.shape[1]} numbers of each node, and this graph gives "
                    f"{0 if graph.vectors is None else graph.vectors.shape[1]}; give vectors of that length."
                )
            return graph.vectors
        return graph.standard_degrees if self.features == "degree" else graph.standard_encodings

    def pool(self, states: Tensor, x: NodeBatch) -> Tensor:
        """Return the states as float32 [B, T, width]."""
        return states if states.dtype == torch.float64 else states.float()


def build(
    n_nodes: int,
    n_features: int,
    features: str = "random_walk",
    width: int = 32,
    layers: int = 2,
    dropout: float = 0.0,
) -> Single:
    """Return the encoder, initialised from torch's global generator.

    Args:
        n_nodes: of the graph.
        n_features: numbers that the source gives of a node; 0 if none.
        features: what nodes start from.
        width: of states.
        layers: of the network.
        dropout: after each layer.
    """
    n_inputs = {"degree": 1, "identity": n_nodes, "vectors": n_features}.get(features, STEPS)
    if not n_inputs:
        raise RelataskError("node_gcn: the source gives no vectors of nodes; choose other `features`.")
    return Single(
        NodeGCNs(1, features=features, n_inputs=n_inputs, width=width, layers=layers, dropout=dropout)
    )
