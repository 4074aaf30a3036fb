"""How tasks relate: the best interaction score over the pairs of their proteins."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relatask.config import RelationsConfig
from relatask.core.errors import RelataskError
from relatask.data.interactions import Interactions, strip_species

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from scipy.sparse import csr_array

SAME_PROTEIN = "same_protein"  # `kind` of an edge between two tasks on one protein


@dataclass(frozen=True)
class _Membership:
    """Which tasks have which known protein: entry e says that task[e] has protein[e]; sorted by task."""

    task: "np.ndarray"  # positions in the task table
    protein: "np.ndarray"  # positions in `Interactions.proteins`


def relate_tasks(
    tasks: "pd.DataFrame", interactions: Interactions, config: RelationsConfig
) -> tuple["pd.DataFrame", dict[str, Any]]:
    """Return the relation graph of `tasks` and a report of what could not be related.

    The weight of a task pair is the highest score over the pairs of their proteins (SGNN-EBM, A.3):
    w_ij = max{PPI(a, b) : a in S_i, b in S_j, a != b}. A protein is never paired with itself; with
    ``same_protein: edge`` two tasks that share a protein get score 1 instead.

    Args:
        tasks: table `tasks`.
        interactions: scored protein pairs of one channel.
        config: `min_score`, `same_protein` and `channel` are read.

    Returns:
        Table `relations`, one row per pair with score > 0 and >= `min_score`, task_i < task_j as
        strings, sorted; and counts with the names of the tasks and proteins that have no part in it.

    Raises:
        RelataskError: no task has a protein that the interactions know.
    """
    import numpy as np
    import pandas as pd

    members, report = _membership(tasks, interactions, config.source)
    first, second, score = _best_scores(members, _symmetric(interactions, members))
    kind = np.full(len(score), f"string:{config.channel}", dtype=object)
    if config.same_protein == "edge":
        shared_first, shared_second = _sharing(members, len(tasks))
        other = ~np.isin(first * len(tasks) + second, shared_first * len(tasks) + shared_second)
        first, second = np.r_[first[other], shared_first], np.r_[second[other], shared_second]
        score = np.r_[score[other], np.ones(len(shared_first))]
        kind = np.r_[kind[other], np.full(len(shared_first), SAME_PROTEIN, dtype=object)]
    kept = score >= config.min_score  # scores of 0 never got here
    names = tasks["task_id"].to_numpy(dtype=object)
    left, right = names[first[kept]], names[second[kept]]
    ordered = left < right
    relations = pd.DataFrame(
        {
            "task_i": np.where(ordered, left, right),
            "task_j": np.where(ordered, right, left),
            "score": score[kept],
            "kind": kind[kept],
        }
    ).sort_values(["task_i", "task_j"], ignore_index=True)
    related = np.union1d(first[kept], second[kept])
    report |= {
        "edges": len(relations),
        "pairs_below_min_score": int((~kept).sum()),
        "tasks_related": len(related),
    }
    return relations, report


def _membership(
    tasks: "pd.DataFrame", interactions: Interactions, source: str
) -> tuple[_Membership, dict[str, Any]]:
    """Return which task has which known protein, and the report of tasks and proteins left over."""
    import numpy as np
    import pandas as pd

    lengths = tasks["string_ids"].map(len).to_numpy(dtype=np.int64)
    ids = strip_species([name for names in tasks["string_ids"] for name in names])
    task = np.repeat(np.arange(len(tasks)), lengths)
    protein = pd.Index(interactions.proteins).get_indexer(pd.Index(ids, dtype=object))
    known = protein >= 0
    has_uniprot = tasks["uniprots"].map(len).to_numpy() > 0
    is_known = np.bincount(task[known], minlength=len(tasks)) > 0
    names = tasks["task_id"].to_numpy(dtype=object)
    report = {
        "tasks_without_protein": names[(lengths == 0) & ~has_uniprot].tolist(),
        "tasks_without_string_id": names[(lengths == 0) & has_uniprot].tolist(),
        "tasks_unknown_to_interactions": names[(lengths > 0) & ~is_known].tolist(),
        "proteins_unknown_to_interactions": sorted({ids[entry] for entry in np.flatnonzero(~known)}),
    }
    if not ids and has_uniprot.any():
        raise RelataskError(
            f"the tasks have UniProt accessions and no STRING ids, by which {interactions.where} names "
            f"proteins; write `proteins: uniprot` below `relations`, and the workflow gets {source}_aliases "
            f"of config/datasets.tsv, as `relatask retrieve {source}_aliases` does for a `mirror`."
        )
    if not known.any():
        example = f"such as {ids[0]}" if ids else "(the column string_ids is empty everywhere)"
        raise RelataskError(
            f"{interactions.where} knows no protein of the {len(tasks)} tasks {example}; relations need "
            "the tasks' STRING ids (ENSP...) of the release that the interactions are from."
        )
    entries = np.unique(np.c_[task[known], protein[known]], axis=0)
    return _Membership(entries[:, 0], entries[:, 1]), report


def _symmetric(interactions: Interactions, members: _Membership) -> "csr_array":
    """Return scores between the members' proteins as a sparse [P, P] matrix: both directions, no diagonal."""
    import numpy as np
    from scipy.sparse import csr_array

    size = len(interactions.proteins)
    involved = np.zeros(size, dtype=bool)
    involved[members.protein] = True
    a, b, score = interactions.first, interactions.second, interactions.score
    use = involved[a] & involved[b] & (a != b) & (score > 0)
    a, b, score = a[use].astype(np.int64), b[use].astype(np.int64), score[use]
    rows, columns, score = np.r_[a, b], np.r_[b, a], np.r_[score, score]
    order = np.lexsort((-score, columns, rows))
    rows, columns, score = rows[order], columns[order], score[order]
    # a pair may be listed in both directions or by two answers: the highest score counts
    highest = np.r_[True, (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])][: len(rows)]
    return csr_array((score[highest], (rows[highest], columns[highest])), shape=(size, size))


def _best_scores(
    members: _Membership, scores: "csr_array"
) -> tuple["np.ndarray", "np.ndarray", "np.ndarray"]:
    """Return (i, j, score) of all task pairs i < j (as positions) with a score above 0.

    One pass per task over the rows of its proteins: time O(tasks x memberships), memory O(proteins).
    """
    import numpy as np

    tasks, starts = np.unique(members.task, return_index=True)
    firsts, seconds, values = [], [], []
    for i, proteins in zip(tasks, np.split(members.protein, starts[1:]), strict=True):
        rows = scores[proteins]
        best = np.zeros(scores.shape[0])
        np.maximum.at(best, rows.indices, rows.data)
        weight = np.maximum.reduceat(best[members.protein], starts)
        partners = np.flatnonzero((weight > 0) & (tasks > i))
        firsts.append(np.full(len(partners), i))
        seconds.append(tasks[partners])
        values.append(weight[partners])
    return np.concatenate(firsts), np.concatenate(seconds), np.concatenate(values)


def _sharing(members: _Membership, n_tasks: int) -> tuple["np.ndarray", "np.ndarray"]:
    """Return the task pairs i < j (as positions) that have a protein in common."""
    import numpy as np
    from scipy.sparse import csr_array, triu

    ones = np.ones(len(members.task), dtype=np.int32)
    incidence = csr_array(
        (ones, (members.task, members.protein)), shape=(n_tasks, int(members.protein.max()) + 1)
    )
    pairs = triu(incidence @ incidence.T, k=1).tocoo()
    return pairs.row.astype(np.int64), pairs.col.astype(np.int64)
