"""Multi-task episodes of SAME (section 4.1): for each level a support and a target in some graphs.

Support and target are like training and validation. The shares are those of the released code: of graphs 0.6,
of each class of a graph's nodes 0.3, of a graph's edges 0.8 make the support. All is drawn by index
operations, without a loop over graphs, nodes or edges.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from relatask.engine.problem import Problem
from relatask.inputs.node_pairs import EdgeSet, ranks
from relatask.inputs.parts_batch import GRAPH, NODE, PAIR, GraphParts, PartsBatch
from relatask.inputs.ragged import ragged

LEVELS = {"graph": GRAPH, "node": NODE, "pair": PAIR}
SUPPORT = {GRAPH: 0.6, NODE: 0.3, PAIR: 0.8}  # shares


@dataclass(frozen=True)
class Asked:
    """What is asked in some graphs at one level, and the answers."""

    x: PartsBatch
    labels: Tensor  # float32 [B, t] of the t tasks of the level, NaN where not known


@dataclass(frozen=True)
class Episode:
    """Support and target of one level."""

    level: int
    support: Asked
    target: Asked
    same_graphs: bool  # whether both are asked in the same graphs with the same edges


@dataclass(frozen=True)
class LevelLabels:
    """The labels of training, by level; of pairs the edges themselves are the labels."""

    graphs: Tensor  # float32 [G, t]
    nodes: Tensor  # float32 [N, t]
    strata: Tensor  # int64 [N]: class of a node by the first task of nodes, -1 where there is none

    @classmethod
    def of(cls, problem: Problem, parts: GraphParts, fold: str) -> "LevelLabels":
        """Gather the labels of a fold."""
        rows = problem.rows(fold)
        labels = problem.labels(rows, fold)
        found = {}
        for level, count in ((GRAPH, len(parts.node_offsets) - 1), (NODE, len(parts.vectors))):
            own = parts.level[rows] == level
            columns = columns_of(problem, level)
            table = labels.new_full((count, len(columns)), torch.nan)
            table[parts.place[rows[own]]] = labels[own][:, columns]
            found[level] = table
        nodes = found[NODE]
        first = nodes[:, 0] if nodes.shape[1] else nodes.new_full((len(nodes),), torch.nan)
        return cls(found[GRAPH], nodes, first.nan_to_num(-1.0).long())


def columns_of(problem: Problem, level: int) -> Tensor:
    """Return the positions among the problem's tasks of those of a level, int64 [t]."""
    own = [LEVELS.get(problem.data.tasks[column].level) == level for column in problem.columns.tolist()]
    return torch.tensor(own, device=problem.columns.device).nonzero()[:, 0]


class Drawer:
    """Draws episodes from graphs.

    Args:
        parts: the graphs.
        labels: of their items.
        first: whether what comes first makes the support, as released with SAME; else it is drawn.
    """

    def __init__(self, parts: GraphParts, labels: LevelLabels, first: bool = False):
        self.parts, self.labels, self.first = parts, labels, first
        self.generator: torch.Generator | None = None

    def draw(self, level: int, graphs: Tensor, generator: torch.Generator) -> Episode | None:
        """Return the episode of a level in the graphs at numbers `graphs` (int64 [n]).

        None: support or target would be empty, e.g. in a single graph whose class is asked for.
        """
        if not len(graphs):
            return None
        self.generator = None if self.first else generator
        draw = {GRAPH: self._graphs, NODE: self._nodes, PAIR: self._pairs}[level]
        episode = draw(graphs)
        return episode if min(len(episode.support.labels), len(episode.target.labels)) else None

    def _key(self, n: int) -> Tensor | None:
        if self.generator is None:
            return None
        return torch.rand(n, generator=self.generator).to(self.parts.level.device)

    def _graphs(self, graphs: Tensor) -> Episode:
        """The first graphs against the others; their order was drawn."""
        count = int(SUPPORT[GRAPH] * len(graphs) + 1e-9)
        support, target = (
            Asked(whole(self.parts.graphs(own)), self.labels.graphs[own])
            for own in (graphs[:count], graphs[count:])
        )
        return Episode(GRAPH, support, target, same_graphs=False)

    def _nodes(self, graphs: Tensor) -> Episode:
        """Some nodes of each class of each graph against the others, of those that have a label."""
        x, nodes = self.parts.graphs(graphs), self.nodes_of(graphs)
        known = (~self.labels.nodes[nodes].isnan().all(1)).nonzero()[:, 0]
        strata = self.labels.strata[nodes[known]]
        group = x.graph[known] * (int(self.labels.strata.max()) + 2) + strata + 1
        most = (SUPPORT[NODE] * torch.bincount(group) + 1e-9).long()
        chosen = ranks(group, self._key(len(known))) < most[group]
        support, target = (
            Asked(at_nodes(x, own), self.labels.nodes[nodes[own]]) for own in (known[chosen], known[~chosen])
        )
        return Episode(NODE, support, target, same_graphs=True)

    def nodes_of(self, graphs: Tensor) -> Tensor:
        """Return the numbers of the nodes of graphs, int64 [n]."""
        nodes, _, _ = ragged(self.parts.node_offsets, graphs)
        return nodes

    def _pairs(self, graphs: Tensor) -> Episode:
        """Some edges of each graph, which alone carry messages, against the others; as many other pairs."""
        x = self.parts.graphs(graphs)
        ends = torch.stack([x.source, x.receiver], 1)[x.source < x.receiver]
        ends = ends[(ends[:, 0] * len(x.vectors) + ends[:, 1]).argsort()]
        edges = EdgeSet(ends, x.graph[ends[:, 0]], x.node_offsets)
        counts = torch.minimum(edges.counts, edges.other_counts)
        other_graph, others = edges.drawn_others(counts, self.generator)
        chosen = self._support_of(edges.graph, edges.counts)
        chosen_others = self._support_of(other_graph, counts)
        messages = x.with_edges(_is_among(x, ends[chosen]))
        support, target = (
            _links(messages, ends[own], others[other])
            for own, other in ((chosen, chosen_others), (~chosen, ~chosen_others))
        )
        return Episode(PAIR, support, target, same_graphs=True)

    def _support_of(self, group: Tensor, counts: Tensor) -> Tensor:
        """Return which entries of groups of `counts` entries are the support."""
        most = (SUPPORT[PAIR] * counts + 1e-9).long()
        return ranks(group, self._key(len(group))) < most[group]


def _links(x: PartsBatch, edges: Tensor, others: Tensor) -> Asked:
    """Ask for pairs with an edge and for others without, int64 [k, 2] each."""
    labels = torch.cat([x.vectors.new_ones(len(edges)), x.vectors.new_zeros(len(others))])
    return Asked(at_pairs(x, torch.cat([edges, others])), labels[:, None])


def _is_among(x: PartsBatch, ends: Tensor) -> Tensor:
    """Return which directed edges of a batch are one of the edges `ends`, bool [E]."""
    n = len(x.vectors)
    low, high = torch.minimum(x.source, x.receiver), torch.maximum(x.source, x.receiver)
    return torch.isin(low * n + high, ends[:, 0] * n + ends[:, 1])


def whole(x: PartsBatch) -> PartsBatch:
    """Return graphs that are each asked for themselves."""
    numbers = torch.arange(x.n_graphs, device=x.graph.device)
    return replace(x, level=torch.full_like(numbers, GRAPH), parts=torch.stack([numbers, numbers], 1))


def at_nodes(x: PartsBatch, nodes: Tensor) -> PartsBatch:
    """Return graphs that are asked for nodes, int64 [B]."""
    return replace(x, level=torch.full_like(nodes, NODE), parts=torch.stack([nodes, nodes], 1))


def at_pairs(x: PartsBatch, ends: Tensor) -> PartsBatch:
    """Return graphs that are asked for pairs of nodes, int64 [B, 2]."""
    return replace(x, level=torch.full_like(ends[:, 0], PAIR), parts=ends)
