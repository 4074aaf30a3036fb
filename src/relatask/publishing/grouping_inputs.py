"""What the tables and figures of task groups are made from, in the order of the study."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from relatask.config import StrategyConfig, StudyConfig
from relatask.core.tables import read_table
from relatask.grouping.collect import gain_table
from relatask.grouping.estimate import Estimate
from relatask.grouping.gains import GainTable
from relatask.grouping.tables import read_estimates
from relatask.publishing.published_values import Published

Row = tuple[str, int | None]  # a strategy's label and its number of rounds


@dataclass(frozen=True)
class Collection:
    """One collection of gains with its estimates and choices of groups; `folder` is the study's."""

    name: str
    study: StudyConfig
    folder: Path

    @cached_property
    def gains(self) -> GainTable:
        """The gains, averaged over seeds."""
        assert self.study.grouping is not None
        return gain_table(self._read("gains"), self.study.grouping.gains[self.name].task_ids)

    @cached_property
    def estimates(self) -> dict[Row, dict[int, Estimate]]:
        """(strategy, rounds) -> seed -> estimate, in the order of the study."""
        found: dict[Row, dict[int, Estimate]] = {}
        for strategy in self.strategies:
            path = self.folder / "estimates" / self.name / f"{strategy.label}.parquet"
            if strategy.estimator != "random":  # which estimates nothing
                found |= read_estimates(read_table("estimates", path), self.gains)
        return found

    @cached_property
    def groupings(self) -> pd.DataFrame:
        """Table "groupings"."""
        return self._read("groupings")

    @cached_property
    def groups(self) -> pd.DataFrame:
        """Table "groups"."""
        return self._read("groups")

    @property
    def encodings(self) -> pd.DataFrame:
        """Table "encodings"."""
        return self._read("encodings")

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

    def judged(self, estimate: Estimate) -> np.ndarray:
        """Which cells [S, N] an estimate is judged by: tasks in sets of 2 or more that it was not told."""
        sets = ~estimate.trained & (self.gains.sizes > 1)
        return self.gains.sets & sets[:, None] & ~np.isnan(estimate.table)

    def _read(self, table: str) -> pd.DataFrame:
        return read_table(table, self.folder / table / f"{self.name}.parquet")


@dataclass(frozen=True)
class GroupingInputs:
    """A study that groups tasks, and its results."""

    study: StudyConfig
    scale: str
    folder: Path  # the study's folder of results
    published: list[Published] = field(default_factory=list)

    @cached_property
    def collections(self) -> list[Collection]:
        """In the order of the study."""
        assert self.study.grouping is not None
        return [Collection(name, self.study, self.folder) for name in self.study.grouping.gains]

    @property
    def replayed(self) -> list[Collection]:
        """Those of which every set was trained, so that strategies can be judged by them."""
        assert self.study.grouping is not None
        return [one for one in self.collections if one.name in self.study.grouping.replayed]

    @property
    def reduced(self) -> str:
        """The footnote that says what is smaller than in the paper."""
        reduced = self.study.scales[self.scale].reduced  # type: ignore[index]
        return f"Scale {self.scale}: {'; '.join(reduced) if reduced else 'nothing is reduced'}."


def name_of(row: Row) -> str:
    """Return how tables and figures call a strategy: "MTG K=3"."""
    return row[0] if row[1] is None else f"{row[0]} K={row[1]}"


def over_seeds(values: Sequence[float] | pd.Series) -> tuple[float, float | None]:
    """Return mean and population standard deviation, the latter None for one value."""
    return float(np.mean(values)), float(np.std(values)) if len(values) > 1 else None
