"""The network of SGNN (eqs. 4-6, 17-20) up to the readout.

Edges stay linear, so their states are never made. With M_i(y_i) the sum of the states of i's edges over j and
y_j, and n_i twice the number of tasks related to i (there are two labels y_j), eqs. 19 and 20 are

    x_i' = W_n (x_i + M_i),    M_i' = W_e (M_i + W_a (n_i x_i + Σ_j Σ_y_j x_j) + n_i b_a) + n_i b_e.

The "MLPs" of both are linear maps, and nodes but not edges get ReLU and dropout between layers, as in the
authors' code. Node states are [T, B, 2, d]: tasks, items, labels, width.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relatask.methods.sgnn.grid import Columns
from relatask.methods.sgnn.grid_mlp import GridMLP
from relatask.methods.sgnn.relations import Relations, TaskGCN
from relatask.nn.contract import TaskContext


@dataclass(frozen=True)
class SGNNSettings:
    """Sizes of the network; an MLP `w` wide has hidden layers of 2 w and w units, as the authors' have."""

    layers: int  # L
    state_width: int  # d
    task_width: int  # d_t
    task_layers: int
    task_pretraining: int  # epochs of link prediction for the embeddings of tasks
    node_width: int
    edge_width: int
    readout_width: int
    dropout: float
    batch_norm: bool
    least_score: float


def readout(n_in: int, width: int) -> nn.Sequential:
    """Return the MLP [.., n_in] -> [.., 1] of eqs. 7 and 11."""
    first, second = nn.Linear(n_in, 2 * width), nn.Linear(2 * width, width)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Linear(width, 1))


class EdgeReading(NamedTuple):
    """r linear readings of edge states, as readings of what these states are made of."""

    own: Tensor  # [r, d]: of h_ij^(0)
    ends: list[Tensor]  # [r, d] each: of x_i^(l) + x_j^(l) for l = 0, 1, ...
    constant: Tensor  # [r]


class States(NamedTuple):
    """What the readouts of nodes and edges see."""

    nodes: Tensor  # [T, B, 2, d L]: the states of layers 1 to L side by side
    ends: Tensor | None  # [T, B, 2, r]: what a task adds to the readings of its edges
    edges: Tensor | None  # [2 P, B, 2, 2, r]: the rest of these readings, by y_i and y_j


class SGNN(nn.Module):
    """From embeddings of items to node states, and to readings of edge states where they are asked for.

    Args:
        item_width: of the embeddings.
        context: the tasks.
        settings: sizes.
        reads_edges: whether the last layer has edge states, which nodes no longer see.
    """

    def __init__(self, item_width: int, context: TaskContext, settings: SGNNSettings, reads_edges: bool):
        super().__init__()
        self.settings, d, layers = settings, settings.state_width, settings.layers
        rates = (settings.dropout, settings.batch_norm)
        self.relations = Relations(context, settings.least_score)
        self.tasks = TaskGCN(context, settings.task_width, settings.task_layers, settings.dropout)
        self.tasks.train_links(self.relations, settings.task_pretraining, context)
        self.node_mlp = GridMLP([item_width, settings.task_width], settings.node_width, *rates)
        self.edge_mlp = GridMLP([item_width, *[settings.task_width] * 2], settings.edge_width, *rates)
        self.node_states = nn.Linear(settings.node_width, 2 * d)
        self.edge_states = nn.Linear(settings.edge_width, 4 * d)
        n_edge_maps = layers if reads_edges else max(layers - 1, 0)
        self.node_maps = nn.ModuleList(nn.Linear(d, d) for _ in range(layers))  # W_n
        self.edge_maps = nn.ModuleList(nn.Linear(d, d) for _ in range(n_edge_maps))  # W_e
        self.end_maps = nn.ModuleList(nn.Linear(d, d) for _ in range(n_edge_maps))  # W_a
        self.state_width = d * max(layers, 1)  # without layers the states h^(0) are read
        self.has_edges = bool(self.relations.pairs.shape[1])
        if not self.has_edges:  # drawn all the same: the rest starts as in a row with a graph
            del self.edge_mlp, self.edge_states, self.edge_maps, self.end_maps

    def forward(self, items: Tensor, reading: Tensor | None = None) -> States:
        """Return the states.

        Args:
            items: z(x) [B, item width].
            reading: linear readings of an edge's states of layers 1 to L side by side, [r, d L]; None where
                there are no relations.
        """
        z, relations, d = self.tasks(self.relations), self.relations, self.settings.state_width
        every = torch.arange(relations.n_tasks, device=z.device)
        nodes, _ = self.node_mlp(items, [z], Columns(every, relations.n_tasks))
        x = self.node_states(nodes).unflatten(-1, (2, d))
        if not self.has_edges:
            xs = self._pass_messages(x, None)
            return States(torch.cat(xs[1:] or xs, -1), None, None)
        folded = None if reading is None else self.fold(reading)
        ends = [z[relations.owner], z[relations.other]]
        heads, constant = (None, None) if folded is None else self._heads(folded)
        columns = Columns(relations.owner, relations.n_tasks)
        total, edges = self.edge_mlp(items, ends, columns, heads)
        xs = self._pass_messages(x, self._incident(total))
        states = torch.cat(xs[1:] or xs, -1)
        if folded is None or edges is None:
            return States(states, None, None)
        parts = [F.linear(x, weight) for x, weight in zip(xs, folded.ends, strict=False)]
        at_ends = torch.stack(parts).sum(0) if parts else x.new_zeros(*x.shape[:3], len(folded.constant))
        return States(states, at_ends, edges.unflatten(-1, (2, 2, -1)) + constant)

    def _incident(self, total: Tensor) -> Tensor:
        """Return M_i^(0) [T, B, 2, d] from the second hidden layer summed over i's edges [T, B, width]."""
        d = self.settings.state_width
        weight, bias = self.edge_states.weight.view(2, 2, d, -1), self.edge_states.bias.view(2, 2, d)
        m = F.linear(total, weight.sum(1).flatten(0, 1)).unflatten(-1, (2, d))
        return m + self._count() / 2 * bias.sum(1)

    def _count(self) -> Tensor:
        """Return n_i, [T, 1, 1, 1]."""
        return 2 * self.relations.degree[:, None, None, None]

    def _pass_messages(self, x: Tensor, m: Tensor | None) -> list[Tensor]:
        """Return the node states of layers 0 to L; `m` is None where there are no relations."""
        xs, count = [x], self._count()
        for layer, node_map in enumerate(self.node_maps):
            following = node_map(x if m is None else x + m)
            if layer < len(self.node_maps) - 1:
                following = F.dropout(following.relu(), self.settings.dropout, self.training)
                if m is not None:
                    ends = count * x + self.relations.neighbours(x.sum(2))[:, :, None]
                    m = _mapped(self.edge_maps[layer], m + _mapped(self.end_maps[layer], ends, count), count)
            x = following
            xs.append(x)
        return xs

    def fold(self, reading: Tensor) -> EdgeReading:
        """Return `reading` [r, d L] of all layers, eq. 20 put in from the last layer to the first."""
        if not len(self.edge_maps):
            return EdgeReading(reading, [], reading.new_zeros(len(reading)))
        constant, ends = reading.new_zeros(len(reading)), []
        carried = torch.zeros_like(reading[:, : self.settings.state_width])
        layers = zip(reading.split(self.settings.state_width, 1), self.edge_maps, self.end_maps, strict=True)
        for own, edge_map, end_map in reversed(list(layers)):
            carried = own + carried
            constant = constant + carried @ edge_map.bias
            carried = carried @ edge_map.weight
            constant = constant + carried @ end_map.bias
            ends.append(carried @ end_map.weight)
        return EdgeReading(carried, ends[::-1], constant)

    def _heads(self, folded: EdgeReading) -> tuple[Tensor, Tensor]:
        """Return readings of the edge MLP's second hidden layer [4 r, width], and constants [2, 2, r]."""
        d = self.settings.state_width
        weight, bias = self.edge_states.weight.view(2, 2, d, -1), self.edge_states.bias.view(2, 2, d)
        heads = torch.einsum("rd,ijdm->ijrm", folded.own, weight).flatten(0, 2)
        return heads, F.linear(bias, folded.own) + folded.constant


def _mapped(linear: nn.Module, total: Tensor, count: Tensor) -> Tensor:
    """Return the sum of `linear` over `count` states whose sum is `total`."""
    assert isinstance(linear, nn.Linear)
    return F.linear(total, linear.weight) + count * linear.bias
