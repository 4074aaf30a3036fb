"""Relations and densification agree with literal readings of the paper on any input."""

from itertools import combinations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from relatask.config import DensifyConfig, RelationsConfig
from relatask.data.densify import densify
from relatask.data.interactions import Interactions
from relatask.data.relations import relate_tasks

PROTEINS = [f"ENSP{number}" for number in range(7)]


@st.composite
def task_proteins(draw) -> list[list[str]]:
    known = st.lists(st.sampled_from([*PROTEINS, "ENSP99"]), max_size=4)
    return [[PROTEINS[0]], *draw(st.lists(known, min_size=1, max_size=8))]


@st.composite
def interactions(draw) -> Interactions:
    place = st.integers(0, len(PROTEINS) - 1)
    rows = draw(st.lists(st.tuples(place, place, st.integers(0, 1000)), max_size=25))
    columns = np.array(rows or np.empty((0, 3)), dtype=np.int64).T
    return Interactions(PROTEINS, columns[0], columns[1], columns[2] / 1000, "test")


def literal_relations(proteins: list[list[str]], table: Interactions, config: RelationsConfig) -> dict:
    """SGNN-EBM A.3: w_ij = max{PPI(s_i, s_j)}, written as loops over all pairs."""
    ppi: dict[tuple[str, str], float] = {}
    for a, b, score in zip(table.first, table.second, table.score, strict=True):
        for pair in ((PROTEINS[a], PROTEINS[b]), (PROTEINS[b], PROTEINS[a])):
            ppi[pair] = max(ppi.get(pair, 0.0), score)
    edges = {}
    for i, j in combinations(range(len(proteins)), 2):
        weight = max((ppi.get((a, b), 0.0) for a in proteins[i] for b in proteins[j] if a != b), default=0.0)
        shared = set(proteins[i]) & set(proteins[j]) & set(PROTEINS)
        pair = tuple(sorted((f"t{i}", f"t{j}")))
        if config.same_protein == "edge" and shared:
            edges[pair] = 1.0
        elif weight > 0 and weight >= config.min_score:
            edges[pair] = weight
    return edges


@settings(max_examples=150)
@given(task_proteins(), interactions(), st.sampled_from([0, 0.3, 0.7]), st.sampled_from(["none", "edge"]))
def test_relations_are_those_of_the_papers_formula(proteins, table, least, same):
    config = RelationsConfig(source="test", min_score=least, same_protein=same)
    tasks = pd.DataFrame(
        {
            "task_id": [f"t{number}" for number in range(len(proteins))],
            "uniprots": [[]] * len(proteins),
            "string_ids": [[f"9606.{name}" for name in names] for names in proteins],
        }
    )
    relations, _ = relate_tasks(tasks, table, config)
    pairs = list(zip(relations["task_i"], relations["task_j"], strict=True))
    assert dict(zip(pairs, relations["score"], strict=True)) == literal_relations(proteins, table, config)
    assert pairs == sorted(set(pairs))
    assert all(first < second for first, second in pairs)


@st.composite
def label_tables(draw) -> np.ndarray:
    """Table of 1, 0 and -1 for missing."""
    shape = draw(st.tuples(st.integers(1, 12), st.integers(1, 8)))
    cells = st.lists(st.sampled_from([1, 0, -1]), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1])
    return np.array(draw(cells)).reshape(shape)


bounds = st.builds(
    DensifyConfig,
    tau=st.integers(1, 4),
    min_positives=st.integers(1, 2),
    min_negatives=st.integers(1, 2),
    drop_isolated=st.booleans(),
)


def literal_densify(table: np.ndarray, config: DensifyConfig, related: np.ndarray) -> tuple[set, set]:
    """SGNN-EBM A.3 read literally on a dense table, one molecule or task at a time, tasks first."""
    molecules = set(range(table.shape[0]))
    tasks = {t for t in range(table.shape[1]) if related[t] or not config.drop_isolated}
    while True:
        for t in sorted(tasks):
            column = [table[m, t] for m in molecules if table[m, t] >= 0]
            enough = len(column) >= config.tau and sum(column) >= config.min_positives
            if not enough or len(column) - sum(column) < config.min_negatives:
                tasks.remove(t)
                break
        else:
            for m in sorted(molecules):
                if sum(table[m, t] >= 0 for t in tasks) < config.tau:
                    molecules.remove(m)
                    break
            else:
                return molecules, tasks


def run(table: np.ndarray, config: DensifyConfig, related: np.ndarray):
    molecule, task = np.nonzero(table >= 0)
    return densify(molecule, task, table[molecule, task] == 1, table.shape, config, related)


@settings(max_examples=200)
@given(label_tables(), bounds, st.integers(0, 255))
def test_densification_leaves_the_largest_table_within_the_bounds(table, config, graph):
    related = np.array([bool(graph >> t & 1) for t in range(table.shape[1])])
    kept = run(table, config, related)
    molecules, tasks = literal_densify(table, config, related)
    assert set(np.flatnonzero(kept.items)) == molecules
    assert set(np.flatnonzero(kept.tasks)) == tasks
    assert len(kept.cells) == (table[np.ix_(sorted(molecules), sorted(tasks))] >= 0).sum()
    assert kept.rounds[-1] == {"items": len(molecules), "tasks": len(tasks), "labels": len(kept.cells)}


@settings(max_examples=100)
@given(label_tables(), bounds, st.randoms(use_true_random=False))
def test_the_order_of_molecules_and_tasks_does_not_matter(table, config, random):
    rows, columns = list(range(table.shape[0])), list(range(table.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    everything = np.ones(table.shape[1], dtype=bool)
    kept, shuffled = run(table, config, everything), run(table[np.ix_(rows, columns)], config, everything)
    assert kept.item_reasons[rows].tolist() == shuffled.item_reasons.tolist()
    assert kept.task_reasons[columns].tolist() == shuffled.task_reasons.tolist()
    assert kept.rounds == shuffled.rounds
