"""Table `dependency_agreement`: does a learned dependency between tasks follow what is known of them?"""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.tables import columns_of
from relatask.evaluation.mantel import MIN_TASKS, PERMUTATIONS
from relatask.publishing.dependency import agreement, between_seeds, learned, symmetric
from relatask.publishing.formatting import NOTHING, Table, number, p_value, signed
from relatask.publishing.inputs import Inputs, records
from relatask.publishing.known_dependency import known_dependency

TABLE = {
    "caption": (
        "Whether the dependency between tasks that a method learned agrees with what is known of them: with "
        "the scores of the relation graph (STRING), with the similarity of the sequences of their proteins, "
        "and with the correlation of their training labels; how far it agrees with itself between seeds, and "
        "what is known with each other.\n\n"
        "Spearman's rank correlation over pairs of tasks, of the mean weight of both directions; the p value "
        "permutes tasks (Mantel's test), as pairs that share a task are not independent."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "method": "string?",  # null: what is known is compared with what is known
        "compared": "string",  # dependency, attention of items, or what is known
        "compared_with": "string",  # relations, sequences or training labels
        "n_tasks": "int32",
        "n_left_out": "int32",  # tasks of which a pair is undefined
        "n_pairs": "int32",
        "n_seeds": "int32",
        "spearman": "float64?",  # of the mean over seeds
        "p_value": "float64?",  # two-sided, of the mean over seeds
        "spearman_of_seeds": "float64?",  # mean over seeds of each one's own
        "spearman_std": "float64?",  # sample standard deviation over seeds
        "spearman_between_seeds": "float64?",  # mean over each two seeds, of what is compared
        "asymmetry": "float64?",  # of what was learned, |D - D'| / |D + D'|: 0 symmetric, 1 one way alone
        "reason": "string?",  # why there is no correlation
    },
    "when": ("tasks",),
    "needs": ("plan", "dataset", "splits", "sequences"),
    "saved": {
        "dependency": ("source", "target", "weight"),
        "item_dependency": ("item_id", "source", "target", "weight"),
    },
    "category": "Task relations",
}
COMPARED = {"dependency": "dependency", "item_dependency": "attention of items"}  # saved tables


def make(inputs: Inputs) -> Table:
    """(Data set, split, method, what was learned, what is known) x their rank correlation."""
    rows = [row for dataset in inputs.study.datasets for row in _rows(inputs, dataset)]
    data = pd.DataFrame(rows, columns=list(columns_of("table_dependency_agreement")))
    data = data.astype({name: float for name in ("spearman_of_seeds", "spearman_std")})
    body = [
        [
            row["dataset"],
            row["split"],
            NOTHING if pd.isna(row["method"]) else row["method"],
            row["compared"],
            row["compared_with"],
            *(number(row[name], 0) for name in ("n_tasks", "n_left_out")),
            signed(row["spearman"], 2),
            p_value(row["p_value"]),
            _over_seeds(row),
            signed(row["spearman_between_seeds"], 2),
            number(row["asymmetry"], 2),
        ]
        for row in records(data)
    ]
    header = ["data set", "split", "method", "compared", "with", "tasks", "left out", "ρ", "p"]
    header += ["ρ of each seed", "ρ between seeds", "asymmetry"]
    reasons = [
        f"No correlation of {row['compared']} on {row['dataset']} ({row['split']}) with "
        f"{row['compared_with']}: {row['reason']}."
        for row in records(data)
        if pd.notna(row["reason"])
    ]
    notes = [
        "ρ: Spearman's, over pairs of tasks, of the mean weight of both directions and over seeds; "
        f"p: two-sided, by Mantel's test with {PERMUTATIONS:,} permutations of tasks, not corrected for the "
        "number of rows. asymmetry: |D − Dᵀ| / |D + Dᵀ| off the diagonal, 0 where both directions weigh the "
        "same, 1 where only one does.",
        "ρ between seeds: of what is compared, the mean over each two seeds, which differ in split and "
        "start. It bounds every agreement: what agrees with itself by r agrees with anything by √r at most, "
        "and what is near 0 is other noise with each seed.",
        "dependency: of tasks in general; attention of items: the mean weight over the held-out items that "
        "were recorded. relations: scores of the relation graph, 0 for a pair that it does not have, 1 for "
        "two tasks on one protein. sequences: cosine of counts of words of three residues. training labels: "
        "Pearson's correlation over the items that have both, without labels that are bounds of a value and "
        "tasks of classes. Tasks with an undefined pair are left out.",
        *dict.fromkeys(reasons),
        inputs.reduced,
    ]
    title = f"{inputs.study.title}: what a learned dependency agrees with"
    return Table("dependency_agreement", title, data, header, body, 5, notes)


def _over_seeds(row: dict[str, Any]) -> str:
    mean = signed(row["spearman_of_seeds"], 2)
    return f"{mean} ± {number(row['spearman_std'], 2)}" if row["n_seeds"] > 1 and mean != NOTHING else mean


def _rows(inputs: Inputs, dataset: str) -> Iterator[dict[str, Any]]:
    """Yield what was learned against what is known; then, once for each split, what is known by itself."""
    every: dict[tuple[str, ...], dict[str, np.ndarray]] = {}  # by split, seeds and tasks
    of_split: dict[str, dict[str, np.ndarray]] = {}
    for saved, compared in COMPARED.items():
        for one in learned(inputs, dataset, saved):
            key = (one.split, *map(str, one.seeds), *one.tasks)
            if key not in every:
                every[key] = known_dependency(inputs, dataset, one.split, one.seeds, one.tasks)
            known = every[key]
            of_split.setdefault(one.split, known)
            asymmetry = float(np.mean([_asymmetry(own) for own in one.weights]))
            for name, other in known.items():
                agreed = _agreement(symmetric(one.weights), other)
                yield {
                    "dataset": dataset,
                    "split": one.split,
                    "method": one.method,
                    "compared": compared,
                    "compared_with": name,
                    "asymmetry": asymmetry,
                    **agreed,
                }
    for split, known in of_split.items():
        for compared, name in combinations(reversed(known), 2):
            agreed = _agreement(known[compared], known[name])
            yield {
                "dataset": dataset,
                "split": split,
                "method": None,
                "compared": compared,
                "compared_with": name,
                "asymmetry": None,
                **agreed,
            }


def _agreement(one: np.ndarray, other: np.ndarray) -> dict[str, Any]:
    """Return the other columns of a row, of symmetric matrices [S, T, T], or [1, T, T] of all seeds."""
    correlation, p, kept = agreement(_mean(one), _mean(other), PERMUTATIONS)
    pairs = zip(*np.broadcast_arrays(one, other), strict=True)
    of_seeds = [agreement(own, known, 0)[0] for own, known in pairs]
    defined = [value for value in of_seeds if not np.isnan(value)]
    n, n_tasks, reason = len(kept), one.shape[-1], None
    if np.isnan(correlation):
        few = f"all pairs are defined of {n} of {n_tasks} tasks, at least {MIN_TASKS} are needed"
        reason = "all pairs are alike" if n >= MIN_TASKS else few
    return {
        "n_tasks": n,
        "n_left_out": n_tasks - n,
        "n_pairs": n * (n - 1) // 2,
        "n_seeds": len(of_seeds),
        "spearman": correlation,
        "p_value": p,
        "spearman_of_seeds": np.mean(defined) if defined else None,
        "spearman_std": np.std(defined, ddof=1) if defined and len(of_seeds) > 1 else None,
        "spearman_between_seeds": between_seeds(one),
        "reason": reason,
    }


def _mean(matrices: np.ndarray) -> np.ndarray:
    """Mean over those that are defined, [T, T]; NaN where none is."""
    there = ~np.isnan(matrices)
    return np.where(there.any(0), np.nansum(matrices, 0) / np.maximum(there.sum(0), 1), np.nan)


def _asymmetry(weights: np.ndarray) -> float:
    """|D - D'| / |D + D'| off the diagonal (Frobenius norms); NaN where D is 0."""
    off = ~np.eye(len(weights), dtype=bool) & ~np.isnan(symmetric(weights))
    total = np.linalg.norm((weights + weights.T)[off])
    return float(np.linalg.norm((weights - weights.T)[off]) / total) if total else np.nan
