"""STRING v9.1's human network as an object of the R package igraph, which the package dnet distributes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from relatask.sources.r_workspace import RVector, read_r_workspace


@dataclass(frozen=True)
class StringGraph:
    """Vertices and edges; the edges' ends are positions of vertices from 0.

    Attributes:
        ends: int64 [2, E].
        vertices: name of an attribute -> its values [V].
        edges: name of an attribute -> its values [E].
    """

    ends: np.ndarray
    vertices: Mapping[str, np.ndarray]
    edges: Mapping[str, np.ndarray]


def read_string_graph(path: Path) -> StringGraph:
    """Read the workspace: of the list of 9, the ends are the third and fourth, the attributes the last."""
    graph = read_r_workspace(path)["org.Hs.string"].values
    ends = np.stack([graph[2].values, graph[3].values]).astype(np.int64)
    return StringGraph(ends, *(_columns(graph[8].values[part]) for part in (2, 3)))


def _columns(part: RVector) -> dict[str, Any]:
    return {name: column.values for name, column in zip(part.names, part.values, strict=True)}
