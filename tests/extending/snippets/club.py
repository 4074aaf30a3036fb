"""People of a club, who are friends: nodes of one graph, with interests that friends share."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from relatask.core.source_block import SourceBlock

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext, SourceTables

SOURCE = {
    "summary": "a graph of friends that is drawn",
    "items": "nodes",
    "levels": ("node",),
    "inputs": ("friends",),
}


class ClubSource(SourceBlock):
    """A club."""

    reader: Literal["club"] = Field(description="a graph of friends that is drawn")
    people: int = Field(200, ge=10, description="nodes of the graph")


def prepare(block: ClubSource, context: "SourceContext") -> "SourceTables":
    """Draw the graph: friends are near each other in the plane, and so are interests."""
    import numpy as np
    import pandas as pd

    from relatask.data.source_tables import source_tables

    rng = np.random.default_rng(0)
    place = rng.normal(size=(block.people, 2))
    distance = np.linalg.norm(place[:, None] - place, axis=2)
    friends = [np.argsort(row)[1:6].astype(np.int32) for row in distance]
    seen = place + rng.normal(size=place.shape)  # what is known of a person alone is noisy
    items = pd.DataFrame({"vector": list(seen.astype(np.float32)), "friends": friends})
    interests = (place @ np.array([[1.0, 1, 0], [0, 1, 1]]) > 0).astype(float)
    item, task = np.indices(interests.shape)
    cells = {"item": item.ravel(), "task": task.ravel(), "value": interests.ravel()}
    tasks = pd.DataFrame({"name": ["chess", "hiking", "opera"]})
    return source_tables(items, tasks, pd.DataFrame(cells), level="node")
