"""What MTG-Net makes of task sets, laid out in two dimensions (MTG-Net, figure 4)."""

import numpy as np
import pandas as pd
from sklearn.manifold import TSNE

from relatask.grouping.active import Snapshot
from relatask.grouping.gains import GainTable

TASKS = 5  # tasks that are laid out
LEAST = 5  # points that t-SNE needs


def encoding_points(gains: GainTable, snapshots: list[Snapshot], seed: int) -> pd.DataFrame:
    """Return table "encodings": a point for each set of a task, of those trained and of all.

    The encodings are H of eq. 2, those of one task among the tasks of each set. Each panel, one task and one
    stage, is laid out by itself.

    Args:
        gains: the table; its gains colour the points and decide nothing.
        snapshots: of one selection, in order; the first and the last are laid out.
        seed: of t-SNE.
    """
    parts = []
    ends = [snapshots[0], snapshots[-1]][: len(snapshots)]
    for task in most_varied_tasks(gains):
        for snapshot in ends:
            trained = np.zeros(len(gains.sets), bool)
            trained[snapshot.chosen] = True
            parts.append(_panel(gains, snapshot, task, f"trained, K={snapshot.round}", trained, seed))
        everything = np.ones(len(gains.sets), bool)
        parts.append(_panel(gains, snapshots[-1], task, f"all, K={snapshots[-1].round}", everything, seed))
    return pd.concat(parts, ignore_index=True)


def most_varied_tasks(gains: GainTable) -> list[int]:
    """Return the positions of the tasks whose validation gains differ most between sets, 5 at most."""
    spread = np.nanstd(gains.valid, axis=0)
    return sorted(int(task) for task in np.argsort(-spread, kind="stable")[:TASKS])


def _panel(
    gains: GainTable, snapshot: Snapshot, task: int, stage: str, wanted: np.ndarray, seed: int
) -> pd.DataFrame:
    rows = np.flatnonzero(wanted & gains.sets[:, task] & (gains.sizes > 1))
    encoded = snapshot.model.encode(gains.sets[rows])[:, task]
    if len(rows) < LEAST:
        place = np.zeros((len(rows), 2))
        place[:, 0] = np.arange(len(rows))  # too few for a layout: side by side
    else:
        perplexity = min(30.0, (len(rows) - 1) / 3)
        place = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(encoded)
    return pd.DataFrame(
        {
            "task_id": gains.tasks[task],
            "stage": stage,
            "x": place[:, 0],
            "y": place[:, 1],
            "gain": gains.valid[rows, task],
        }
    )
