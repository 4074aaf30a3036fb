"""What the tables and figures of a study are made from, in the order of the study."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import pandas as pd

from relatask.config import StudyConfig
from relatask.core.errors import RelataskError
from relatask.core.files import require_recorded
from relatask.core.layout import dataset_file, raw_file, study_file
from relatask.core.outputs import FigureRecord, TableRecord
from relatask.core.registry import saved_tables
from relatask.core.tables import columns_of, read_table
from relatask.data.sequences import read_fasta
from relatask.evaluation.aggregate import join_plan, mixed_units, runs_of
from relatask.evaluation.metrics import METRICS
from relatask.plan.search import search_keys
from relatask.publishing.collection import Collection
from relatask.publishing.data_size import size_notes, smoke_run
from relatask.publishing.formatting import Bold
from relatask.publishing.published_values import Published

Found = TypeVar("Found")


@dataclass(frozen=True)
class Inputs:
    """A study and its results, read when they are first asked for.

    Attributes:
        study: the config.
        scale: one of its scales.
        results: folder that holds the study's, and raw files.
        name: of the study.
        published: numbers that papers report.
        known: what was read so far; a table that is given here, by its name, is not read from its file.
        needs: what may be read, see `relatask.core.layout.NEEDS`; None: everything.
        saved_tables: which tables that methods save may be read; None: all.
        maker: which output reads it, for messages.
    """

    study: StudyConfig
    scale: str
    results: Path
    name: str = "study"
    published: list[Published] = field(default_factory=list)
    known: dict[Any, Any] = field(default_factory=dict)
    needs: frozenset[str] | None = None
    saved_tables: frozenset[str] | None = None
    maker: str = ""

    def restricted(self, record: TableRecord | FigureRecord) -> "Inputs":
        """Return inputs of which an output may read what it says it needs; tables are still read once."""
        needs, saved_tables = frozenset(record.needs), frozenset(record.saved)
        return replace(self, needs=needs, saved_tables=saved_tables, maker=record.file)

    def require(self, need: str) -> None:
        """Refuse what the output did not say that it needs: its file may be absent or out of date.

        Raises:
            RelataskError: `need` is not among them.
        """
        if self.needs is not None and need not in self.needs:
            raise RelataskError(f"{self.maker} reads {need!r}; add it to the `needs` of its file.")

    def saved(self, name: str) -> pd.DataFrame:
        """Return a table that methods of the study save: `run_id` and the columns that they declare.

        Raises:
            RelataskError: the output does not say that it reads it, or it is absent.
        """
        if self.saved_tables is not None and name not in self.saved_tables:
            raise RelataskError(f"{self.maker} reads {name!r}; add it to `saved` in its file.")
        path = self.results / study_file("saved", self.name, name=name)
        columns = saved_tables(method.method for method in self.study.methods)[name]
        return self.once(f"saved {name}", lambda: read_table(name, path, ["run_id", *columns]))

    def table(self, name: str) -> pd.DataFrame:
        """Return one of the study's tables, e.g. "metrics"; of plan and history, what the tables show.

        Raises:
            RelataskError: the output does not need it, or it is absent.
        """
        self.require(name)
        return self.once(name, lambda: self._read(name))

    def once(self, key: Any, read: Callable[[], Found]) -> Found:
        """Return what `read` returns, which is called once for each key."""
        if key not in self.known:
            self.known[key] = read()
        return cast(Found, self.known[key])

    def _read(self, name: str) -> pd.DataFrame:
        frame = read_table(name, self.results / study_file(name, self.name))
        if name == "plan":
            return runs_of(frame, None)
        if name == "history":
            runs = self.once("plan", lambda: self._read("plan"))["run_id"]
            return frame[frame["run_id"].isin(runs)]
        return frame

    @property
    def plan(self) -> pd.DataFrame:
        """The runs that tables show."""
        return self.table("plan")

    @property
    def metrics(self) -> pd.DataFrame:
        """Table "metrics"."""
        return self.table("metrics")

    @property
    def summary(self) -> pd.DataFrame:
        """Table "summary"."""
        return self.table("summary")

    @property
    def comparisons(self) -> pd.DataFrame:
        """Table "comparisons"."""
        return self.table("comparisons")

    @property
    def item_intervals(self) -> pd.DataFrame:
        """Table "item_intervals"."""
        return self.table("item_intervals")

    @property
    def trials(self) -> pd.DataFrame:
        """Table "trials" of all searches, one after the other in the order of the study."""
        self.require("trials")
        return self.once("trials", self._read_trials)

    def _read_trials(self) -> pd.DataFrame:
        found = [pd.DataFrame(columns=list(columns_of("trials")))]
        for dataset, label, split, seed in search_keys(self.study, self.scale):
            named = {"dataset": dataset, "label": label, "scheme": split, "seed": str(seed)}
            found.append(read_table("trials", self.results / study_file("trials", self.name, **named)))
        return pd.concat(found[1:] or found, ignore_index=True)

    @property
    def costs(self) -> pd.DataFrame:
        """Table "costs", which is measured."""
        return self.table("costs")

    @property
    def history(self) -> pd.DataFrame:
        """Epochs of the runs that tables show."""
        return self.table("history")

    def of_dataset(self, dataset: str, table: str, columns: list[str] | None = None) -> pd.DataFrame:
        """Read one of a data set's tables, or some columns of it.

        Raises:
            RelataskError: the output does not need it, or it is not what dataset.json describes.
        """
        self.require("dataset")
        path = self.results / dataset_file(table, self.name, dataset)
        require_recorded(self.results / dataset_file("dataset", self.name, dataset), path)
        return read_table(table, path, columns)

    def sequences(self, dataset: str) -> dict[str, str]:
        """Return accession -> sequence of the proteins that a data set names a file of.

        Raises:
            RelataskError: the output does not need it, or the file is absent or no FASTA.
        """
        self.require("sequences")
        name = str(self.study.datasets[dataset].sequences)
        files = sorted(self.results.glob(raw_file("file", source=name, file="*.fasta*")))
        if len(files) != 1:
            raise RelataskError(
                f"datasets.{dataset}.sequences: {name!r} has {len(files)} files *.fasta or *.fasta.gz in "
                "config/datasets.tsv, and one is read; name another."
            )
        return self.once(f"sequences {name}", lambda: read_fasta(files[0]))

    @property
    def test_cells(self) -> pd.DataFrame:
        """Cells of the leading metric on the test fold, see `join_plan`."""
        return self.test_cells_of(self.metric)

    def test_cells_of(self, metric: str) -> pd.DataFrame:
        """Return the cells of a metric on the test fold."""
        plan, test = self.plan, self._test_metrics(metric)  # also if they are joined: `needs` is checked
        return self.once(("test_cells", metric), lambda: join_plan(plan, test))

    @property
    def undefined_cells(self) -> pd.DataFrame:
        """Those of the leading metric without a value: data set, split, method, task_id and reason."""
        return self.undefined_cells_of(self.metric)

    def undefined_cells_of(self, metric: str) -> pd.DataFrame:
        """Return the cells of a metric that have no value."""
        test, runs = self._test_metrics(metric), self.plan[["run_id", "dataset", "split", "label"]]
        lost = test.loc[test["value"].isna(), ["run_id", "task_id", "reason"]].astype(object)
        return lost.merge(runs.rename(columns={"label": "method"}), on="run_id")

    def _test_metrics(self, metric: str) -> pd.DataFrame:
        metrics = self.metrics
        return metrics[(metrics["metric"] == metric) & (metrics["fold"] == "test")]

    @property
    def collections(self) -> list[Collection]:
        """Collections of gains, in the order of the study."""
        if self.study.grouping is None:
            return []
        return [Collection(name, self.study, self) for name in self.study.grouping.gains]

    @property
    def replayed(self) -> list[Collection]:
        """Those of which every set was trained, so that strategies can be judged by them."""
        replayed = self.study.grouping.replayed if self.study.grouping else []
        return [one for one in self.collections if one.name in replayed]

    @property
    def metric(self) -> str:
        """The metric that leads the tables."""
        return self.study.metrics[0]

    @property
    def leading(self) -> list[str]:
        """The metrics that lead the tables, of each kind of task the first that the study names.

        Of tasks of several levels, which have tables of their own, it is the one of the study.
        """
        levels = {level for record in self.study.records for level in record.levels}
        if len(levels) > 1:
            return [self.metric]
        found: dict[str, str] = {}
        for name in self.study.metrics:
            found.setdefault(METRICS[name].of, name)
        return list(found.values())

    def leading_of(self, dataset: str) -> list[str]:
        """Return those of the leading metrics that are of a kind of a data set's tasks."""
        if len(self.leading) == 1:
            return self.leading
        kinds = set(self.of_dataset(dataset, "tasks", ["kind"])["kind"])
        return [name for name in self.leading if METRICS[name].of in kinds]

    def unit_of(self, dataset: str, metric: str) -> str:
        """Return the unit of a metric on a data set, "" where it has none or tasks differ."""
        if not METRICS[metric].in_unit:
            return ""
        tasks = self.of_dataset(dataset, "tasks", ["kind", "unit"])
        units = tasks.loc[tasks["kind"] == "real", "unit"].dropna().unique()
        return str(units[0]) if len(units) == 1 and not mixed_units(tasks) else ""

    @property
    def baseline(self) -> str:
        """Label of the method that others are compared with."""
        return str(self.study.baseline)

    @property
    def methods(self) -> list[str]:
        """Labels of the methods, in the order of the study."""
        return [method.label for method in self.study.methods]

    @property
    def columns(self) -> list[tuple[str, str]]:
        """(data set, split scheme) in the order of the study."""
        return [(name, scheme) for name in self.study.datasets for scheme in self.study.splits.schemes]

    @property
    def items(self) -> str:
        """What items are called where there are many."""
        return "points in time" if self.study.items == "series" else self.study.items

    @property
    def smoke_run(self) -> str:
        """Words where a data set is a small share of the whole, else ""; see `data_size.smoke_run`."""
        return self.once("smoke_run", lambda: smoke_run(self.study, self.results / self.name))

    @property
    def comparable(self) -> bool:
        """Whether a paper's number stands for one of ours: there is one split scheme, and no smoke run."""
        return len(self.study.splits.schemes) == 1 and not self.smoke_run

    @property
    def reduced(self) -> str:
        """The footnote that says what is smaller than in the papers."""
        reduced = size_notes(self.study, self.results / self.name)
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
