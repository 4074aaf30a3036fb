"""SAME's baselines with the same encoder and heads: one task alone, or several at once on every graph.

With `finetuning`, that share of the epochs goes on for each level on an encoder of its own, which starts as
the shared one.
"""

from relatask.methods.same.network import LevelNetwork
from relatask.nn.contract import TaskContext

CAPABILITIES = {
    "summary": "one encoder and a head each for graphs, nodes and pairs, learned together or alone",
    "label": "Joint levels",
    "paper": "same",
    "form": "graph_parts",
    "loop": "classical",
    "kinds": ("binary", "class"),
    "trunk": False,
    "microseconds": 0.5,
    "options": {
        "trains": "all",
        "reads": "heads",
        "finetuning": 0.0,
        "graph_weight": 1.0,
        "node_weight": 1.0,
        "pair_weight": 1.0,
        "protocol": "held_out",
    },
    "choices": {
        "trains": ("all", "graph", "node", "pair", "graph_node", "graph_pair", "node_pair"),
        "reads": ("heads", "linear"),
        "protocol": ("held_out", "released"),
    },
    "limits": {
        "finetuning": (0.0, 0.99),
        "graph_weight": (0.0, 1e6),
        "node_weight": (0.0, 1e6),
        "pair_weight": (0.0, 1e6),
    },
}


def build(context: TaskContext, protocol: str, finetuning: float, **_: object) -> LevelNetwork:
    """Return the network; the other options are its loop's."""
    return LevelNetwork.of(context, released=protocol == "released", own_encoders=finetuning > 0)
