"""Which method is best, by how much, and whether that is more than chance: for one sentence.

Each task is measured by what has no unit: ROC-AUC of labels of 0 and 1, R2 of measured values (at least 0,
so that a task that nothing predicts cannot decide alone), accuracy of classes. A difference is the mean over
the tasks that both methods have a value of, and its interval takes one look for each split (`fold_test`). The
winner was chosen on the same test items, so its margins are a little too good; intervals are as wide as all
methods need.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from relatask.core.kinds import DEFAULT_METRICS, Kind
from relatask.evaluation import fold_test

MEASURES: Mapping[Kind, str] = {kind: names[0] for kind, names in DEFAULT_METRICS.items()}
MARGIN = 0.005  # a difference up to it makes none in practice: half a point of ROC-AUC


@dataclass(frozen=True)
class Difference:
    """How much one method is ahead of another.

    Attributes:
        method: the one.
        other: the other.
        mean: of the differences of all splits; above 0 where the one is better.
        low: lower end of its 95 % interval; NaN where there is none, as of two splits.
        high: upper end.
    """

    method: str
    other: str
    mean: float
    low: float
    high: float

    @property
    def said(self) -> fold_test.Verdict:
        """The verdict: better, worse, equal, or undecided."""
        return fold_test.verdict_of(self.low, self.high, MARGIN)


@dataclass(frozen=True)
class Verdict:
    """The best method of a study.

    Attributes:
        winner: its label.
        mean: over splits of the mean over tasks of each task's measure.
        n_splits: how many there are.
        kinds: of the tasks that were measured.
        runner_up: the difference to the second; None where there is one method.
        baseline: the difference to the baseline; None where that is the winner.
        together: of learning tasks together to learning each alone; None where that was not tried.
    """

    winner: str
    mean: float
    n_splits: int
    kinds: tuple[Kind, ...]
    runner_up: Difference | None
    baseline: Difference | None
    together: Difference | None


def verdict(
    cells: pd.DataFrame,
    kinds: Mapping[str, Kind],
    baseline: str,
    test_to_train: float,
    together: Sequence[str] | None = None,
) -> Verdict | None:
    """Return the verdict of one data set and split, None where no cell has a value.

    Args:
        cells: as `aggregate.join_plan` returns.
        kinds: task_id -> what its labels are.
        baseline: label of the method that others are compared with.
        test_to_train: items for test over items for training.
        together: labels of a method that learns all tasks together, and of the same that learns each alone.
    """
    chosen = cells[cells["fold"] == "test"].dropna(subset="value")
    task = chosen["task_id"].astype(object)
    chosen = chosen[chosen["metric"].astype(object) == task.map(kinds).map(dict(MEASURES))]
    if chosen.empty:
        return None
    table = chosen.assign(value=chosen["value"].clip(lower=0.0)).pivot_table(
        index=["seed", "task_id"], columns="method", values="value", observed=True
    )
    common = table.dropna()
    means = (common if len(common) else table).groupby("seed").mean().mean().sort_values(ascending=False)
    winner, *others = means.index
    pairs = [(winner, others[0])] if others else []
    if baseline in means and baseline not in {winner, *others[:1]}:
        pairs.append((winner, baseline))
    if together and set(together) <= set(means.index) and tuple(together) not in pairs:
        pairs.append((together[0], together[1]))
    family = fold_test.Family.of(common.groupby("seed").mean().to_numpy(np.float64))
    found = {
        (one, other): _difference(one, other, table[one] - table[other], family, test_to_train)
        for one, other in pairs
    }
    return Verdict(
        winner=winner,
        mean=float(means.iloc[0]),
        n_splits=int(chosen["seed"].nunique()),
        kinds=tuple(kind for kind in MEASURES if kind in {kinds[name] for name in task.unique()}),
        runner_up=found.get((winner, others[0])) if others else None,
        baseline=found.get((winner, baseline)),
        together=found.get((together[0], together[1])) if together else None,
    )


def _difference(
    one: str, other: str, cells: pd.Series, family: fold_test.Family, test_to_train: float
) -> Difference:
    """Return the difference of two methods over splits; 0 without an interval where no cell has both."""
    splits = cells.dropna().groupby("seed").mean().to_numpy(np.float64)
    low, high = fold_test.interval(splits, family, test_to_train)
    return Difference(one, other, float(splits.mean()) if len(splits) else 0.0, low, high)
