"""SAME (single-task adaptation for multi-task embeddings).

iSAME adapts all parameters in the inner loop, eSAME the heads alone.

What the paper leaves out follows its released code (support shares, step size, heads), except that episodes
are drawn anew in each epoch, and that edges which are asked about carry no messages; `protocol: released`
does as they did.
"""

from relatask.methods.same.network import LevelNetwork
from relatask.nn.contract import TaskContext

CAPABILITIES = {
    "summary": "meta-learned embeddings of graphs, nodes and pairs, measured by a linear classifier",
    "label": "SAME",
    "paper": "same",
    "form": "graph_parts",
    "loop": "meta",
    "kinds": ("binary", "class"),
    "trunk": False,
    "microseconds": 1.5,
    "options": {
        "adapts": "all",
        "trains": "all",
        "steps": 1,
        "step_size": 0.04,
        "second_order": True,
        "graph_weight": 1.0,
        "node_weight": 1.0,
        "pair_weight": 1.0,
        "protocol": "held_out",
    },
    "choices": {
        "adapts": ("all", "heads"),
        "trains": ("all", "graph", "node", "pair", "graph_node", "graph_pair", "node_pair"),
        "protocol": ("held_out", "released"),
    },
    "limits": {
        "steps": (1, 100),
        "step_size": (1e-6, 100.0),
        "graph_weight": (0.0, 1e6),
        "node_weight": (0.0, 1e6),
        "pair_weight": (0.0, 1e6),
    },
    "space": {
        "step_size": {"least": 0.005, "greatest": 0.2, "log": True},
    },
}


def build(context: TaskContext, protocol: str, **_: object) -> LevelNetwork:
    """Return the network; the other options are its loop's."""
    return LevelNetwork.of(context, released=protocol == "released")
