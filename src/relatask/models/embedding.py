"""Vectors of new molecules from a file, for models that read an embedding of the user's own."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from relatask.core.errors import RelataskError
from relatask.models.ensemble import Ensemble
from relatask.models.items import limits_of, reads_vectors
from relatask.models.prediction import Model
from relatask.sources.embedding import EmbeddingConfig, read_embedding

Items = Sequence[str] | pd.DataFrame


def with_vectors(model: Model | Ensemble, path: Path | None) -> Callable[[Sequence[str]], Items]:
    """Return what makes of SMILES the items that a model reads: these, or a table with vectors of a file.

    Args:
        model: that is asked.
        path: of the file, in the form of `sources.embedding`; None: none is given.

    Raises:
        RelataskError: the model reads vectors and no file is given, or the other way round.
    """
    one = model.members[0]
    if not reads_vectors(one.trained):
        if path is not None:
            raise RelataskError(f"--embedding: the model reads no vectors of {path}; remove it.")
        return lambda texts: texts
    if path is None:
        raise RelataskError(
            "the model reads an embedding of molecules; give a table of SMILES and vectors (--embedding)."
        )
    limits = limits_of(one.trained)
    embedding = read_embedding(EmbeddingConfig(path=str(path)), limits)
    return lambda texts: embedding.table_of(texts, limits)
