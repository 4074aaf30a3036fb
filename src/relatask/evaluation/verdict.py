"""Which method is best, by how much, and whether that is more than chance: for one sentence.

Each task is measured by what has no unit: ROC-AUC of labels of 0 and 1, R2 of measured values (at least 0,
so that a task that nothing predicts cannot decide alone), accuracy of classes. A difference is the mean over
the tasks that both methods have a value of. A test takes one difference for each split: Nadeau and Bengio's,
as splits share training items (`resampled`). The winner was chosen on the same test items, so its margins are
a little too good; the tests are corrected for their number (Holm).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from relatask.core.kinds import DEFAULT_METRICS, Kind
from relatask.evaluation.resampled import corrected_t_test
from relatask.evaluation.significance import holm

MEASURES: Mapping[Kind, str] = {kind: names[0] for kind, names in DEFAULT_METRICS.items()}
LEVEL = 0.05


@dataclass(frozen=True)
class Difference:
    """How much one method is ahead of another.

    Attributes:
        method: the one.
        other: the other.
        mean: of the differences of all splits; above 0 where the one is better.
        p: corrected for the number of tests; NaN where there is none, as of a single split.
    """

    method: str
    other: str
    mean: float
    p: float

    @property
    def said(self) -> str:
        """The verdict: better, worse, or not told apart."""
        if not self.p < LEVEL:
            return "not told apart"
        return "better" if self.mean > 0 else "worse"


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
    tested = [_difference(table[one] - table[other], test_to_train) for one, other in pairs]
    corrected = holm(pd.Series([p for _, p in tested], dtype=float))
    found = {
        pair: Difference(*pair, mean, float(p))
        for pair, (mean, _), p in zip(pairs, tested, corrected, strict=True)
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


def _difference(cells: pd.Series, test_to_train: float) -> tuple[float, float]:
    """Return the mean over splits of a difference, and the p value that it is 0."""
    splits = cells.dropna().groupby("seed").mean().to_numpy(np.float64)
    if not len(splits):
        return 0.0, float("nan")
    return float(splits.mean()), corrected_t_test(splits, test_to_train)[1]
