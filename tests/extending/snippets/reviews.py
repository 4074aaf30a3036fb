"""Short texts about films, written from lists of words."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from relatask.core.source_block import SourceBlock

if TYPE_CHECKING:
    from relatask.data.source_tables import SourceContext, SourceTables

SOURCE = {
    "summary": "texts about films that are written from lists of words",
    "items": "texts",
    "levels": ("text",),
    "inputs": ("word_counts",),
    "sparse": True,
}
WORDS = {
    "funny": ("laugh", "comic", "joke", "silly"),
    "sad": ("tears", "grief", "lonely", "loss"),
    "long": ("hours", "slow", "endless", "tired"),
}


class ReviewsSource(SourceBlock):
    """Texts."""

    reader: Literal["reviews"] = Field(description="texts that are written from lists of words")
    texts: int = Field(200, ge=10, description="how many")


def prepare(block: ReviewsSource, context: "SourceContext") -> "SourceTables":
    """Write the texts; a fifth of the labels is missing."""
    import numpy as np
    import pandas as pd

    from relatask.data.source_tables import source_tables

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (block.texts, len(WORDS)))
    others = [word for words in WORDS.values() for word in words]
    texts = []
    for row in labels:
        own = [word for words, label in zip(WORDS.values(), row, strict=True) if label for word in words[:3]]
        texts.append(" ".join(rng.permutation([*own, *rng.choice(others, 2)])))
    item, task = np.nonzero(rng.random(labels.shape) < 0.8)
    cells = pd.DataFrame({"item": item, "task": task, "value": labels[item, task]})
    tasks = pd.DataFrame({"name": list(WORDS)})
    return source_tables(pd.DataFrame({"text": texts}), tasks, cells, level="text")
