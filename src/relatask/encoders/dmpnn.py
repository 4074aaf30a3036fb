"""The directed message passing network of Yang et al. (2019), as chemprop computes it.

Messages pass along directed bonds (chemprop's `BondMessagePassing`, with its defaults), or between atoms
(`AtomMessagePassing`), and chemprop's aggregation makes an embedding of the states of atoms. Weights can
start from a file with the keys `hyper_parameters` and `state_dict`, the form in which CheMeleon (Burns et
al., 2025) is published; such a row says in `pretrained_on` what they have seen.
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
    "microseconds": 3500.0,
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
        "aggregation": "norm",
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
}
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
        from chemprop.nn import agg, message_passing

        super().__init__()
        self.width = width
        kind = (
            message_passing.BondMessagePassing if messages == "bonds" else message_passing.AtomMessagePassing
        )
        self.messages = kind(d_v=N_ATOM_FEATURES, d_e=N_BOND_FEATURES, d_h=width, **options)
        self.aggregation = agg.AggregationRegistry[aggregation]()

    def states(self, x: BondGraphBatch) -> Tensor:
        """Return the states [N, width] of all atoms."""
        found: Tensor = self.messages(x)
        return found

    def pool(self, states: Tensor, x: BondGraphBatch) -> Tensor:
        """Return the embeddings [B, width]: sums over atoms by 100 (`norm`), means or sums."""
        found: Tensor = self.aggregation(states, x.batch)
        return found if found.dtype == torch.float64 else found.float()


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
