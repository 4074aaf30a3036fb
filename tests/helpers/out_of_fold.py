"""Predictions out of fold, made up."""

import numpy as np
import pandas as pd


def values(n: int = 600, seed: int = 0) -> pd.DataFrame:
    """A task of measured values whose errors fall with similarity from 3 to 0.3; five folds."""
    rng = np.random.default_rng(seed)
    similarity, truth = rng.random(n), rng.normal(scale=2, size=n)
    score = truth + (3 - 2.7 * similarity) * rng.normal(size=n)
    return pd.DataFrame(
        {
            "item_id": np.arange(n),
            "task_id": "a",
            "label": truth,
            "score": score,
            "similarity": similarity,
            "fold": (np.arange(n) % 5).astype(str),
        }
    )
