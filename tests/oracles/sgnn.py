"""Eqs. 4-7, 11 and 17-20 of SGNN-EBM as they are written: loops over molecules, tasks, edges and labels.

Every MLP sees its concatenated input, batch norm all rows of the full grid, every edge has its states. Names
of parameters are those of the fast network; a network is described by its sizes and `edges`, pairs of tasks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

LABELS = (0, 1)
Rows = dict[tuple[int, ...], Tensor]  # (molecule, task) or (molecule, task, related task) -> vector


@dataclass
class Network:
    """Parameters and buffers of the fast one by name; after a call, `running` has the new statistics."""

    values: Mapping[str, Tensor]
    n_tasks: int
    edges: Sequence[tuple[int, int]]  # each pair once
    layers: int
    task_layers: int
    batch_norm: bool
    training: bool
    running: dict[str, Tensor] = field(default_factory=dict)

    def related(self, task: int) -> list[int]:
        """N(i)."""
        return sorted({j for i, j in self.edges if i == task} | {i for i, j in self.edges if j == task})

    def linear(self, name: str, x: Tensor) -> Tensor:
        bias = self.values.get(f"{name}.bias")
        y = self.values[f"{name}.weight"] @ x
        return y if bias is None else y + bias

    def norm(self, name: str, rows: Rows) -> Rows:
        """Batch norm over all rows; without rows nothing is normalised, and nothing remembered."""
        if not rows:
            return rows
        weight, bias = self.values[f"{name}.weight"], self.values[f"{name}.bias"]
        old_mean, old_var = self.values[f"{name}.running_mean"], self.values[f"{name}.running_var"]
        if not self.training:
            return {
                k: (row - old_mean) / torch.sqrt(old_var + 1e-5) * weight + bias for k, row in rows.items()
            }
        mean = sum(rows.values()) / len(rows)
        squares = sum((row - mean) ** 2 for row in rows.values())
        self.running[f"{name}.running_mean"] = 0.9 * old_mean + 0.1 * mean
        self.running[f"{name}.running_var"] = 0.9 * old_var + 0.1 * squares / (len(rows) - 1)
        deviation = torch.sqrt(squares / len(rows) + 1e-5)
        return {k: (row - mean) / deviation * weight + bias for k, row in rows.items()}

    def hidden(self, name: str, inputs: Rows) -> Rows:
        """The two hidden layers of MLP_n^(0) or MLP_e^(0)."""
        rows = inputs
        for number, layer in enumerate(("first", "second")):
            rows = {key: self.linear(f"{name}.{layer}", row) for key, row in rows.items()}
            if self.batch_norm:
                rows = self.norm(f"{name}.norms.{number}", rows)
            rows = {key: torch.relu(row) for key, row in rows.items()}
        return rows

    def task_embeddings(self) -> list[Tensor]:
        """Appendix C: a linear map of the embeddings, then graph convolutions with residuals."""
        z = [self.linear("tasks.first", row) for row in self.values["tasks.embedding"]]
        for layer in range(self.task_layers):
            if layer:
                z = [torch.relu(row) for row in z]
            updated = []
            for i in range(self.n_tasks):
                total = torch.zeros_like(z[i])
                for j in [i, *self.related(i)]:
                    both = (1 + len(self.related(i))) * (1 + len(self.related(j)))
                    total = total + self.linear(f"tasks.layers.{layer}", z[j]) / both**0.5
                updated.append(z[i] + total)
            z = updated
        return z


States = dict[tuple[int, ...], Tensor]  # (molecule, task, label) or (molecule, i, j, label i, label j) -> [d]


def states(network: Network, molecules: Tensor) -> tuple[list[States], list[States]]:
    """Node states and edge states of layers 0 to L; the last layer's edges only where the network has them.

    Args:
        network: to run.
        molecules: z(x) [B, width].
    """
    z, n = network.task_embeddings(), network.n_tasks
    pairs = [(i, j) for i in range(n) for j in network.related(i)]
    of_nodes = {(b, i): torch.cat([molecules[b], z[i]]) for b in range(len(molecules)) for i in range(n)}
    of_edges = {
        (b, i, j): torch.cat([molecules[b], z[i], z[j]]) for b in range(len(molecules)) for i, j in pairs
    }
    nodes: States = {}
    for key, row in network.hidden("node_mlp", of_nodes).items():
        for label, state in zip(LABELS, network.linear("node_states", row).chunk(2), strict=True):
            nodes[*key, label] = state
    edges: States = {}
    for key, row in network.hidden("edge_mlp", of_edges).items():
        chunks = iter(network.linear("edge_states", row).chunk(4))
        for label_i in LABELS:
            for label_j in LABELS:
                edges[*key, label_i, label_j] = next(chunks)
    all_nodes, all_edges = [nodes], [edges]
    for layer in range(network.layers):
        nodes, edges = layer_of(network, layer, nodes, edges)
        all_nodes.append(nodes)
        all_edges.append(edges)
    return all_nodes, all_edges


def layer_of(network: Network, layer: int, nodes: States, edges: States) -> tuple[States, States]:
    """Eqs. 19 and 20."""
    new_nodes, new_edges = {}, {}
    for (b, i, label), state in nodes.items():
        total = state
        for j in network.related(i):
            for other in LABELS:
                total = total + edges[b, i, j, label, other]
        new = network.linear(f"node_maps.{layer}", total)
        new_nodes[b, i, label] = torch.relu(new) if layer < network.layers - 1 else new
    if f"edge_maps.{layer}.weight" in network.values:
        for (b, i, j, label_i, label_j), state in edges.items():
            ends = nodes[b, i, label_i] + nodes[b, j, label_j]
            message = network.linear(f"end_maps.{layer}", ends)
            new_edges[b, i, j, label_i, label_j] = network.linear(f"edge_maps.{layer}", state + message)
    return new_nodes, new_edges


def readout(network: Network, name: str, x: Tensor) -> Tensor:
    """R of eqs. 7 and 11: linear maps 0, 2 and 4 of a sequence with ReLU between."""
    x = torch.relu(network.linear(f"{name}.0", x))
    x = torch.relu(network.linear(f"{name}.2", x))
    return network.linear(f"{name}.4", x)[0]


def read_layers(all_states: list[States]) -> list[States]:
    """Layers 1 to L, or the first states where there is no layer."""
    return all_states[1:] or all_states


def logits(network: Network, molecules: Tensor, head: str) -> Tensor:
    """f_i(x) of eq. 7, [B, T]."""
    layers = read_layers(states(network, molecules)[0])
    rows = []
    for b in range(len(molecules)):
        for i in range(network.n_tasks):
            both = [torch.cat([layer[b, i, label] for layer in layers]) for label in LABELS]
            rows.append(readout(network, head, torch.cat(both)))
    return torch.stack(rows).view(len(molecules), network.n_tasks)


def factors(
    network: Network, molecules: Tensor, node_head: str, edge_head: str | None
) -> tuple[Tensor, Tensor]:
    """f_i [B, T, 2] and f_ij [B, E, 2, 2] of eq. 11, log-softmax over labels; E is 0 without `edge_head`.

    A pair's state is the mean of its two directions'.
    """
    edges = network.edges if edge_head else ()
    all_nodes, all_edges = map(read_layers, states(network, molecules))
    n, batch = network.n_tasks, len(molecules)
    node, edge = torch.zeros(batch, n, 2).double(), torch.zeros(batch, len(edges), 2, 2).double()
    for b in range(batch):
        for i in range(n):
            for label in LABELS:
                state = torch.cat([layer[b, i, label] for layer in all_nodes])
                node[b, i, label] = readout(network, node_head, state)
        for e, (i, j) in enumerate(edges):
            for label_i in LABELS:
                for label_j in LABELS:
                    way = torch.cat([layer[b, i, j, label_i, label_j] for layer in all_edges])
                    back = torch.cat([layer[b, j, i, label_j, label_i] for layer in all_edges])
                    edge[b, e, label_i, label_j] = readout(network, edge_head, (way + back) / 2)
    return node.log_softmax(-1), edge.flatten(-2).log_softmax(-1).view(edge.shape)
