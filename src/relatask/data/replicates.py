"""Several labels of one cell become one: labels by agreement, measured values by their median.

A measurement is the set of values that it allows: 5.5 allows itself, >10 all above 10, <=4 all up to 4.

* Values have their median, of the measurements that are values themselves. Bounds that allow the median (or
  touch it) say nothing more and are dropped; one that excludes it is a conflict.
* Where there are bounds alone, the tightest stays. Bounds that exclude each other are a conflict, and so are
  bounds from two sides of a task of measured values, as a label has one bound.
* A threshold is applied to the result: a bound decides where all that it allows is on one side.
* Labels of 0 and 1 and classes must be equal; else they are a conflict.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from relatask.data.raw_table import SIGNS

DIFFER = "the labels differ"
EXCLUDED = "a bound excludes the median of the values"
EXCLUSIVE = "the bounds exclude each other"
TWO_SIDES = "there are bounds from two sides and no value"
UNDECIDED = "the bound does not decide: the threshold lies among what it allows"
_REASONS = ("", DIFFER, EXCLUDED, EXCLUSIVE, TWO_SIDES, UNDECIDED)


@dataclass(frozen=True)
class Merged:
    """The labels of a source, one for each cell, and what became of the others.

    Attributes:
        labels: item_id, task, value and bound, sorted by item and task.
        lost: cells that have labels and none of them stays: item, task, reason, and as texts separated by
            semicolons `rows` and `values` of all their labels; sorted likewise.
        counts: of labels: in = out + of_rejected_rows + merged + conflicting + undecided; and of cells:
            conflicting_cells, undecided_cells.
        spread: of tasks with measured values: task, cells measured more than once, their measurements, and
            their standard deviation, pooled over the cells.
    """

    labels: pd.DataFrame
    lost: pd.DataFrame
    counts: dict[str, int]
    spread: pd.DataFrame


@dataclass(frozen=True)
class _Rules:
    """What the labels of each of T tasks are.

    Attributes:
        real: bool [T], measured values.
        measured: bool [T], values of which something is computed: of real tasks, and with a threshold.
        at_least: float64 [T], from which value on the label is 1; NaN where there is no such threshold.
        at_most: likewise, up to which value.
    """

    real: np.ndarray
    measured: np.ndarray
    at_least: np.ndarray
    at_most: np.ndarray

    def label(self, task: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Return 1, 0, or NaN where all values from `low` to `high` do not fall on one side."""
        least, most = self.at_least[task], self.at_most[task]
        one = (low >= least) | (high <= most)
        zero = (high < least) | (low > most)
        return np.where(one, 1.0, np.where(zero, 0.0, np.nan))


def merge_labels(
    labels: pd.DataFrame,
    item_of_row: np.ndarray,
    tasks: pd.DataFrame,
    rows: np.ndarray | None = None,
    classes: Sequence[Sequence[str]] | None = None,
    labels_first: bool = False,
) -> Merged:
    """Merge the labels of rows that are one item, and several of one row.

    Args:
        labels: row_position, task, value, and bound where not all are "="; in any order.
        item_of_row: int64 [n_rows]; item of each row, -1 for a rejected row.
        tasks: T tasks: their `kind` where not all are binary, and `at_least` or `at_most` where the labels
            of binary tasks are measured values.
        rows: int64 [n_rows], what `lost` calls the rows; default: counted from 1.
        classes: of each task, the names of its classes, for `lost`.
        labels_first: apply thresholds to each measurement, and merge labels of 0 and 1 instead of values.

    Raises:
        ValueError: a label of a binary task without threshold is neither 0 nor 1.
    """
    rules, n_tasks = _rules_of(tasks), len(tasks)
    cells = item_of_row[labels["row_position"].to_numpy()] * n_tasks + labels["task"].to_numpy()
    kept = np.flatnonzero(item_of_row[labels["row_position"].to_numpy()] >= 0)
    cells, values, signs = cells[kept], labels["value"].to_numpy()[kept], _signs_of(labels)[kept]
    used, measured = values, rules.measured[cells % n_tasks]
    undecided = np.zeros(len(cells), bool)
    if labels_first:
        by_rule = measured & ~rules.real[cells % n_tasks]
        used = np.where(by_rule, rules.label(cells % n_tasks, *_allowed(values, signs)), values)
        undecided, measured = np.isnan(used), measured & ~by_rule
        used[undecided] = 0.0
    if not np.isin(used[~measured & ~_of_kind(tasks, "class")[cells % n_tasks]], (0.0, 1.0)).all():
        raise ValueError("a reader gave a label that is neither 0 nor 1")
    # By cell, then what is left out of it last, then values before bounds, then by value: the median is in
    # the middle of the values.
    inexact = undecided * 2 + (measured & (signs != 0))
    if measured.any() or undecided.any():
        order = np.lexsort((used, inexact, cells))
    else:
        order = np.argsort(cells, kind="stable")
    group = _Groups(cells[order], used[order], signs[order], measured[order], undecided[order])
    value, bound, reason = group.merged(rules, n_tasks)
    stays, task = reason == 0, group.cells % n_tasks
    merged = pd.DataFrame(
        {
            "item_id": group.cells[stays] // n_tasks,
            "task": task[stays].astype(np.int32),
            "value": value[stays].astype(np.float32),
            "bound": pd.Categorical.from_codes(bound[stays] + 1, pd.Index(["<", "=", ">"])),
        }
    )
    conflicting = ~stays & (reason != _REASONS.index(UNDECIDED))
    decided = group.sizes - group.n_undecided
    counts = {
        "in": len(labels),
        "of_rejected_rows": len(labels) - len(cells),
        "merged": int((decided - 1)[stays].sum()),
        "conflicting": int(decided[conflicting].sum()),
        "conflicting_cells": int(conflicting.sum()),
        "undecided": int(group.n_undecided.sum() + decided[~stays & ~conflicting].sum()),
        "undecided_cells": int((~stays & ~conflicting).sum()),
        "out": len(merged),
    }
    names = rows if rows is not None else np.arange(1, len(item_of_row) + 1)
    chosen = np.flatnonzero(np.repeat(~stays, group.sizes))  # labels of lost cells
    places = kept[order[chosen]]
    own = pd.DataFrame(
        {
            "group": np.repeat(np.arange(len(group.sizes)), group.sizes)[chosen],
            "row": names[labels["row_position"].to_numpy()[places]],
            "place": places,
            "value": values[order[chosen]],
            "sign": signs[order[chosen]],
        }
    )
    lost = _listed(group, ~stays, reason, n_tasks, own, classes)
    return Merged(merged, lost, counts, group.spread(n_tasks))


class _Groups:
    """Labels sorted by cell, and within a cell as `merge_labels` sorts them."""

    def __init__(
        self,
        cells: np.ndarray,
        values: np.ndarray,
        signs: np.ndarray,
        measured: np.ndarray,
        undecided: np.ndarray,
    ):
        self.starts = np.flatnonzero(np.diff(cells, prepend=-1) != 0)
        self.cells = cells[self.starts]  # of each group
        self.sizes = np.diff(self.starts, append=len(cells))
        self.values, self.signs, self.undecided = values, signs, undecided
        self.measured = measured[self.starts]
        self.exact = measured & (signs == 0)
        self.n_exact = self._sums(self.exact)
        self.n_undecided = self._sums(undecided)

    def _sums(self, marks: np.ndarray) -> np.ndarray:
        return np.add.reduceat(marks, self.starts, dtype=np.int64) if len(self.starts) else self.starts

    def merged(self, rules: _Rules, n_tasks: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the value of each cell, its bound as -1, 0 or 1, and the number of the reason to lose it."""
        value, bound = self.values[self.starts], np.zeros(len(self.starts), np.int64)
        reason = np.zeros(len(self.starts), np.int64)
        if not len(self.starts):
            return value, bound, reason
        # Of labels those that are decided stand first, so the first one is compared with all of them.
        same = (self.values == np.repeat(value, self.sizes)) | self.undecided
        agree = np.logical_and.reduceat(same, self.starts)
        reason[~self.measured & ~agree] = _REASONS.index(DIFFER)
        reason[self.n_undecided == self.sizes] = _REASONS.index(UNDECIDED)
        chosen = np.flatnonzero(self.measured)
        if len(chosen):
            value[chosen], bound[chosen], reason[chosen] = self._of_measured(rules, n_tasks, chosen)
        return value, bound, reason

    def _of_measured(
        self, rules: _Rules, n_tasks: int, chosen: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        task = self.cells[chosen] % n_tasks
        reason = np.zeros(len(chosen), np.int64)
        low, high = _allowed(self.values, self.signs)
        open_below, open_above = ~self.exact & (self.signs <= 0), ~self.exact & (self.signs >= 0)
        low = np.maximum.reduceat(np.where(self.exact | open_below, -np.inf, low), self.starts)[chosen]
        high = np.minimum.reduceat(np.where(self.exact | open_above, np.inf, high), self.starts)[chosen]
        median = self._medians(chosen)
        for limit in (rules.at_least[task], rules.at_most[task]):  # a mean of two may miss it by rounding
            median = np.where(np.isclose(median, limit, rtol=1e-12, atol=0.0), limit, median)
        has_value = ~np.isnan(median)
        # The next number beyond: a bound that touches the median does not exclude it.
        excluded = (low > np.nextafter(median, np.inf)) | (high < np.nextafter(median, -np.inf))
        reason[has_value & excluded] = _REASONS.index(EXCLUDED)
        reason[~has_value & (low > high)] = _REASONS.index(EXCLUSIVE)
        low, high = np.where(has_value, median, low), np.where(has_value, median, high)
        real = rules.real[task]
        two = real & np.isfinite(low) & np.isfinite(high) & (low != high)
        reason[two & (reason == 0)] = _REASONS.index(TWO_SIDES)
        label = rules.label(task, low, high)
        reason[~real & np.isnan(label) & (reason == 0)] = _REASONS.index(UNDECIDED)
        bound = np.where(np.isinf(high), 1, np.where(np.isinf(low), -1, 0))
        value = np.where(bound > 0, low, high)
        return np.where(real, value, label), np.where(real, bound, 0), reason

    def _medians(self, chosen: np.ndarray) -> np.ndarray:
        """Return the median of the values of chosen cells, NaN where they have bounds alone."""
        number = self.n_exact[chosen]
        first = self.starts[chosen] + np.maximum(number - 1, 0) // 2
        second = self.starts[chosen] + np.minimum(number // 2, np.maximum(number - 1, 0))
        one, other = self.values[first], self.values[second]
        return np.where(number > 0, one + (other - one) / 2, np.nan)

    def spread(self, n_tasks: int) -> pd.DataFrame:
        """Return of each task with cells of two values or more: cells, measurements, pooled deviation."""
        again = np.flatnonzero(self.n_exact > 1)
        columns = ("task", "cells", "measurements", "deviation")
        if not len(again):
            return pd.DataFrame({name: [] for name in columns})
        group = np.repeat(np.arange(len(self.starts)), self.sizes)
        used = self.exact & (self.n_exact > 1)[group]
        own, values = group[used], self.values[used]
        mean = np.bincount(own, values, len(self.starts)) / np.maximum(self.n_exact, 1)
        squares = np.bincount(own, (values - mean[own]) ** 2, len(self.starts))
        task = self.cells[again] % n_tasks
        cells = np.bincount(task, minlength=n_tasks)
        measurements = np.bincount(task, self.n_exact[again], n_tasks)
        total = np.bincount(task, squares[again], n_tasks)
        there = np.flatnonzero(cells)
        deviation = np.sqrt(total[there] / (measurements - cells)[there])
        found = (there, cells[there], measurements[there].astype(np.int64), deviation)
        return pd.DataFrame(dict(zip(columns, found, strict=True)))


def _allowed(values: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the greatest number that each measurement allows, both included."""
    low = np.where(signs == 1, np.nextafter(values, np.inf), values)
    high = np.where(signs == -1, np.nextafter(values, -np.inf), values)
    return np.where(signs < 0, -np.inf, low), np.where(signs > 0, np.inf, high)


def _signs_of(labels: pd.DataFrame) -> np.ndarray:
    """Return the bounds as int8 in the order of `SIGNS`, 0 for a value itself."""
    if "bound" not in labels:
        return np.zeros(len(labels), np.int8)
    bound = labels["bound"].astype("category").cat
    codes = np.array([SIGNS.index(name) - 2 for name in bound.categories], np.int8)
    found: np.ndarray = codes[bound.codes]
    return found


def _of_kind(tasks: pd.DataFrame, kind: str) -> np.ndarray:
    kinds = tasks["kind"] if "kind" in tasks else pd.Series("binary", tasks.index)
    found: np.ndarray = (kinds == kind).to_numpy(bool)
    return found


def _rules_of(tasks: pd.DataFrame) -> _Rules:
    limits = [
        pd.to_numeric(tasks[name]).to_numpy(np.float64, na_value=np.nan)
        if name in tasks
        else np.full(len(tasks), np.nan)
        for name in ("at_least", "at_most")
    ]
    real = _of_kind(tasks, "real")
    return _Rules(real, real | ~np.isnan(limits[0]) | ~np.isnan(limits[1]), *limits)


def _listed(
    group: _Groups,
    lost: np.ndarray,
    reason: np.ndarray,
    n_tasks: int,
    labels: pd.DataFrame,
    classes: Sequence[Sequence[str]] | None,
) -> pd.DataFrame:
    """Return a row for each lost cell, with the rows and values of all its labels in the order of the file.

    Args:
        group: of all labels.
        lost: bool, of the cells.
        reason: number of the reason, of the cells.
        n_tasks: number of tasks.
        labels: of lost cells: which cell, row, place in the file, value and sign of each label.
        classes: of each task, the names of its classes.
    """
    chosen = labels.sort_values(["group", "row", "place"])
    texts = []
    for own, value, sign in zip(chosen["group"], chosen["value"], chosen["sign"], strict=True):
        names = classes[int(group.cells[own] % n_tasks)] if classes else ()
        texts.append(names[int(value)] if names else f"{SIGNS[sign + 2].removeprefix('=')}{value:.6g}")
    frame = pd.DataFrame({"rows": chosen["row"].astype(str), "values": texts, "group": chosen["group"]})
    joined = frame.groupby("group", sort=True)[["rows", "values"]].agg(";".join)
    cells = group.cells[lost]
    return pd.DataFrame(
        {
            "item": cells // n_tasks,
            "task": (cells % n_tasks).astype(np.int32),
            "reason": np.array(_REASONS, object)[reason[lost]],
            "rows": joined["rows"].to_numpy(object),
            "values": joined["values"].to_numpy(object),
        }
    )
