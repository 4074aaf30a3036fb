"""What is known of pairs of tasks, beside which a learned dependency is set."""

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from relatask.core.layout import dataset_file
from relatask.core.tables import read_table
from relatask.data.sequences import task_similarity
from relatask.data.splits import FOLDS, folds_of_labels
from relatask.data.tasks import task_positions
from relatask.evaluation.label_correlation import correlated_labels, label_correlation
from relatask.publishing.inputs import Inputs


def known_dependency(
    inputs: Inputs, dataset: str, split: str, seeds: list[int], task_ids: list[str]
) -> dict[str, np.ndarray]:
    """Return what is known of pairs of T tasks: name -> [S, T, T], of each seed, or [1, T, T] of all."""
    all_tasks, found = inputs.of_dataset(dataset, "tasks"), {}
    tasks = all_tasks.set_index("task_id").loc[task_ids]
    if inputs.study.datasets[dataset].relations is not None:
        found["relations"] = scores_of(inputs.of_dataset(dataset, "relations"), tasks)[None]
    if inputs.study.datasets[dataset].sequences is not None:
        found["sequences"] = task_similarity(tasks["uniprots"].tolist(), inputs.sequences(dataset))[None]
    labels, of_seeds = inputs.of_dataset(dataset, "labels"), []
    for seed in seeds:
        path = inputs.results / dataset_file("split", inputs.name, dataset, scheme=split, seed=str(seed))
        fold = folds_of_labels(read_table("split", path), labels)
        known = correlated_labels(labels[fold == FOLDS.index("train")], all_tasks)
        of_seeds.append(label_correlation(known, task_ids))
    return {**found, "training labels": np.stack(of_seeds)}


def scores_of(relations: pd.DataFrame, tasks: pd.DataFrame) -> np.ndarray:
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
