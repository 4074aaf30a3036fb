"""SGNN written out: concatenated inputs, a row for each molecule and directed edge, states of every edge."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relatask.methods.sgnn.layers import SGNNSettings, readout
from relatask.methods.sgnn.relations import Relations, TaskGCN
from relatask.nn.contract import Encoder, TaskContext
from relatask.nn.losses import task_losses


def mlp(n_in: int, width: int, n_out: int, dropout: float) -> nn.Sequential:
    """Linear, batch norm, ReLU, dropout, twice; then linear."""
    layers: list[nn.Module] = []
    for a, b in ((n_in, 2 * width), (2 * width, width)):
        layers += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(width, n_out))


class PlainSGNN(nn.Module):
    """x of B items -> logits [B, T]; node states are [B, T, 2, d], edge states [B, E, 2, 2, d]."""

    def __init__(self, encoder: Encoder, context: TaskContext, settings: SGNNSettings):
        super().__init__()
        d, self.settings, self.encoder = settings.state_width, settings, encoder
        self.relations = Relations(context, settings.least_score)
        self.tasks = TaskGCN(context, settings.task_width, settings.task_layers, settings.dropout)
        n_in = encoder.width + settings.task_width
        self.node_mlp = mlp(n_in, settings.node_width, 2 * d, settings.dropout)
        self.edge_mlp = mlp(n_in + settings.task_width, settings.edge_width, 4 * d, settings.dropout)
        layers = range(settings.layers)
        self.node_maps = nn.ModuleList(nn.Linear(d, d) for _ in layers)
        self.edge_maps = nn.ModuleList(nn.Linear(d, d) for _ in layers)
        self.end_maps = nn.ModuleList(nn.Linear(d, d) for _ in layers)
        self.readout = readout(2 * d * settings.layers, settings.readout_width)

    def forward(self, items: object) -> Tensor:
        m, z, graph = self.encoder(items), self.tasks(self.relations), self.relations
        n, d = len(m), self.settings.state_width
        nodes = torch.cat([m[:, None].expand(-1, len(z), -1), z.expand(n, -1, -1)], -1).flatten(0, 1)
        ends = torch.cat([z[graph.owner], z[graph.other]], -1)
        edges = torch.cat([m[:, None].expand(-1, len(ends), -1), ends.expand(n, -1, -1)], -1).flatten(0, 1)
        x = self.node_mlp(nodes).view(n, -1, 2, d)
        h = self.edge_mlp(edges).view(n, -1, 2, 2, d)
        states = []
        for layer in range(self.settings.layers):
            total = torch.zeros_like(x).index_add(1, graph.owner, h.sum(3))
            following = self.node_maps[layer](x + total)
            if layer < self.settings.layers - 1:
                following = F.dropout(following.relu(), self.settings.dropout, self.training)
                pair = x[:, graph.owner, :, None] + x[:, graph.other, None]
                h = self.edge_maps[layer](h + self.end_maps[layer](pair))
            x = following
            states.append(x)
        return self.readout(torch.cat(states, -1).flatten(2))[..., 0]

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        return task_losses(logits, labels)
