"""One encoder of nodes, and a head for each level: graphs, nodes, pairs of nodes (section 4.2)."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from relatask.core.errors import RelataskError
from relatask.inputs.parts_batch import GRAPH, NODE, PAIR, PartsBatch, require_features
from relatask.methods.same.episodes import LEVELS
from relatask.methods.same.readout import Readout
from relatask.nn.contract import Encoder, MultiTaskModel, TaskContext
from relatask.nn.kinds import KindOutputs, TaskKinds

TINY = 1e-8  # the released code keeps probabilities of links this far from 0 and 1


class GraphHead(nn.Module):
    """States [N, w] of nodes -> outputs [B, C] of graphs that are asked for, by a sum over their nodes."""

    def __init__(self, width: int, n_outputs: int):
        super().__init__()
        self.inner, self.outer = nn.Linear(width, width), nn.Linear(width, n_outputs)

    def forward(self, states: Tensor, x: PartsBatch) -> Tensor:
        """Return the outputs."""
        inner = self.inner(states).relu()
        summed = inner.new_zeros(x.n_graphs, inner.shape[1]).index_add(0, x.graph, inner)
        outputs: Tensor = self.outer(summed[x.parts[:, 0]])
        return outputs


class NodeHead(nn.Module):
    """States [N, w] of nodes -> outputs [B, C] of those that are asked for."""

    def __init__(self, width: int, n_outputs: int):
        super().__init__()
        self.outer = nn.Linear(width, n_outputs)

    def forward(self, states: Tensor, x: PartsBatch) -> Tensor:
        """Return the outputs."""
        outputs: Tensor = self.outer(states[x.parts[:, 0]])
        return outputs


class PairHead(nn.Module):
    """States [N, w] of nodes -> logits [B, C] of pairs; both ends pass one map and stand side by side.

    Nothing bends between the two maps, so they are multiplied first: a node gives C numbers as a first end
    and C as a second one, and no pair has a vector.
    """

    def __init__(self, width: int, n_outputs: int):
        super().__init__()
        self.inner, self.outer = nn.Linear(width, width), nn.Linear(2 * width, n_outputs)

    def forward(self, states: Tensor, x: PartsBatch) -> Tensor:
        """Return the logits."""
        width = self.inner.out_features
        by_end = self.outer.weight.unflatten(1, (2, width)).transpose(0, 1).flatten(0, 1)  # [2 C, w]
        said = F.linear(states, by_end @ self.inner.weight, by_end @ self.inner.bias)  # [N, 2 C]
        first, second = said.chunk(2, 1)
        return first[x.parts[:, 0]] + second[x.parts[:, 1]] + self.outer.bias


HEADS: dict[int, Any] = {GRAPH: GraphHead, NODE: NodeHead, PAIR: PairHead}
NAMES = {level: name for name, level in LEVELS.items()}


class Nodes(nn.Module):
    """The states of nodes of an encoder, as a module of its own for `torch.func.functional_call`."""

    def __init__(self, encoder: Encoder):
        super().__init__()
        self.encoder, self.width = encoder, encoder.state_width

    def forward(self, x: PartsBatch) -> Tensor:
        """Return the states [N, w]."""
        return self.encoder.states(x)


class Attributes(nn.Module):
    """The attributes of nodes as their states: what an encoder starts from."""

    def __init__(self, width: int):
        super().__init__()
        self.width = width

    def forward(self, x: PartsBatch) -> Tensor:
        """Return the attributes [N, d]."""
        return x.vectors


class LevelNetwork(MultiTaskModel):
    """Encoder and heads of the levels that have tasks, and the linear classifiers of its embeddings.

    Args:
        levels: of each task: graph, node or pair; pairs have one task: whether there is an edge.
        kinds: of the tasks.
        nodes: graphs -> states of their nodes, with the attribute `width`.
        released: whether links are trained through a second sigmoid, as in SAME's released code.
        own: such modules of levels that may have their own, by level.

    Raises:
        RelataskError: a level is another one, or pairs have another task.
    """

    def __init__(
        self,
        levels: Sequence[str],
        kinds: TaskKinds,
        nodes: nn.Module,
        released: bool,
        own: Mapping[str, nn.Module] | None = None,
    ):
        super().__init__()
        self.released = released
        self.apart = own is not None  # whether levels read their own modules
        if strange := [level for level in levels if level not in LEVELS]:
            raise RelataskError(
                f"SAME learns tasks of graphs, nodes and pairs of nodes, and there is one of level "
                f"{strange[0]!r}; use a source that has these levels, e.g. tudataset."
            )
        self.nodes, self.own = nodes, nn.ModuleDict(own or {})
        width = int(nodes.width)  # type: ignore[arg-type]
        self.heads, self.outputs = nn.ModuleDict(), nn.ModuleDict()
        self.readouts = nn.ModuleDict()  # linear classifiers, fitted once the encoder is trained
        self.columns: dict[int, list[int]] = {}
        self.kinds: dict[str, TaskKinds] = {}
        for level, name in NAMES.items():
            columns = [place for place, one in enumerate(levels) if one == name]
            if not columns:
                continue
            if level == PAIR and (len(columns) > 1 or kinds.kinds[columns[0]] != "binary"):
                raise RelataskError("SAME has one task of pairs: whether there is an edge between two nodes.")
            self.columns[level] = columns
            own_kinds = TaskKinds(
                tuple(kinds.kinds[place] for place in columns),
                tuple(kinds.n_outputs[place] for place in columns),
                kinds.mean[columns],
                kinds.deviation[columns],
            )
            self.kinds[name] = own_kinds
            self.outputs[name] = KindOutputs(own_kinds)
            n_outputs = sum(own_kinds.n_outputs)
            self.heads[name] = HEADS[level](width, n_outputs)
            self.readouts[name] = Readout(width * (2 if level == PAIR else 1), own_kinds)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Refuse linear classifiers of attributes of another number."""
        for name, readout in self.readouts.items():
            kept, ends = state_dict.get(f"{prefix}readouts.{name}.mean"), 2 if name == NAMES[PAIR] else 1
            if kept is not None and isinstance(readout, Readout):
                require_features(len(kept) // ends, len(readout.mean) // ends)
        super()._load_from_state_dict(state_dict, prefix, *rest)

    @property
    def levels(self) -> list[int]:
        """The levels that have tasks."""
        return list(self.columns)

    @classmethod
    def of(cls, context: TaskContext, released: bool, own_encoders: bool = False) -> "LevelNetwork":
        """Return the network of a run; with `own_encoders` each level has one besides the shared one."""
        nodes = Nodes(context.encoder())
        own = None
        if own_encoders:
            own = {name: Nodes(context.encoder(name)) for name in LEVELS if name in context.levels}
        kinds = TaskKinds.binary(len(context.task_ids)) if context.kinds is None else context.kinds
        return cls(context.levels, kinds, nodes, released, own)

    def states(self, x: PartsBatch, level: int) -> Tensor:
        """Return the states [N, w] of nodes that a level reads."""
        module = self.own[NAMES[level]] if self.apart and NAMES[level] in self.own else self.nodes
        states: Tensor = module(x)
        return states

    def part(self) -> None:
        """Let each level go on from the shared states by a module of its own."""
        for module in self.own.values():
            module.load_state_dict(self.nodes.state_dict())
        self.apart = True

    def head(self, level: int) -> nn.Module:
        """Return the head of a level."""
        return self.heads[NAMES[level]]

    def readout(self, level: int) -> Readout:
        """Return the linear classifier of a level."""
        found = self.readouts[NAMES[level]]
        assert isinstance(found, Readout)
        return found

    def loss(self, level: int, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss of the tasks of a level; labels [B, t] are NaN where not known."""
        if level == PAIR and self.released:
            chance = outputs.sigmoid().clamp(TINY, 1 - TINY)
            return F.binary_cross_entropy_with_logits(chance, labels)
        own = self.outputs[NAMES[level]]
        assert isinstance(own, KindOutputs)
        present = (~labels.isnan().all(0)).sum().clamp(min=1)
        return own.losses(outputs, labels).sum() / present

    def level_scores(self, level: int, outputs: Tensor) -> Tensor:
        """Return what is saved of outputs of a level, float32 [B, t]."""
        own = self.outputs[NAMES[level]]
        assert isinstance(own, KindOutputs)
        return own.scores(outputs)


def features(states: Tensor, x: PartsBatch, level: int) -> Tensor:
    """Return what a linear classifier reads of nodes' states [N, w]: as released with SAME.

    That is the mean over its nodes for a graph, the state of a node, and both ends' states for a pair: [B, w]
    or [B, 2 w].
    """
    if level == GRAPH:
        sums = states.new_zeros(x.n_graphs, states.shape[1]).index_add(0, x.graph, states)
        return (sums / x.node_offsets.diff().clamp(min=1)[:, None])[x.parts[:, 0]]
    return states[x.parts[:, 0]] if level == NODE else states[x.parts].flatten(1)
