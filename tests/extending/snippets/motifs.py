"""Small graphs with tasks of three levels: the graph, its nodes, and pairs of its nodes."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from relatask.core.kinds import KINDS, Kind
from relatask.core.source_block import SourceBlock

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext, SourceTables

SOURCE = {
    "summary": "random graphs, their nodes and pairs of nodes",
    "items": "graphs, nodes and pairs",
    "levels": ("graph", "node", "pair"),
    "kinds": ("binary", "real", "class"),
    "inputs": ("vectors",),
}
TASKS: dict[str, tuple[str, Kind]] = {  # name -> level, kind
    "dense": ("graph", "binary"),
    "size": ("graph", "class"),
    "hub": ("node", "binary"),
    "degree": ("node", "real"),
    "linked": ("pair", "binary"),
}
SIZES = ("four", "five", "six")


class MotifsSource(SourceBlock):
    """Random graphs."""

    reader: Literal["motifs"] = Field(description="random graphs, their nodes and pairs of nodes")
    graphs: int = Field(40, ge=10, description="how many")
    tasks: list[str] = Field([*TASKS], description="which of the tasks")

    def task_kinds(self) -> tuple[Kind, ...]:
        """Kinds of the tasks that are asked for."""
        return tuple(kind for kind in KINDS if kind in {TASKS[name][1] for name in self.tasks})


def prepare(block: MotifsSource, context: "SourceContext") -> "SourceTables":
    """Draw the graphs; a node and a pair lie in their graph, and each item has labels of its level alone."""
    import numpy as np
    import pandas as pd

    from relatask.data.source_tables import source_tables

    rng, items, labels = np.random.default_rng(0), [], []

    def add(level: str, parent: int | None, vector: list[float], **values: float) -> int:
        for name, value in values.items():
            if name in block.tasks:
                labels.append((len(items), block.tasks.index(name), value))
        items.append((level, parent, np.array(vector, np.float32)))
        return len(items) - 1

    for _ in range(block.graphs):
        size, share = int(rng.integers(4, 7)), rng.random()
        edges = np.triu(rng.random((size, size)) < share, 1)
        degree = (edges + edges.T).sum(0)
        seen = degree + rng.normal(size=size)
        graph = add("graph", None, [size, seen.mean(), 0, 0], dense=float(share > 0.5), size=size - 4)
        for node in range(size):
            add("node", graph, [size, seen[node], 1, 0], hub=float(degree[node] > 2), degree=degree[node])
        for pair in zip(*np.triu_indices(size, 1), strict=True):
            add("pair", graph, [size, seen[list(pair)].sum(), 0, 1], linked=float(edges[pair]))
    described = [(name, *TASKS[name]) for name in block.tasks]
    return source_tables(
        pd.DataFrame(items, columns=["level", "parent", "vector"]),
        pd.DataFrame(described, columns=["name", "level", "kind"]),
        pd.DataFrame(labels, columns=["item", "task", "value"]),
        level="graph",
        classes={"size": SIZES},
    )
