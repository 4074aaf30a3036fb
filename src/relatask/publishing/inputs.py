"""What the tables of a study are made from, in the order of the study."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pandas as pd

from relatask.config import StudyConfig
from relatask.evaluation.metrics import METRICS
from relatask.publishing.data_size import size_notes, smoke_run, wholes
from relatask.publishing.formatting import Bold
from relatask.publishing.published_values import Published


@dataclass(frozen=True)
class Inputs:
    """A study and its results; `results` is the folder that holds a folder per data set."""

    study: StudyConfig
    scale: str
    plan: pd.DataFrame
    metrics: pd.DataFrame
    summary: pd.DataFrame
    comparisons: pd.DataFrame
    results: Path
    published: list[Published] = field(default_factory=list)
    costs: pd.DataFrame | None = None

    @property
    def metric(self) -> str:
        """The metric that leads the tables."""
        return self.study.metrics[0]

    @property
    def methods(self) -> list[str]:
        """Labels of the methods, in the order of the study."""
        return [method.label for method in self.study.methods]

    @property
    def columns(self) -> list[tuple[str, str]]:
        """(data set, split scheme) in the order of the study."""
        return [(name, scheme) for name in self.study.datasets for scheme in self.study.splits.schemes]

    @property
    def comparable(self) -> bool:
        """Whether a paper's number stands for one of ours: there is one split scheme, and no smoke run."""
        return len(self.study.splits.schemes) == 1 and not smoke_run(wholes(self.study), self.results)

    @property
    def reduced(self) -> str:
        """The footnote that says what is smaller than in the papers."""
        reduced = size_notes(self.study, self.results)
        reduced += self.study.scales[self.scale].reduced  # type: ignore[index]
        return f"Scale {self.scale}: {'; '.join(reduced) if reduced else 'nothing is reduced'}."

    def ordered(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Sort rows by data set, split, method and metric as the study lists them; others are left out."""
        orders: dict[str, list[str]] = {
            "dataset": list(self.study.datasets),
            "split": list(self.study.splits.schemes),
            "method": self.methods,
            "metric": list(self.study.metrics),
        }
        ranks = pd.DataFrame(index=frame.index)
        for column, order in orders.items():
            if column in frame.columns:
                ranks[column] = frame[column].astype(object).map({name: i for i, name in enumerate(order)})
        ranks = ranks.dropna().sort_values(list(ranks.columns), kind="stable")
        return frame.loc[ranks.index].reset_index(drop=True)

    def test_summary(self) -> pd.DataFrame:
        """The summary of the test fold, ordered."""
        return self.ordered(self.summary[self.summary["fold"] == "test"])


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of `frame` as dicts."""
    return cast(list[dict[str, Any]], frame.to_dict("records"))


def best_of(values: list[float | None], metric: str) -> float | None:
    """Return the best defined value, or None."""
    defined = [value for value in values if value is not None and value == value]
    if not defined:
        return None
    return max(defined) if METRICS[metric].higher_is_better else min(defined)


def marked(text: str, value: float | None, best: float | None) -> str:
    """Return `text`, bold where its value is the best."""
    return Bold(text) if best is not None and value == best else text
