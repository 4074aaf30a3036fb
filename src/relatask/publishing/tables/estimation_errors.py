"""Table `estimation_errors`: how far estimated gains are from the true ones."""

import numpy as np
import pandas as pd

from relatask.evaluation.spread import over_seeds
from relatask.publishing.collection import name_of
from relatask.publishing.formatting import (
    Table,
    number,
)
from relatask.publishing.inputs import Inputs, records

TABLE = {
    "caption": (
        "How far estimated gains are from the true ones, on task sets that the strategy did not train."
    ),
    "columns": {
        "collection": "string",
        "strategy": "string",
        "rounds": "int32?",
        "row": "string",
        "n_trained": "float64",
        "mean": "float64",  # absolute error
        "std": "float64?",
        "correlation": "float64?",
        "n_seeds": "int32",
    },
    "when": ("grouping_replayed",),
    "needs": ("gains", "estimates"),
    "category": "Task groups",
}


def make(inputs: Inputs) -> Table:
    """(Collection, strategy): mean absolute error of estimates on sets that were not trained."""
    rows = []
    for collection in inputs.replayed:
        for row, by_seed in collection.estimates.items():
            errors, correlations = [], []
            for estimate in by_seed.values():
                cells = collection.judged(estimate)
                if not cells.any():
                    continue
                said, true = estimate.table[cells], collection.gains.valid[cells]
                errors.append(float(np.abs(said - true).mean()))
                correlations.append(float(np.corrcoef(said, true)[0, 1]))
            if errors:
                mean, std = over_seeds(errors)
                shared = {
                    "collection": collection.name,
                    "strategy": row[0],
                    "rounds": row[1],
                    "row": name_of(row),
                }
                trained = float(np.mean([estimate.trained.sum() for estimate in by_seed.values()]))
                rows.append(
                    {
                        **shared,
                        "n_trained": trained,
                        "mean": mean,
                        "std": std,
                        "correlation": over_seeds(correlations)[0],
                        "n_seeds": len(errors),
                    }
                )
    data = pd.DataFrame(rows)
    body = [
        [
            *(row["collection"], row["row"], number(row["n_trained"], 0)),
            number(row["mean"], 4) + (f" ± {number(row['std'], 4)}" if pd.notna(row["std"]) else ""),
            number(row["correlation"], 3),
        ]
        for row in records(data)
    ]
    notes = [
        "Absolute difference of estimated and true validation gain, mean over the tasks of all sets of two "
        "or more tasks that the strategy did not train; mean ± sample standard deviation over seeds. "
        "correlation: Pearson's, of the same cells. TAG's affinities are no gains: only their correlation "
        "says something.",
        inputs.reduced,
    ]
    header = ["gains", "strategy", "trained", "mean absolute error", "correlation"]
    title = f"{inputs.study.title}: how far estimates are from the gains"
    return Table("estimation_errors", title, data, header, body, 2, notes)
