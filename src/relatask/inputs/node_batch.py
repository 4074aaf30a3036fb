"""A graph whose nodes are the items, as flat tensors; a batch is the graph and the nodes that are asked for.

A node's prediction reads its neighbours, theirs, and so on: a few layers reach most of the graph. So the
graph is on the device once and whole, and a pass costs what the graph costs, whatever nodes it is for.

All nodes and edges are there in training, whatever labels are held out. A trained model keeps what it must
know of them: by which mean and deviation features were standardised, and which graph it was.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.inputs.adjacency import Adjacency
from relatask.inputs.fitted import FittedInput

KEPT = {"digest": str, "n_nodes": int, "n_features": int, "degrees": list, "encodings": list}


@dataclass(frozen=True)
class NodeGraph(FittedInput):
    """All N nodes of a graph of E edges on one device; each edge is there in both directions."""

    offsets: Tensor  # int64 [N + 1]: node n has the neighbours [offset n, offset n + 1)
    neighbours: Tensor  # int64 [2 E]: positions of nodes, rising within a node; no self loops, none twice
    degrees: Tensor  # int64 [N]: number of neighbours
    encodings: Tensor  # float32 [N, k]: chance of a random walk to be back after 1 ... k steps
    vectors: Tensor | None = None  # float32 [N, d], what the source says of nodes; None: nothing
    trained_on: dict[str, Any] | None = None  # the `learned` of the graph of training; None: it is this one

    reads_all = True  # a pass for some nodes costs as much as one for all, see `PreparedDataset.passes`

    def __len__(self) -> int:
        """Number of nodes."""
        return len(self.degrees)

    @property
    def n_nodes(self) -> int:
        """Number of nodes of the graph of training, for encoders that learn something of each."""
        return len(self) if self.trained_on is None else int(self.trained_on["n_nodes"])

    @property
    def n_features(self) -> int:
        """How many numbers the source gave of a node in training."""
        if self.trained_on is not None:
            return int(self.trained_on["n_features"])
        return 0 if self.vectors is None else self.vectors.shape[1]

    @property
    def is_own(self) -> bool:
        """Whether it is the graph of training, its nodes in the same order."""
        return self.trained_on is None or self.trained_on["digest"] == self.digest

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the edges between the nodes in their order."""
        parts = (self.offsets, self.neighbours)
        return hashlib.sha256(b"".join(part.cpu().numpy().tobytes() for part in parts)).hexdigest()

    def fitted(self, rows: Tensor) -> "NodeGraph":
        """Return the graph as it is: no label decides what it teaches."""
        return self

    @property
    def learned(self) -> dict[str, Any]:
        """What `KEPT` names; of degrees and encodings the means and the deviations of their columns."""
        return self.trained_on or {
            "digest": self.digest,
            "n_nodes": self.n_nodes,
            "n_features": self.n_features,
            "degrees": self._scale("degrees", self._degrees).tolist(),
            "encodings": self._scale("encodings", self.encodings).tolist(),
        }

    def with_learned(self, learned: dict[str, Any]) -> "NodeGraph":
        """Return the graph read as one that is predicted by a network that was trained on another, or on it.

        Raises:
            RelataskError: what was learned is nothing of a graph.
        """
        if lost := [name for name, kind in KEPT.items() if not isinstance(learned.get(name), kind)]:
            raise RelataskError(f"what a model knows of its graph lacks {lost[0]!r}; get the model anew.")
        return replace(self, trained_on=learned)

    @cached_property
    @torch.inference_mode(False)  # else training could not use what a prediction had asked for first
    def adjacency(self) -> Adjacency:
        """The graph with an edge from each node to itself, before its other neighbours."""
        return Adjacency.with_loops(self.neighbours, torch.repeat_interleave(self.degrees), len(self))

    @cached_property
    @torch.inference_mode(False)
    def standard_degrees(self) -> Tensor:
        """Logarithm of 1 + degree, float32 [N, 1]; in the graph of training with mean 0 and deviation 1."""
        mean, deviation = self._scale("degrees", self._degrees)
        return (self._degrees - mean) / deviation

    @cached_property
    @torch.inference_mode(False)
    def standard_encodings(self) -> Tensor:
        """Encodings, float32 [N, k]; in the graph of training each column with mean 0 and deviation 1."""
        mean, deviation = self._scale("encodings", self.encodings)
        return (self.encodings - mean) / deviation

    @property
    def _degrees(self) -> Tensor:
        return self.degrees[:, None].float().log1p()

    def _scale(self, name: str, values: Tensor) -> Tensor:
        """Return mean and deviation [2, k] of the columns of values [N, k], as they were in training."""
        if self.trained_on is not None:
            return torch.tensor(self.trained_on[name], dtype=values.dtype, device=values.device)
        spread = values.std(0, correction=0)
        return torch.stack([values.mean(0), torch.where(spread > 0, spread, 1.0)])

    def batch(self, rows: Tensor) -> "NodeBatch":
        """Return the graph with the nodes at positions `rows`, int64 [B]."""
        return NodeBatch(self, rows)


@dataclass(frozen=True)
class NodeBatch:
    """B nodes that are asked for, in their graph."""

    graph: NodeGraph
    rows: Tensor  # int64 [B]: positions of the nodes

    def __len__(self) -> int:
        """Number of nodes that are asked for."""
        return len(self.rows)
