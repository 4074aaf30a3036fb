"""An encoder with random weights, measured by a linear classifier: what structure alone is worth."""

from torch import nn

from relatask.methods.same.network import Nodes
from relatask.nn.contract import EncoderFactory

CAPABILITIES = {
    "summary": "embeddings of an encoder that is not trained, measured by a linear classifier",
    "label": "Untrained",
    "paper": "same",
    "form": "graph_parts",
    "loop": "frozen",
    "kinds": ("binary", "class"),
    "trunk": False,
    "microseconds": 0.1,
    "options": {"protocol": "held_out"},
    "choices": {"protocol": ("held_out", "released")},
}


def build(n_features: int, encoder: EncoderFactory, protocol: str) -> nn.Module:
    """Return the module of nodes."""
    return Nodes(encoder())
