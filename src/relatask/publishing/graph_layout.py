"""Where the nodes of a relation graph are drawn, which belong together, and where their names fit.

Names are not placed by adjustText: it moves them anywhere and then needs lines to say which node is meant;
here a name stays at one of 24 places beside its node. graphviz is a program that pip does not install.
"""

from typing import TYPE_CHECKING, Literal

import networkx
import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SEED = 0
Box = tuple[float, float, float, float]  # left, low, right, high in points
Side = tuple[float, float, Literal["left", "center", "right"]]  # offset in points, alignment
SIDES: tuple[Side, ...] = (
    (1, 0, "left"),
    (-1, 0, "right"),
    (0, 1, "center"),
    (0, -1, "center"),
    (0.7, 0.8, "left"),
    (0.7, -0.8, "left"),
    (-0.7, 0.8, "right"),
    (-0.7, -0.8, "right"),
)
GAPS = np.array([3.0, 8.0, 14.0])  # points between a node and its name
FAR = 1e5  # points; beyond any page


def families(graph: networkx.Graph) -> np.ndarray:
    """Return the family [N] of each node: communities of the graph, largest first; -1 without edges."""
    found = networkx.community.louvain_communities(graph, weight="weight", seed=SEED)
    groups = [sorted(group) for group in found if len(group) > 1]
    family = np.full(len(graph), -1)
    for index, group in enumerate(sorted(groups, key=lambda group: (-len(group), group[0]))):
        family[group] = index
    lonely = [node for node in graph if family[node] < 0 and graph.degree(node)]
    family[lonely] = np.arange(len(lonely)) + family.max() + 1
    return family


def positions(graph: networkx.Graph, roomy: bool) -> np.ndarray:
    """Return positions [N, 2]: each connected part by a spring layout, the parts packed on shelves.

    A spring layout of everything at once would push small parts far away. Nodes without edges form a
    grid below, which leaves space for names where it is `roomy`. Rounded, so that the last bits of a
    processor's arithmetic change nothing.
    """
    found = [sorted(part) for part in networkx.connected_components(graph)]
    parts = sorted(found, key=lambda part: (-len(part), part[0]))
    boxes = [(part, *_part_layout(graph, part)) for part in parts if len(part) > 1]
    alone = [part[0] for part in parts if len(part) == 1]
    across, down = (2.6, 0.9) if roomy else (0.9, 0.9)
    area = sum(side**2 for _, _, side in boxes) + across * down * len(alone)
    width = max([1.5 * area**0.5, *(side for _, _, side in boxes)])
    xy, x, y, shelf = np.zeros((len(graph), 2)), 0.0, 0.0, 0.0
    for part, layout, side in boxes:
        if x and x + side > width:
            x, y, shelf = 0.0, y - shelf, 0.0
        xy[part] = layout * side + (x, y - side)
        x, shelf = x + side, max(shelf, side)
    columns = max(1, int(width / across))
    for index, node in enumerate(alone):
        xy[node] = (0.45 + index % columns * across, y - shelf - 0.6 - index // columns * down)
    return np.round(xy, 4)


def _part_layout(graph: networkx.Graph, part: list[int]) -> tuple[np.ndarray, float]:
    """Positions of one connected part within the unit square, and the side of the square it gets."""
    inside = networkx.Graph()
    inside.add_nodes_from(part)
    inside.add_edges_from(sorted(graph.subgraph(part).edges(data=True), key=lambda edge: edge[:2]))
    side = 1.25 * len(part) ** 0.5
    found = networkx.spring_layout(
        inside, seed=SEED, weight=None, iterations=300 if len(part) < 300 else 80, method="force"
    )
    xy = np.array([found[node] for node in part])
    low, high = xy.min(axis=0), xy.max(axis=0)
    scaled = (xy - low) / np.maximum(high - low, 1e-9).max()
    scaled += (1 - scaled.max(axis=0)) / 2
    return 0.12 + 0.76 * scaled, side


def name_nodes(
    figure: "Figure", axes: "Axes", xy: np.ndarray, radii: np.ndarray, names: list[str], size: float = 6.8
) -> None:
    """Write each name beside its node, on the side where it covers least of other names and nodes."""
    figure.draw_without_rendering()  # the layout must be final before points can be measured
    points = axes.transData.transform(xy) * 72 / figure.dpi
    taken: list[Box] = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(points, radii, strict=True)]
    edge = figure.get_figwidth() * 72
    taken += [(-FAR, -FAR, 2.0, FAR), (edge - 2, -FAR, FAR, FAR)]  # a name outside the page covers these
    for place in np.lexsort((points[:, 0], -points[:, 1])):
        extent = (len(names[place]) * size * 0.58, size * 1.15)
        sides = [(dx * away, dy * away, align) for away in radii[place] + GAPS for dx, dy, align in SIDES]
        costs = [_cost(_box(points[place], side, extent), taken, side) for side in sides]
        dx, dy, align = best = sides[int(np.argmin(costs))]
        taken.append(_box(points[place], best, extent))
        axes.annotate(
            names[place],
            xy[place],
            (dx, dy),
            textcoords="offset points",
            ha=align,
            va="center",
            fontsize=size,
            bbox={"facecolor": "white", "alpha": 0.65, "pad": 0.3, "linewidth": 0},
            zorder=1.5,  # above edges, below nodes
        )


def _box(point: np.ndarray, side: Side, extent: tuple[float, float]) -> Box:
    """Where a name of that extent comes to lie beside `point`."""
    (dx, dy, align), (width, height) = side, extent
    left = float(point[0]) + dx - {"left": 0.0, "center": width / 2, "right": width}[align]
    low = float(point[1]) + dy - height / 2
    return (left, low, left + width, low + height)


def _cost(box: Box, taken: list[Box], side: Side) -> float:
    """Area (points squared) that `box` shares with what is there, plus a little for being far away."""
    others = np.array(taken)
    wide = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    high = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    return float((np.maximum(wide, 0) * np.maximum(high, 0)).sum()) + 0.2 * (abs(side[0]) + abs(side[1]))
