"""The directed message passing network of Yang et al. (2019), of chemprop's layers.

Messages pass along directed bonds (chemprop's `BondMessagePassing`, with its defaults), or between atoms
(`AtomMessagePassing`), and chemprop's aggregation makes an embedding of the states of atoms: `mean`, as in
chemprop 1 and CheMeleon, and not the `norm` of chemprop 2, whose small embeddings a linear head learns from
slowly (Tox21). Sums over bonds and atoms are `index_add`, a quarter of `scatter_reduce`'s time. Weights start
from a file with the keys `hyper_parameters` and `state_dict`, as CheMeleon (Burns et al., 2025) is published;
such a row says in `pretrained_on` what they have seen.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.extras import require_extra
from relatask.inputs.bond_graph_batch import N_ATOM_FEATURES, N_BOND_FEATURES, BondGraphBatch
from relatask.nn.contract import Encoder

CAPABILITIES = {
    "summary": "chemprop's directed message passing network, D-MPNN",
    "label": "D-MPNN",
    "paper": "yang_2019",
    "inputs": ("bond_graph",),
    "extra": "chemprop",
    "microseconds": 1500.0,
    "cost_options": ("depth", "width", "width"),
    "twice_differentiable": True,
    # weights: a file of pretrained weights; pretrained_on: what they were trained on, names of data sets
    # separated by commas, or "unknown".
    "options": {
        "width": 300,
        "depth": 3,
        "dropout": 0.0,
        "bias": False,
        "undirected": False,
        "activation": "relu",
        "messages": "bonds",
        "aggregation": "mean",
        "weights": "",
        "pretrained_on": "",
    },
    "initial": ("weights",),
    "choices": {
        "activation": ("relu", "leakyrelu", "prelu", "tanh", "elu"),
        "messages": ("bonds", "atoms"),
        "aggregation": ("norm", "mean", "sum"),
    },
    "limits": {"width": (1, 10_000), "depth": (1, 100), "dropout": (0.0, 0.99)},
    "space": {  # of chemprop's own search, its greatest widths left out
        "width": {"least": 100, "greatest": 600, "log": True},
        "depth": {"least": 2, "greatest": 6},
        "dropout": {"least": 0.0, "greatest": 0.4},
    },
}
NORM = 100.0  # chemprop's: what the sum over a molecule's atoms is divided by
# Option -> what chemprop calls it in a file of weights, of those that weights must have been made with.
SHAPE = {
    "width": "d_h",
    "depth": "depth",
    "bias": "bias",
    "undirected": "undirected",
    "activation": "activation",
}


class DMPNN(Encoder):
    """B molecules -> states of their N atoms -> [B, width]."""

    def __init__(self, messages: str, aggregation: str, width: int, **options: Any):
        require_extra("chemprop", "encoder 'dmpnn'")
        from chemprop.nn import message_passing

        super().__init__()
        self.width, self.aggregation, self.along_bonds = width, aggregation, messages == "bonds"
        kind = (
            message_passing.BondMessagePassing if messages == "bonds" else message_passing.AtomMessagePassing
        )
        self.messages = kind(d_v=N_ATOM_FEATURES, d_e=N_BOND_FEATURES, d_h=width, **options)

    def states(self, x: BondGraphBatch) -> Tensor:
        """Return the states [N, width] of all atoms: chemprop's `forward` with sums that cost a quarter."""
        own = self.messages
        first = own.initialize(x)
        bonds = own.tau(first)
        for _ in range(1, own.depth):
            if own.undirected:
                bonds = (bonds + bonds[x.rev_edge_index]) / 2
            if self.along_bonds:  # all that reach the bond's atom, but for the bond's reverse
                messages = _sums(bonds, x.edge_index[1], len(x.V))[x.edge_index[0]] - bonds[x.rev_edge_index]
            else:
                beside = torch.cat([bonds, x.E.to(bonds.dtype)], 1)
                messages = _sums(beside, x.edge_index[1], len(x.V))[x.edge_index[0]]
            bonds = own.update(messages, first)
        found: Tensor = own.finalize(_sums(bonds, x.edge_index[1], len(x.V)), x.V, None)
        return found

    def pool(self, states: Tensor, x: BondGraphBatch) -> Tensor:
        """Return the embeddings [B, width]: sums over atoms by 100 (`norm`), means or sums."""
        found = _sums(states, x.batch, len(x))
        if self.aggregation == "norm":
            found = found / NORM
        elif self.aggregation == "mean":
            found = found / torch.bincount(x.batch, minlength=len(x)).clamp(min=1)[:, None]
        return found if found.dtype == torch.float64 else found.float()


def _sums(rows: Tensor, place: Tensor, n: int) -> Tensor:
    """Return the sums [n, w] of the rows [m, w] of each place, int64 [m]."""
    return rows.new_zeros(n, rows.shape[1]).index_add(0, place, rows)


def read_weights(path: Path, options: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the weights of a message passing network from a file that chemprop reads, and no pickle else.

    Args:
        path: with `hyper_parameters`, chemprop's arguments, and `state_dict`.
        options: of the encoder; those of `SHAPE` must be those of the file.

    Raises:
        RelataskError: there is no such file, it is another one, or an option differs.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file from elsewhere can make torch raise anything
        if not path.is_file():
            raise RelataskError(
                f"weights: {path} does not exist; name a file of chemprop's weights."
            ) from None
        raise RelataskError(
            f"weights: {path} holds no plain weights ({' '.join(str(error).split()):.200}); give a file with "
            "`hyper_parameters` and `state_dict` of a message passing network, as CheMeleon's."
        ) from None
    made, weights = (
        (content.get(key) for key in ("hyper_parameters", "state_dict"))
        if isinstance(content, dict)
        else (None, None)
    )
    if not isinstance(made, dict) or not isinstance(weights, dict):
        raise RelataskError(
            f"weights: {path} has no `hyper_parameters` and `state_dict` of a message passing network, as "
            "CheMeleon's file has; name such a file."
        )
    differing = {
        option: made[key]
        for option, key in SHAPE.items()
        if key in made and not _same(made[key], options[option])
    }
    if differing:
        wanted = ", ".join(f"{option}: {value}" for option, value in differing.items())
        raise RelataskError(
            f"weights: {path} is of another network than the row asks for; set `{wanted}` in encoder_options."
        )
    return weights


def _same(made: object, asked: object) -> bool:
    """Whether a value of a file is that of an option; names of activations differ in their case."""
    return str(made).lower() == str(asked).lower()


def build(weights: str, pretrained_on: str, **options: Any) -> DMPNN:
    """Return the encoder, initialised from torch's global generator or from a file of weights.

    Raises:
        RelataskError: chemprop is not installed, or the weights cannot be read or do not fit.
    """
    encoder = DMPNN(**options)
    if weights:
        path = Path(weights)
        state = read_weights(path, options)
        try:
            encoder.messages.load_state_dict(state)
        except (RuntimeError, TypeError, AttributeError) as error:
            raise RelataskError(
                f"weights: {path} does not fit {N_ATOM_FEATURES} features of atoms and {N_BOND_FEATURES} of "
                f"bonds, chemprop's V2, or messages of another kind ({' '.join(str(error).split()):.300})."
            ) from None
    return encoder
