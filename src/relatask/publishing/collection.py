"""A collection of gains with what strategies make of it, as tables and figures of task groups read it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from relatask.config import StrategyConfig, StudyConfig
from relatask.core.layout import study_file
from relatask.core.tables import read_table
from relatask.grouping.collect import gain_table
from relatask.grouping.contract import Estimate
from relatask.grouping.drawn_sets import held_out_sets
from relatask.grouping.gains import GainTable
from relatask.grouping.tables import read_estimates

if TYPE_CHECKING:
    from relatask.publishing.inputs import Inputs

Found = TypeVar("Found")
Row = tuple[str, int | None]  # a strategy's label and its number of rounds


@dataclass(frozen=True)
class Collection:
    """One collection of gains with its estimates and choices of groups; `reader` knows where they lie."""

    name: str
    study: StudyConfig
    reader: "Inputs"

    @property
    def gains(self) -> GainTable:
        """The gains, averaged over seeds."""
        assert self.study.grouping is not None
        tasks = self.study.grouping.gains[self.name].task_ids
        return self._once("gains", lambda: gain_table(self._read("gains"), tasks))

    @property
    def zeros(self) -> pd.DataFrame:
        """What gains are relative to: alone, alone_std and alone_runs of each task, seed and fold."""
        self.reader.require("gains")
        columns = ["task_id", "seed", "fold", "alone", "alone_std", "alone_runs"]
        return self.reader.once(
            (self.name, "zeros"), lambda: self._read("gains")[columns].drop_duplicates(columns[:3])
        )

    @property
    def estimates(self) -> dict[Row, dict[int, Estimate]]:
        """(strategy, rounds) -> seed -> estimate, in the order of the study."""
        return self._once("estimates", self._read_estimates)

    def _read_estimates(self) -> dict[Row, dict[int, Estimate]]:
        found: dict[Row, dict[int, Estimate]] = {}
        for strategy in self.strategies:
            if strategy.record.estimates:
                found |= read_estimates(self._read("estimates", strategy=strategy.label), self.gains)
        return found

    @property
    def groupings(self) -> pd.DataFrame:
        """Table "groupings"."""
        return self._once("groupings", lambda: self._read("groupings"))

    @property
    def groups(self) -> pd.DataFrame:
        """Table "groups"."""
        return self._once("groups", lambda: self._read("groups"))

    @property
    def encodings(self) -> pd.DataFrame:
        """Table "encodings"."""
        return self._once("encodings", lambda: self._read("encodings"))

    @property
    def strategies(self) -> list[StrategyConfig]:
        """Strategies that are tried on it, in the order of the study."""
        assert self.study.grouping is not None
        return self.study.grouping.strategies_of(self.name)

    @property
    def budgets(self) -> list[int]:
        """Numbers of groups."""
        return sorted(set(self.groupings["budget"]))

    def rows(self) -> Iterator[tuple[Row, pd.DataFrame]]:
        """Yield each (strategy, rounds) and its groupings, strategies in the order of the study."""
        for strategy in self.strategies:
            own = self.groupings[self.groupings["strategy"] == strategy.label]
            for rounds in sorted(own["rounds"].dropna().unique()) or [None]:
                chosen = own if rounds is None else own[own["rounds"] == rounds]
                if len(chosen):
                    yield (strategy.label, None if rounds is None else int(rounds)), chosen

    def judged(self, row: Row) -> Iterator[tuple[Estimate, np.ndarray]]:
        """Yield each estimate of a row and the cells [S, N] that it is judged by.

        They are those of the sets that are held out under its seed, the same for all strategies; of one that
        draws nothing, of every seed in turn. Where the study holds none out, they are in the sets of 2 or
        more whose gains the estimate does not know.
        """
        assert self.study.grouping is not None
        share, gains = self.study.grouping.held_out, self.gains
        draws = self.study.grouping.strategy(row[0]).record.draws
        for own, estimate in self.estimates[row].items():
            for seed in [own] if draws or not share else self.study.grouping.seeds:
                held_out = held_out_sets(gains.sets, share, seed) if share else gains.sizes > 1
                sets = held_out & ~estimate.trained
                yield estimate, gains.sets & sets[:, None] & ~np.isnan(estimate.table)

    def _once(self, table: str, read: Callable[[], Found]) -> Found:
        self.reader.require(table)
        return self.reader.once((self.name, table), read)

    def _read(self, table: str, **wildcards: str) -> pd.DataFrame:
        path = study_file(table, self.reader.name, collection=self.name, **wildcards)
        return read_table(table, self.reader.results / path)


def name_of(row: Row) -> str:
    """Return how tables and figures call a strategy: "MTG K=3"."""
    return row[0] if row[1] is None else f"{row[0]} K={row[1]}"
