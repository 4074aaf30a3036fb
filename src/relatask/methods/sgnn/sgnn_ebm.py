"""An energy over label vectors whose factors SGNN reads off nodes and edges (SGNN-EBM, eqs. 9-14 and 21).

The network gives f_i and f_ij of eq. 11; `nce.py` trains them, `gibbs.py` reads out marginals. The state
of a pair is the mean of its two directions' states. An edge's readout begins with a linear map, so it is put
in front of all that is linear in an edge: an edge has 4 values for each hidden unit instead of its states.
"""

from typing import Any

import torch
from torch import Tensor, nn

from relatask.methods.sgnn.contrast import ContrastSettings
from relatask.methods.sgnn.energy import edge_weights, log_softmax_factors, log_z_of_uniform
from relatask.methods.sgnn.layers import SGNN, SGNNSettings, States, readout
from relatask.nn.contract import Encoder, MultiTaskModel, TaskContext

CAPABILITIES = {
    "summary": "an energy over all tasks' labels, by noise contrast and Gibbs sampling",
    "label": "SGNN-EBM",
    "paper": "sgnn_ebm",
    "loop": "contrastive",
    "needs_relations": True,
    "uses_prior": True,
    "cost_in_tasks": "O(T + E)",
    "microseconds": 8.0,
    "cost_options": ("edge_width",),  # measured: 16 times as wide, 16 times as long
    "options": {
        "layers": 2,
        "state_width": 32,
        "task_width": 32,
        "task_layers": 2,
        "task_pretraining": 0,
        "node_width": 64,
        "edge_width": 32,
        "readout_width": 32,
        "edge_readout_width": 8,
        "dropout": 0.1,
        "batch_norm": True,
        "least_score": 0.1,
        "edge_weight": 1.0,
        "degree_normalised": False,
        "objective": "paper",
        "noise": "fixed",
        "fixed_noise_epochs": 0,
        "noise_every": 5,
        "noise_mixing": 1.0,
        "noise_samples": 1,
        "imputation": "sampled",
        "paired": True,
        "burn_in": 5,
        "sweeps": 25,
        "marginals": "conditionals",
        "gibbs": "paper",
    },
    "choices": {
        "objective": ("paper", "untilted", "pseudo_likelihood", "nce_log_z", "nce_unnormalised"),
        "noise": ("fixed", "adaptive", "gibbs"),
        "imputation": ("sampled", "thresholded", "noise"),
        "marginals": ("conditionals", "labels", "last"),
        "gibbs": ("paper", "released"),
    },
    "limits": {
        "edge_weight": (-1e6, 1e6),
        "fixed_noise_epochs": (0, 1_000_000),
        "noise_every": (0, 1_000_000),
        "noise_mixing": (1e-6, 1.0),
        "noise_samples": (1, 10_000),
        "burn_in": (0, 1_000_000),
        "sweeps": (1, 1_000_000),
        "layers": (0, 100),
        "state_width": (1, 10_000),
        "task_width": (1, 10_000),
        "task_layers": (0, 100),
        "task_pretraining": (0, 100_000),
        "node_width": (1, 10_000),
        "edge_width": (1, 10_000),
        "readout_width": (1, 10_000),
        "edge_readout_width": (1, 10_000),
        "dropout": (0.0, 0.99),
        "least_score": (0.0, 1.0),
    },
    "space": {
        "layers": {"least": 1, "greatest": 4},
        "state_width": {"least": 16, "greatest": 64, "log": True},
        "dropout": {"least": 0.0, "greatest": 0.3},
        "edge_weight": {"values": (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)},
    },
    "contradictions": (
        (
            {"objective": ("nce_unnormalised",), "gibbs": ("released",)},
            "the released form reads factors as logarithms of probabilities; take gibbs: paper.",
        ),
        (
            {
                "objective": ("pseudo_likelihood",),
                "noise": ("adaptive", "gibbs"),
                "imputation": ("sampled", "thresholded"),
            },
            "an objective without noise reads none; remove the noise, or take imputation: noise.",
        ),
    ),
    "draws_alike": {
        "edge_weight": 1.0,
        "degree_normalised": None,
        "objective": "tilted",
        "task_pretraining": None,
    },
}
NETWORK = tuple(SGNNSettings.__dataclass_fields__)


class EnergyNetwork(MultiTaskModel):
    """Encoder, SGNN, and readouts of a node's and an edge's states: an `EnergyModel`."""

    edge_index: Tensor

    def __init__(
        self,
        encoder: Encoder,
        context: TaskContext,
        settings: SGNNSettings,
        edge_readout_width: int,
        contrast: ContrastSettings,
    ):
        super().__init__()
        self.encoder, self.contrast = encoder, contrast
        self.sgnn = SGNN(encoder.width, context, settings, reads_edges=True)
        self.node_readout = readout(self.sgnn.state_width, settings.readout_width)
        self.edge_readout = readout(self.sgnn.state_width, edge_readout_width)
        if contrast.objective == "nce_unnormalised":
            self._start_as_the_backbone()
        pairs = self.sgnn.relations.pairs
        if not contrast.edge_weight or not self.sgnn.has_edges:  # node factors alone
            del self.edge_readout
            pairs = pairs[:, :0]
        self.register_buffer("edge_index", pairs, persistent=False)
        weight = edge_weights(
            pairs.new_zeros(1, len(context.task_ids), dtype=torch.get_default_dtype()),
            pairs,
            contrast.edge_weight,
            contrast.degree_normalised,
        )
        self.uniform_log_z = log_z_of_uniform(len(context.task_ids), pairs.shape[1], weight)
        # Of how much log Z is away from where it starts, in shares: its size is that of hundreds of steps.
        self.log_z_shift = nn.Parameter(torch.zeros(())) if contrast.objective == "nce_log_z" else None

    @property
    def trunk(self) -> nn.Module:
        """The encoder."""
        return self.encoder

    def energies(self, x: object) -> tuple[Tensor, Tensor]:
        """Return the factors f_i [B, T, 2] and f_ij [B, E, 2, 2] of eq. 11, E as of `edge_index`."""
        items = self.encoder(x)
        if self.edge_index.shape[1]:
            first = self.edge_readout[0]
            assert isinstance(first, nn.Linear)
            states = self.sgnn(items, first.weight)
            edge = self._edge_scores(states, first.bias).transpose(0, 1)
        else:
            states = self.sgnn(items)
            edge = items.new_zeros(len(items), 0, 2, 2)
        node = self.node_readout(states.nodes)[..., 0].transpose(0, 1)
        if self.contrast.objective == "nce_unnormalised":
            return node, edge
        return log_softmax_factors(node, edge)

    def _start_as_the_backbone(self) -> None:
        """Make all factors zero at the start: exp(-E) is 1, and noise and data weigh a half each.

        Hundreds of factors that are not normalised share the bias of their readout, so its random start would
        put all energies on one side of zero, where eq. 13 does not contrast either.
        """
        for network in (self.node_readout, self.edge_readout):
            for parameter in network[-1].parameters():
                nn.init.zeros_(parameter)

    def log_z(self) -> Tensor | None:
        """Return the learned log Z, a scalar, of the objective that has one."""
        return None if self.log_z_shift is None else self.uniform_log_z * (1 + self.log_z_shift)

    def _edge_scores(self, states: States, bias: Tensor) -> Tensor:
        """Return [E, B, 2, 2] by y_i and y_j."""
        assert states.edges is not None
        assert states.ends is not None
        way, back = states.edges[self.sgnn.relations.places].unbind(0)
        i, j = states.ends[self.edge_index].unbind(0)
        hidden = (way + back.transpose(2, 3)) / 2 + i[..., :, None, :] + j[..., None, :, :] + bias
        scores: Tensor = self.edge_readout[1:](hidden)
        return scores[..., 0]


def build(context: TaskContext, edge_readout_width: int, **options: Any) -> EnergyNetwork:
    """Return the model around the shared encoder; `options` are of `SGNNSettings` and `ContrastSettings`."""
    settings = SGNNSettings(**{name: options.pop(name) for name in NETWORK})
    return EnergyNetwork(
        context.encoder(), context, settings, edge_readout_width, ContrastSettings(**options)
    )
