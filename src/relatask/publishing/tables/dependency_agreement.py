"""Table `dependency_agreement`: does a learned dependency between tasks follow what is known of them?"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from relatask.core.layout import dataset_file
from relatask.core.tables import columns_of, read_table
from relatask.data.sequences import task_similarity
from relatask.data.splits import FOLDS, folds_of_labels
from relatask.data.tasks import task_positions
from relatask.evaluation.label_correlation import label_correlation
from relatask.evaluation.mantel import MIN_TASKS, PERMUTATIONS, complete, mantel
from relatask.publishing.dependency import Learned, learned, symmetric
from relatask.publishing.formatting import NOTHING, Table, number, p_value, signed
from relatask.publishing.inputs import Inputs, records

TABLE = {
    "caption": (
        "Whether the dependency between tasks that a method learned agrees with what is known of them: with "
        "the scores of the relation graph (STRING), with the similarity of the sequences of their proteins, "
        "and with the correlation of their training labels.\n\n"
        "Spearman's rank correlation over pairs of tasks, of the mean weight of both directions; the p value "
        "permutes tasks (Mantel's test), as pairs that share a task are not independent."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "compared_with": "string",  # relations, sequences or training labels
        "n_tasks": "int32",
        "n_left_out": "int32",  # tasks of which a pair is undefined
        "n_pairs": "int32",
        "n_seeds": "int32",
        "spearman": "float64?",  # of the mean over seeds
        "p_value": "float64?",  # two-sided, of the mean over seeds
        "spearman_of_seeds": "float64?",  # mean over seeds of each one's own
        "spearman_std": "float64?",  # population standard deviation over seeds
        "asymmetry": "float64?",  # |D - D'| / |D + D'| off the diagonal: 0 symmetric, 1 one way alone
        "reason": "string?",  # why there is no correlation
    },
    "when": ("tasks",),
    "needs": ("plan", "dataset", "splits", "sequences"),
    "saved": {"dependency": ("source", "target", "weight")},
    "category": "Task relations",
}


def make(inputs: Inputs) -> Table:
    """(Data set, split, method, what is known) x rank correlation with the learned dependency."""
    rows = [
        _row(dataset, one, name, known)
        for dataset in inputs.study.datasets
        for one in learned(inputs, dataset)
        for name, known in _known(inputs, dataset, one)
    ]
    data = pd.DataFrame(rows, columns=list(columns_of("table_dependency_agreement")))
    body = [
        [
            *(row[name] for name in ("dataset", "split", "method", "compared_with")),
            *(number(row[name], 0) for name in ("n_tasks", "n_left_out")),
            signed(row["spearman"], 2),
            p_value(row["p_value"]),
            _over_seeds(row),
            number(row["asymmetry"], 2),
        ]
        for row in records(data)
    ]
    header = ["data set", "split", "method", "compared with", "tasks", "left out", "ρ", "p"]
    header += ["ρ of each seed", "asymmetry"]
    reasons = [
        f"No correlation on {row['dataset']} ({row['split']}) with {row['compared_with']}: {row['reason']}."
        for row in records(data)
        if pd.notna(row["reason"])
    ]
    notes = [
        "ρ: Spearman's, over pairs of tasks, of the mean weight of both directions and over seeds; "
        f"p: two-sided, by Mantel's test with {PERMUTATIONS:,} permutations of tasks, not corrected for the "
        "number of rows. asymmetry: |D − Dᵀ| / |D + Dᵀ| off the diagonal, 0 where both directions weigh the "
        "same, 1 where only one does.",
        "relations: scores of the relation graph, 0 for a pair that it does not have, 1 for two tasks on one "
        "protein. sequences: cosine of counts of words of three residues. training labels: Pearson's "
        "correlation over the items that have both. Tasks with an undefined pair are left out.",
        *dict.fromkeys(reasons),
        inputs.reduced,
    ]
    title = f"{inputs.study.title}: what a learned dependency agrees with"
    return Table("dependency_agreement", title, data, header, body, 4, notes)


def _over_seeds(row: dict[str, Any]) -> str:
    mean = signed(row["spearman_of_seeds"], 2)
    return f"{mean} ± {number(row['spearman_std'], 2)}" if row["n_seeds"] > 1 and mean != NOTHING else mean


def _row(dataset: str, one: Learned, name: str, known: np.ndarray) -> dict[str, Any]:
    """Return the agreement of what was learned with what is known, [S, T, T], or [1, T, T] of all seeds."""
    both = symmetric(one.weights)
    correlation, p, kept = _agreement(both.mean(0), _mean(known), PERMUTATIONS)
    of_seeds = [_agreement(own, known[seed % len(known)], 0)[0] for seed, own in enumerate(both)]
    defined = [value for value in of_seeds if not np.isnan(value)]
    n, reason = len(kept), None
    if np.isnan(correlation):
        few = f"all pairs are defined of {n} of {len(one.tasks)} tasks, at least {MIN_TASKS} are needed"
        reason = "all pairs are alike" if n >= MIN_TASKS else few
    return {
        **{"dataset": dataset, "split": one.split, "method": one.method, "compared_with": name},
        **{"n_tasks": n, "n_left_out": len(one.tasks) - n, "n_pairs": n * (n - 1) // 2},
        **{"n_seeds": len(one.seeds), "spearman": correlation, "p_value": p},
        "spearman_of_seeds": np.mean(defined) if defined else None,
        "spearman_std": np.std(defined) if defined and len(of_seeds) > 1 else None,
        "asymmetry": float(np.mean([_asymmetry(own) for own in one.weights])),
        "reason": reason,
    }


def _agreement(one: np.ndarray, other: np.ndarray, permutations: int) -> tuple[float, float, np.ndarray]:
    """Return correlation and p value over the tasks whose pairs are all defined, and these tasks."""
    kept = complete(~np.isnan(one) & ~np.isnan(other))
    if len(kept) < MIN_TASKS:
        return np.nan, np.nan, kept
    inside = np.ix_(kept, kept)
    return *mantel(one[inside], other[inside], permutations), kept


def _mean(matrices: np.ndarray) -> np.ndarray:
    """Mean over those that are defined, [T, T]; NaN where none is."""
    there = ~np.isnan(matrices)
    return np.where(there.any(0), np.nansum(matrices, 0) / np.maximum(there.sum(0), 1), np.nan)


def _asymmetry(weights: np.ndarray) -> float:
    """|D - D'| / |D + D'| off the diagonal (Frobenius norms); NaN where D is 0."""
    off = ~np.eye(len(weights), dtype=bool) & ~np.isnan(symmetric(weights))
    total = np.linalg.norm((weights + weights.T)[off])
    return float(np.linalg.norm((weights - weights.T)[off]) / total) if total else np.nan


def _known(inputs: Inputs, dataset: str, one: Learned) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what is known of pairs of the learned tasks: a name, and matrices of all seeds or of each."""
    tasks = inputs.of_dataset(dataset, "tasks").set_index("task_id").loc[one.tasks]
    if inputs.study.datasets[dataset].relations is not None:
        yield "relations", _scores(inputs.of_dataset(dataset, "relations"), tasks)[None]
    if inputs.study.datasets[dataset].sequences is not None:
        yield "sequences", task_similarity(tasks["uniprots"].tolist(), inputs.sequences(dataset))[None]
    labels, found = inputs.of_dataset(dataset, "labels"), []
    for seed in one.seeds:
        path = inputs.results / dataset_file("split", dataset, scheme=one.split, seed=str(seed))
        fold = folds_of_labels(read_table("split", path), labels)
        found.append(label_correlation(labels[fold == FOLDS.index("train")], one.tasks))
    yield "training labels", np.stack(found)


def _scores(relations: pd.DataFrame, tasks: pd.DataFrame) -> np.ndarray:
    """Return the score of each two tasks, [T, T]; NaN where one has no protein that STRING can know."""
    ids = tasks.index.tolist()
    first, second = (task_positions(relations[end], ids) for end in ("task_i", "task_j"))
    inside = (first >= 0) & (second >= 0)
    scores = np.zeros((len(ids), len(ids)))
    np.maximum.at(scores, (first[inside], second[inside]), relations["score"].to_numpy(float)[inside])
    scores = np.maximum(scores, scores.T)
    proteins = tasks["string_ids"].map(list)
    row = np.repeat(np.arange(len(ids)), proteins.map(len))
    column, names = pd.factorize(proteins.explode().dropna())
    members = csr_array((np.ones(len(row)), (row, column)), shape=(len(ids), max(len(names), 1)))
    scores[(members @ members.T).toarray() > 0] = 1.0
    scores[proteins.map(len).to_numpy() == 0] = scores[:, proteins.map(len).to_numpy() == 0] = np.nan
    return scores
