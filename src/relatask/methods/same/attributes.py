"""The attributes of nodes themselves, measured by a linear classifier: what an embedding must add to."""

from torch import nn

from relatask.methods.same.network import Attributes
from relatask.nn.contract import EncoderFactory

CAPABILITIES = {
    "summary": "attributes of nodes in the place of embeddings, measured by a linear classifier",
    "label": "Attributes",
    "paper": "same",
    "inputs": ("graph_parts",),
    "loop": "frozen",
    "encoders": "none",
    "kinds": ("binary", "class"),
    "microseconds": 5.0,
    "options": {},
}


def build(n_features: int, encoder: EncoderFactory) -> nn.Module:
    """Return the module of nodes."""
    return Attributes(n_features)
