"""A study: data sets x methods x splits x seeds that together make named tables."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from relatask.config.datasets import DatasetConfig
from relatask.config.grouping import GroupingConfig
from relatask.config.methods import MethodConfig, ScaleConfig, TableConfig, TrainingConfig
from relatask.config.search import SearchConfig
from relatask.config.splits import SplitsConfig
from relatask.core.blocks import Block, Name, require_known, unique
from relatask.core.columns.data import SCAFFOLD
from relatask.core.errors import RelataskError
from relatask.core.kinds import DEFAULT_METRICS, KINDS, METRICS_OF, Kind
from relatask.core.outputs import tables
from relatask.core.plugins import SourceRecord, scheme_records
from relatask.core.registry import catalogue
from relatask.core.source_block import SourceBlock, any_source

if TYPE_CHECKING:
    SourceConfig = SourceBlock
    MetricName = str
else:
    SourceConfig = any_source()  # the block of any source, told apart by its reader
    MetricName = Literal[tuple(name for names in METRICS_OF.values() for name in names)]


KIND_SAID = {"binary": "labels of 0 and 1", "real": "measured values", "class": "classes"}


def _metrics_of(values: dict[str, Any]) -> list[Any]:
    """Return the metrics of a study that names none: those of the kinds of its tasks."""
    found = {kind for source in values.get("sources", {}).values() for kind in source.task_kinds()}
    return [name for kind in KINDS if kind in (found or {"binary"}) for name in DEFAULT_METRICS[kind]]


class StudyConfig(Block):
    """Data sets x methods x splits x seeds that together make named tables."""

    title: str = Field(description="one line above tables and the report")
    paper: str | None = Field(
        None, description="paper in config/published.csv whose numbers stand beside ours"
    )
    sources: dict[Name, SourceConfig] = Field(
        {}, description="raw data; a name is a name in datasets.tsv unless `path` is given"
    )
    datasets: dict[Name, DatasetConfig] = Field({}, description="what methods are trained on")
    splits: SplitsConfig = Field(SplitsConfig(), description="folds, one split for each seed")
    training: TrainingConfig = Field(TrainingConfig(), description="settings of the networks")
    methods: list[MethodConfig] = Field([], description="rows of the tables, in their order")
    search: SearchConfig | None = Field(
        None, description="a search for the settings of each row; without it, rows have those of the study"
    )
    baseline: Name | None = Field(None, description="label of the method that all others are compared with")
    grouping: GroupingConfig | None = Field(
        None, description="which tasks should be learned together; without it, no task sets are trained"
    )
    contrasts: list[tuple[Name, Name]] = Field(
        [], description="[method, other]: pairs to test besides each method against the baseline"
    )
    tables: dict[Name, TableConfig] = Field(
        {}, description="name -> a table of some methods; `main` says which stand in the main table, else all"
    )
    imputation: Annotated[list[Name], AfterValidator(unique)] = Field(
        [],
        description="labels of rows that shall score every cell without a label, in imputed/ of the results",
    )
    unpublished: Annotated[list[str], AfterValidator(unique)] = Field(
        [],
        description="names of tables and figures, without endings, that are too large to be published; they "
        "stay in the study's folder",
    )
    search_space: dict[str, str] = Field(
        {},
        description="what the paper searched, by our name of the setting; stands beside ours in `settings`",
    )
    metrics: Annotated[
        list[MetricName],
        AfterValidator(unique),
    ] = Field(
        default_factory=_metrics_of,
        min_length=1,
        description="the first of each kind leads the tables; each task has those of its kind. Default: of "
        "binary tasks `roc_auc`, `average_precision`, `brier`, `ece`, of measured values `r2`, "
        "`spearman`, `rmse`, `mae`, of classes `accuracy`, `balanced_accuracy`, `macro_f1`",
    )
    margins: dict[MetricName, float] = Field(
        {},
        description="metric -> difference up to which two methods are equal in practice; default: 0.005 "
        "(half a point of ROC-AUC), of R² and correlations 0.01, of errors in units and enrichment none",
    )
    uncertainty: bool = Field(
        False,
        description="whether a table and figures say how well calibrated probabilities, intervals and "
        "sets hold that are made of the predictions out of fold: docs/uncertainty.md",
    )
    csv_predictions: bool = Field(
        True,
        description="whether tables/predictions-{data set}, which is Parquet, is CSV too; the predictions of "
        "a hundred runs can be millions of rows",
    )
    scales: dict[Literal["quick", "paper"], ScaleConfig] = Field(
        description="what `scale` in config.yaml chooses from"
    )

    @field_validator("methods", mode="before")
    @classmethod
    def _complete_twins(cls, rows: Any) -> Any:
        """Give a twin the keys of its row."""
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return rows  # which is refused
        by_label = {row.get("label"): row for row in rows if not row.get("twin_of")}
        return [
            {**by_label.get(row["twin_of"], {}), "published": None, **row} if row.get("twin_of") else row
            for row in rows
        ]

    @model_validator(mode="after")
    def _consistent(self) -> "StudyConfig":
        self._check_complete()
        labels = [method.label for method in self.methods]
        if twice := sorted({label for label in labels if labels.count(label) > 1}):
            raise ValueError(f"methods: the label {twice[0]!r} is used twice; labels name the tables' rows")
        for name, dataset in self.datasets.items():
            require_known("source", dataset.source, f"datasets.{name}.source", self.sources)
        self._check_items()
        for scale, spent in self.scales.items():
            for key, named in (("datasets", spent.datasets), ("settings", spent.settings)):
                for name in named:
                    require_known("data set", name, f"scales.{scale}.{key}", self.datasets)
        for key, label in self._named_methods():
            require_known("method", label, key, labels)
        self._check_comparisons()
        self._check_twins()
        if self.grouping:
            self.grouping.check(self.datasets, labels)
        self._check_groups()
        if not self.search and (rows := [row.label for row in self.methods if row.search]):
            raise ValueError(f"methods.{rows[0]}.search: add `search` to the study, e.g. {{trials: 16}}")
        return self

    @property
    def records(self) -> list[SourceRecord]:
        """What its sources say of themselves, each source once."""
        return [source.record for source in self.sources.values()]

    @property
    def items(self) -> str:
        """What its items are called; in series they are points in time."""
        return self.records[0].items if self.sources else "molecules"

    @property
    def kinds(self) -> set[Kind]:
        """Kinds of its tasks."""
        return {kind for source in self.sources.values() for kind in source.task_kinds()}

    @property
    def few_shot(self) -> bool:
        """Whether its methods learn classes of which held-out folds have others."""
        return any(record.few_shot for record in self.records)

    @property
    def each(self) -> str:
        """What has a value of a metric of its own, over which means are taken: a task, or an episode."""
        return "episode" if self.few_shot else "task"

    @property
    def labels(self) -> Literal["binary", "values", "classes"]:
        """What labels are: 0 or 1 for some task, measured values alone, or classes of episodes."""
        if self.few_shot:
            return "classes"
        return "values" if self.kinds == {"real"} else "binary"

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Pairs of rows that are compared besides each row and the baseline: contrasts, and twins."""
        twins = [(row.label, row.twin_of) for row in self.methods if row.twin_of]
        own = [pair for pair in twins if pair[1] != self.baseline and pair not in self.contrasts]
        return [*self.contrasts, *own]

    @property
    def reads_known_labels(self) -> bool:
        """Whether a method is told labels of the molecules that it predicts."""
        reading = {name for name, ability in catalogue("methods").items() if ability.uses_known_labels}
        return any(row.method in reading for row in self.methods)

    def reads_proteins(self, source: str) -> bool:
        """Whether a data set of a source reads the proteins of its tasks."""
        used = [entry for entry in self.datasets.values() if entry.source == source]
        return any(entry.relations or entry.sequences for entry in used)

    def in_sheet(self) -> list[tuple[str, str]]:
        """Return pairs: a key of the study, and the name in config/datasets.tsv that it needs."""
        names = [(f"sources.{name}", name) for name, source in self.sources.items() if source.needs_sheet()]
        if self.grouping and any(gains.published for gains in self.grouping.gains.values()):
            names.append(("grouping.gains", "mtg_net"))
        for name, dataset in self.datasets.items():
            if dataset.relations:
                keys = ("source", "proteins")
                names += [
                    (f"datasets.{name}.relations.{key}", entry)
                    for key, entry in zip(keys, dataset.relations.in_sheet, strict=False)
                ]
            if dataset.sequences:
                names.append((f"datasets.{name}.sequences", dataset.sequences))
        return names

    def columns_of(self, source: str) -> list[str]:
        """Return the columns of a source that its items must keep: those that splits and weights read."""
        of_source = [entry for entry in self.datasets.values() if entry.source == source]
        weights = {entry.weights.weight_column for entry in of_source if entry.weights} - {None}
        return sorted({*self.splits.columns, *map(str, weights)})

    def required_grouping(self) -> GroupingConfig:
        """Return the block `grouping`, for steps that only studies with it run.

        Raises:
            RelataskError: there is none.
        """
        if self.grouping is None:
            raise RelataskError("the study has no `grouping`.")
        return self.grouping

    def _check_items(self) -> None:
        """Refuse a study that mixes sorts of items, or asks of one what only another has."""
        sorts = {(record.items, record.few_shot) for record in self.records}
        if len(sorts) > 1:
            raise ValueError(
                f"sources: {max(items for items, _ in sorts)} and others do not go into one study; make two "
                "of it"
            )
        for source in self.sources.values():
            self._check_schemes(source)
        self._check_metrics()
        for name, dataset in self.datasets.items():
            record = self.sources[dataset.source].record
            if not record.sparse and (dataset.relations or dataset.densify):
                raise ValueError(
                    f"datasets.{name}: relations and densify are for tables with missing labels; remove them"
                )
            if dataset.episodes and not record.few_shot:
                raise ValueError(
                    f"datasets.{name}.episodes: they are of images with one class each; remove it"
                )
            self._check_weights(name, dataset)
        if self.grouping and self.few_shot:
            raise ValueError("grouping: classes are no tasks that a network learns together; remove it")

    def _check_weights(self, name: str, dataset: DatasetConfig) -> None:
        """Refuse weights that no label of a data set can have, and those of studies that group tasks."""
        if dataset.weights is None:
            return
        kinds, classes = {*self.sources[dataset.source].task_kinds()}, dataset.weights.classes
        where = f"datasets.{name}.weights"
        if self.grouping:
            raise ValueError(f"{where}: tasks are grouped by gains without weights; remove it or `grouping`")
        if classes is not None and kinds == {"real"}:
            raise ValueError(
                f"{where}.classes: the tasks have measured values, which have no classes; remove it"
            )
        if isinstance(classes, int | float) and "class" in kinds:
            raise ValueError(
                f"{where}.classes: a number is the weight of label 1, and some tasks have several classes; "
                "write a mapping of tasks to their weights"
            )

    def _check_schemes(self, source: SourceBlock) -> None:
        """Refuse schemes of splits that do not go with a source."""
        record, only = source.record, source.schemes
        if only and not set(self.splits.used) <= set(only):
            wanted = " or ".join(str([name]) for name in only)
            why = "" if only == record.schemes else " with a test_path"
            raise ValueError(f"splits.schemes: it is {wanted} for {record.items}{why}")
        for scheme in self.splits.used:
            levels = scheme_records()[scheme].items
            listed = scheme in record.schemes  # a source may know better, e.g. that its graphs are molecules
            if levels != "any" and not listed and not set(levels) >= set(record.levels):
                raise ValueError(f"splits.schemes: {scheme} is not for {record.items}")
        molecules = "molecule" in record.levels or SCAFFOLD in record.schemes
        strange = [said for split in self.splits.schemes if (said := self.splits.needs_molecules(split))]
        if strange and not molecules:
            raise ValueError(f"splits.{strange[0]}: it is of molecules, not of {record.items}")

    def _check_metrics(self) -> None:
        """Refuse metrics of labels that no task has, and a kind of task that no metric is of."""
        known = {kind: set(METRICS_OF[kind]) for kind in self.kinds}
        others = [name for name in self.metrics if not any(name in own for own in known.values())]
        if self.sources and (others or not all(own & {*self.metrics} for own in known.values())):
            said = "; ".join(f"{', '.join(METRICS_OF[kind])} for {KIND_SAID[kind]}" for kind in KINDS)
            asked = " and ".join(KIND_SAID[kind] for kind in KINDS if kind in known)
            raise ValueError(f"metrics: the tasks have {asked}, each needs one of its own: {said}")

    def _check_twins(self) -> None:
        """Refuse a twin that differs from its row, or could not."""
        rows = {method.label: method for method in self.methods}
        for twin in self.methods:
            if twin.twin_of is None:
                continue
            where = f"methods.{twin.label}"
            row = rows[twin.twin_of]
            own = {"label": row.label, "published": row.published, "twin_of": None}
            if twin.model_copy(update=own) != row:
                raise ValueError(
                    f"{where}: a twin is its row with other random numbers; of keys it has its label alone"
                )
            if not catalogue("methods")[row.method].random:
                raise ValueError(
                    f"{where}.twin_of: {row.method} draws no random numbers, so a twin says nothing; name "
                    "another row"
                )

    def _check_groups(self) -> None:
        """Refuse rows of groups that nothing chooses."""
        for method in self.methods:
            if method.groups is None:
                continue
            where = f"methods.{method.label}.groups"
            if self.grouping is None:
                raise ValueError(f"{where}: the study has no `grouping`, which chooses groups")
            strategies = {strategy.label: strategy for strategy in self.grouping.strategies}
            require_known("strategy", method.groups.strategy, f"{where}.strategy", strategies)
            if not strategies[method.groups.strategy].record.estimates:
                raise ValueError(
                    f"{where}.strategy: random groups are drawn anew thousands of times, not kept"
                )
            if method.groups.budget > self.grouping.budgets:
                raise ValueError(f"{where}.budget: groups are chosen for at most {self.grouping.budgets}")
            for name in method.groups.gains:
                require_known("table of gains", name, f"{where}.gains", self.grouping.gains)
                if method.groups.strategy not in {one.label for one in self.grouping.strategies_of(name)}:
                    raise ValueError(f"{where}.strategy: it is not tried on {name!r}; see its `gains`")

    def _check_complete(self) -> None:
        """Refuse a study that trains nothing, unless it groups tasks by gains that others collected."""
        gains = self.grouping.gains.values() if self.grouping else ()
        needed = not gains or any(entry.published is None for entry in gains)
        parts = {"sources": self.sources, "datasets": self.datasets, "methods": self.methods}
        for key, value in {**parts, "baseline": self.baseline}.items():
            if not value and (needed or any(parts.values())):
                raise ValueError(f"the key {key!r} is missing or empty; only published gains need none")

    def _named_methods(self) -> Iterator[tuple[str, str]]:
        """Keys that name a method by its label, and the label."""
        if self.baseline is not None:
            yield "baseline", self.baseline
        for method in self.methods:
            if method.prior is not None:
                yield f"methods.{method.label}.prior", method.prior
            if method.encoder_from is not None:
                yield f"methods.{method.label}.encoder_from", method.encoder_from
            if method.twin_of is not None:
                yield f"methods.{method.label}.twin_of", method.twin_of
        yield from (("imputation", label) for label in self.imputation)
        for number, pair in enumerate(self.contrasts):
            yield from ((f"contrasts.{number}", label) for label in pair)
        for name, table in self.tables.items():
            own = (label for label in table.methods if label not in table.best_of)
            yield from ((f"tables.{name}.methods", label) for label in own)
            for row, members in table.best_of.items():
                yield from ((f"tables.{name}.best_of.{row}", label) for label in members)
        for name, dataset in self.datasets.items():
            yield from ((f"datasets.{name}.cost_factors", label) for label in dataset.cost_factors)

    def _check_comparisons(self) -> None:
        for number, pair in enumerate(self.contrasts):
            if pair[0] == pair[1] or pair[1] == self.baseline or pair in self.contrasts[:number]:
                raise ValueError(
                    f"contrasts.{number}: {list(pair)} is tested anyway, or says nothing; leave it out"
                )
        labels = {method.label for method in self.methods}
        for name, table in self.tables.items():
            if clash := sorted(labels & set(table.best_of)):
                raise ValueError(f"tables.{name}.best_of: {clash[0]!r} is a method's label; choose another")
        if clash := sorted(set(self.tables) & (set(tables()) - {"main"})):
            raise ValueError(f"tables.{clash[0]}: each study has a table of that name; choose another")
