"""Graph convolutions with layer norm on atoms, pooled by Set2Set: the encoder of L2T-MITTEN for molecules.

As appendix B.1; an atom starts as the sum of the embeddings of its number, chirality and bonds. Widths, depth
and steps are not in the paper.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relatask.inputs.adjacency import Adjacency
from relatask.inputs.graph_batch import (
    N_ATOMIC_NUMBERS,
    N_BOND_KINDS,
    N_CHIRALITIES,
    GraphBatch,
)
from relatask.nn.contract import Between
from relatask.nn.stackable import Single, Stackable, together
from relatask.nn.task_gcn import TaskGCN
from relatask.nn.task_set2set import TaskSet2Set

__all__ = ["CAPABILITIES", "build", "together"]

CAPABILITIES = {
    "summary": "graph convolutions with layer norm and Set2Set, as in L2T-MITTEN",
    "label": "GCN",
    "paper": "l2t_mitten",
    "inputs": ("graph",),
    "microseconds": 100.0,
    "cost_options": ("layers", "width"),
    "twice_differentiable": True,
    "options": {"width": 32, "layers": 3, "steps": 3, "dropout": 0.0},
    "limits": {"width": (1, 10_000), "layers": (1, 100), "steps": (1, 100), "dropout": (0.0, 0.99)},
    "space": {
        "width": {"least": 16, "greatest": 128, "log": True},
        "layers": {"least": 1, "greatest": 4},
        "dropout": {"least": 0.0, "greatest": 0.5},
    },
}


class MoleculeGCNs(Stackable):
    """T networks of one shape: B molecules -> [B, T, 2 w]."""

    def __init__(self, n_tasks: int, width: int, layers: int, steps: int, dropout: float):
        super().__init__()
        self.options: dict[str, Any] = {"width": width, "layers": layers, "steps": steps, "dropout": dropout}
        self.width, self.depth = 2 * width, layers
        kinds = N_ATOMIC_NUMBERS + N_CHIRALITIES + N_BOND_KINDS
        self.kinds = nn.Parameter(torch.randn(n_tasks, kinds, width))
        self.layers = TaskGCN(n_tasks, width, layers, dropout)
        self.read = TaskSet2Set(n_tasks, width, steps)

    @property
    def state_width(self) -> int:
        """The width w of an atom's states."""
        return self.width // 2

    def states(self, x: GraphBatch, between: Between | None = None) -> Tensor:
        """Return the states [N, T, w] of the atoms of B molecules."""
        graph = Adjacency(x.neighbours, x.neighbour_offsets)
        states: Tensor = self.layers(self._atoms(x), graph, between, self.plain)
        return states

    def _atoms(self, x: GraphBatch) -> Tensor:
        """Return the first states [N, T, w]."""
        kinds = self.kinds.transpose(0, 1).flatten(1)
        numbers, chiralities, bonds = kinds.split([N_ATOMIC_NUMBERS, N_CHIRALITIES, N_BOND_KINDS])
        number = torch.div(x.atoms, N_CHIRALITIES, rounding_mode="floor")
        atoms = F.embedding(number, numbers) + F.embedding(x.atoms % N_CHIRALITIES, chiralities)
        atoms = torch.addmm(atoms, x.bond_counts.to(kinds.dtype), bonds)
        return atoms.unflatten(1, (len(self.kinds), -1))

    def pool(self, states: Tensor, x: GraphBatch) -> Tensor:
        """Return the embeddings, float32 [B, T, 2 w]."""
        pooled: Tensor = self.read(states, x.molecules, len(x), self.plain)
        return pooled if pooled.dtype == torch.float64 else pooled.float()


def build(width: int = 32, layers: int = 3, steps: int = 3, dropout: float = 0.0) -> Single:
    """Return the encoder, initialised from torch's global generator."""
    return Single(MoleculeGCNs(1, width=width, layers=layers, steps=steps, dropout=dropout))
