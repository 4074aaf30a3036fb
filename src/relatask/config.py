"""What a config may say: the one source of keys, types, defaults and their explanations.

`config.yaml` names a study; `config/studies/{study}.yaml` describes it. The JSON schema in
`workflow/schemas/` is generated from these models (`python -m relatask write_schema`).
"""

import re
import reprlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from relatask.errors import RelataskError
from relatask.files import is_file
from relatask.registry import suggest

NAME = r"^[A-Za-z0-9][A-Za-z0-9_]*$"  # names become folders, wildcards and figure labels
MOST_VALUES = 1_000_000  # in a study file with its aliases written out
T = TypeVar("T", bound=BaseModel)
Name = Annotated[str, Field(pattern=NAME, max_length=60)]


# Tables that every study has besides `main`.
OWN_TABLES = (
    *("all_metrics", "per_task", "significance", "gain_by_task", "statistics", "settings", "splits", "costs"),
)


class Block(BaseModel):
    """A part of the config; unknown keys are mistakes, and values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _unique(values: list[Any]) -> list[Any]:
    seen: set[Any] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{value!r} is given twice")
        seen.add(value)
    return values


class ActiveRule(Block):
    """Which measured values count as active (label 1); without it the labels must be 0 and 1."""

    at_least: float | None = Field(None, description="active when the value is this or higher, e.g. pChEMBL")
    at_most: float | None = Field(None, description="active when the value is this or lower, e.g. KIBA")

    @model_validator(mode="after")
    def _one_bound(self) -> "ActiveRule":
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give exactly one of at_least and at_most")
        return self


class SourceConfig(Block):
    """Where labelled molecules come from and how they are read."""

    reader: Literal["table", "kiba", "lsc", "chembl_activities", "planted"] = Field(
        description="table: CSV or Parquet of SMILES x tasks; the others: the form that data set has"
    )
    path: str | None = Field(
        None,
        description="a file of yours, absolute or from where the workflow is started; without it the source "
        "is a name in datasets.tsv",
    )
    smiles_column: str = Field("smiles", description="column that holds the SMILES")
    id_column: str | None = Field(None, description="column that names a molecule")
    task_columns: list[str] | None = Field(
        None, description="columns that are tasks; default: all the others"
    )
    task_sheet: str | None = Field(
        None, description="CSV of task, uniprot (several separated by ;), string_id; found as `path` is"
    )
    active: ActiveRule | None = Field(None, description="turns measured values into labels")
    targets: list[str] = Field(
        [], description="chembl_activities: ChEMBL target ids to build a data set from"
    )
    min_heavy_atoms: int = Field(3, ge=1, description="molecules with fewer heavy atoms are rejected")
    min_weight: float = Field(50.0, ge=0, description="Da; lighter molecules are rejected")
    max_weight: float = Field(900.0, gt=0, description="Da; heavier molecules are rejected")

    @model_validator(mode="after")
    def _consistent(self) -> "SourceConfig":
        if self.min_weight >= self.max_weight:
            raise ValueError(f"min_weight {self.min_weight:g} must be below max_weight {self.max_weight:g}")
        if self.targets and self.reader != "chembl_activities":
            raise ValueError(
                f"targets: only the reader chembl_activities asks for targets, not {self.reader}"
            )
        readers = {"smiles_column": ("table",), "id_column": ("table",), "task_columns": ("table", "lsc")}
        for key, known in readers.items():
            if self.reader not in known and getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key}: only the reader {' or '.join(known)} reads it, not {self.reader}")
        if self.active is not None and self.reader in {"lsc", "planted"}:
            raise ValueError(f"active: the reader {self.reader} has labels and no measured values")
        if self.path is not None and self.reader in {"planted", "chembl_activities"}:
            raise ValueError(f"path: the reader {self.reader} reads no file of yours; use the reader table")
        return self


class RelationsConfig(Block):
    """How tasks relate: the best interaction score over the pairs of their proteins."""

    source: Name = Field(
        description="a STRING table in datasets.tsv, `planted`, or `string_live` for the service"
    )
    channel: Literal[
        "combined",
        "experimental",
        "database",
        "textmining",
        "coexpression",
        "neighborhood",
        "fusion",
        "cooccurence",
    ] = Field("experimental", description="evidence channel; the authors of SGNN-EBM used experimental")
    min_score: float = Field(0.0, ge=0, le=1, description="edges at or below 0, or below this, are left out")
    same_protein: Literal["none", "edge"] = Field(
        "none", description="tasks on one protein: none gives no edge (as the authors), edge gives score 1"
    )


class DensifyConfig(Block):
    """Sparse molecules and tasks are removed until nothing changes (SGNN-EBM, A.3)."""

    tau: int = Field(ge=1, le=1_000_000, description="least number of labels of a molecule and of a task")
    min_positives: int = Field(10, ge=1, description="least number of active labels of a task")
    min_negatives: int = Field(10, ge=1, description="least number of inactive labels of a task")
    drop_isolated: bool = Field(True, description="remove tasks without a relation first")


class SizeConfig(Block):
    """Expected size of a prepared data set; it only sizes shards and never changes a result."""

    molecules: int = Field(2000, ge=1, description="molecules after preparation")
    tasks: int = Field(50, ge=1, description="tasks after preparation")
    labels_per_task: int | None = Field(None, ge=1, description="default: all molecules")


class DatasetConfig(Block):
    """Molecules, tasks, labels and relations as methods see them."""

    source: Name = Field(description="a key of `sources`")
    relations: RelationsConfig | None = Field(
        None, description="the relation graph; without it there is none"
    )
    densify: DensifyConfig | None = Field(
        None, description="without it, molecules and tasks stay as they are"
    )
    size: SizeConfig = Field(SizeConfig(), description="expected size, for the prediction of costs")
    cost_factors: dict[Name, Annotated[float, Field(gt=0)]] = Field(
        {},
        description="label of a method -> measured over predicted time, as `relatask calibrate` prints; it "
        "only sizes shards and never changes a result",
    )
    published: str | None = Field(None, description="what config/published.csv calls the data set")


def _fractions(value: tuple[float, float, float]) -> tuple[float, float, float]:
    if abs(sum(value) - 1) > 1e-9 or min(value) <= 0:
        raise ValueError("must be three positive numbers that sum to 1 (train, valid, test)")
    return value


class SplitsConfig(Block):
    """Which molecules are for training, validation and test."""

    schemes: Annotated[list[Literal["random", "scaffold", "stratified"]], AfterValidator(_unique)] = Field(
        ["scaffold"],
        min_length=1,
        description="scaffold: no Bemis-Murcko scaffold in two folds; stratified: both classes of each task "
        "in each fold where possible",
    )
    fractions: Annotated[tuple[float, float, float], AfterValidator(_fractions)] = Field(
        (0.8, 0.1, 0.1), description="shares of train, valid and test; they sum to 1"
    )


class TrainingConfig(Block):
    """How networks are trained; every value is part of a run's identity."""

    epochs: int = Field(30, ge=1, description="passes over the training molecules")
    batch_size: int = Field(128, ge=2, description="molecules in a step")
    learning_rate: float = Field(1e-3, gt=0, description="step size of Adam")
    weight_decay: float = Field(0.0, ge=0, description="L2 penalty of Adam")
    evaluate_every: int = Field(1, ge=1, description="epochs between validations")
    patience: int | None = Field(None, ge=1, description="validations without a better one before stopping")
    precision: Literal["fp32", "bf16"] = Field(
        "fp32", description="bf16: matrix products in bfloat16, faster where the machine has it"
    )


class MethodConfig(Block):
    """One row of the tables: a method with its encoder and options."""

    label: Name = Field(description="name of the row in tables and figures")
    published: str | None = Field(None, description="what config/published.csv calls the method")
    method: str = Field(description="a file of relatask.methods")
    encoder: str | None = Field(None, description="a file of relatask.encoders")
    balancing: str = Field(
        "equal",
        description="a file of relatask.balancing: how losses of tasks are weighed; equal is the mean over "
        "tasks that have a label in the batch",
    )
    balancing_options: dict[str, Any] = Field(
        {}, description="options of the balancing; defaults stand in its file"
    )
    options: dict[str, Any] = Field({}, description="options of the method; defaults stand in its file")
    encoder_options: dict[str, Any] = Field({}, description="options of the encoder, over those of the scale")
    training: dict[str, Any] = Field({}, description="keys of `training` that differ for this method")
    graph: Literal["true", "shuffled"] = Field(
        "true", description="shuffled: a control, the relation graph with random partners of the same number"
    )
    prior: Name | None = Field(
        None, description="label of the method whose predictions this one starts from, for methods that do"
    )
    parts: int = Field(1, ge=1, le=10_000, description="cut a run of independent tasks into so many runs")


class ScaleConfig(Block):
    """How much is spent: `quick` for a laptop, `paper` for the papers' settings."""

    seeds: Annotated[list[Annotated[int, Field(ge=0, lt=2**31)]], AfterValidator(_unique)] = Field(
        [0, 1, 2], min_length=1, description="one split and one initialisation each"
    )
    training: dict[str, Any] = Field({}, description="keys of `training` at this scale")
    datasets: dict[Name, dict[str, Any]] = Field(
        {}, description="data set -> keys of `training` on it at this scale; those of a method come last"
    )
    encoders: dict[str, dict[str, Any]] = Field({}, description="encoder -> options at this scale")
    methods: dict[str, dict[str, Any]] = Field({}, description="method -> options at this scale")
    reduced: list[str] = Field([], description="what is smaller than in the paper, for the tables' footnotes")


class TableConfig(Block):
    """A table like the main one, of some methods: a paper's comparison of noises, of layers, ..."""

    title: str = Field(description="one line above the table")
    methods: Annotated[list[Name], AfterValidator(_unique)] = Field(
        min_length=1, description="labels of its rows, in their order"
    )


def _require_known(what: str, name: str, key: str, known: Collection[str]) -> None:
    if name not in known:
        raise ValueError(f"{key}: there is no {what} {name!r}.{suggest(name, known)}")


class StudyConfig(Block):
    """Data sets x methods x splits x seeds that together make named tables."""

    title: str = Field(description="one line above tables and the report")
    paper: str | None = Field(
        None, description="paper in config/published.csv whose numbers stand beside ours"
    )
    sources: dict[Name, SourceConfig] = Field(
        min_length=1, description="raw data; a name is a name in datasets.tsv unless `path` is given"
    )
    datasets: dict[Name, DatasetConfig] = Field(min_length=1, description="what methods are trained on")
    splits: SplitsConfig = Field(SplitsConfig(), description="folds, one split for each seed")
    training: TrainingConfig = Field(TrainingConfig(), description="settings of the networks")
    methods: list[MethodConfig] = Field(min_length=1, description="rows of the tables, in their order")
    baseline: Name = Field(description="label of the method that all others are compared with")
    contrasts: list[tuple[Name, Name]] = Field(
        [], description="[method, other]: pairs to test besides each method against the baseline"
    )
    tables: dict[Name, TableConfig] = Field(
        {}, description="name -> a table of some methods; `main` says which stand in the main table, else all"
    )
    search_space: dict[str, str] = Field(
        {},
        description="what the paper searched, by our name of the setting; stands beside ours in `settings`",
    )
    metrics: Annotated[
        list[Literal["roc_auc", "average_precision", "brier", "ece"]], AfterValidator(_unique)
    ] = Field(
        ["roc_auc", "average_precision", "brier", "ece"],
        min_length=1,
        description="the first leads the tables",
    )
    scales: dict[Literal["quick", "paper"], ScaleConfig] = Field(
        description="what `scale` in config.yaml chooses from"
    )

    @model_validator(mode="after")
    def _consistent(self) -> "StudyConfig":
        labels = [method.label for method in self.methods]
        if twice := sorted({label for label in labels if labels.count(label) > 1}):
            raise ValueError(f"methods: the label {twice[0]!r} is used twice; labels name the tables' rows")
        for name, dataset in self.datasets.items():
            _require_known("source", dataset.source, f"datasets.{name}.source", self.sources)
        for scale, spent in self.scales.items():
            for name in spent.datasets:
                _require_known("data set", name, f"scales.{scale}.datasets", self.datasets)
        for key, label in self._named_methods():
            _require_known("method", label, key, labels)
        self._check_comparisons()
        return self

    def _named_methods(self) -> Iterator[tuple[str, str]]:
        """Keys that name a method by its label, and the label."""
        yield "baseline", self.baseline
        for method in self.methods:
            if method.prior is not None:
                yield f"methods.{method.label}.prior", method.prior
        for number, pair in enumerate(self.contrasts):
            yield from ((f"contrasts.{number}", label) for label in pair)
        for name, table in self.tables.items():
            yield from ((f"tables.{name}.methods", label) for label in table.methods)
        for name, dataset in self.datasets.items():
            yield from ((f"datasets.{name}.cost_factors", label) for label in dataset.cost_factors)

    def _check_comparisons(self) -> None:
        for number, pair in enumerate(self.contrasts):
            if pair[0] == pair[1] or pair[1] == self.baseline or pair in self.contrasts[:number]:
                raise ValueError(
                    f"contrasts.{number}: {list(pair)} is tested anyway, or says nothing; leave it out"
                )
        if clash := sorted(set(self.tables) & set(OWN_TABLES)):
            raise ValueError(f"tables.{clash[0]}: each study has a table of that name; choose another")


class ServicesConfig(Block):
    """Addresses of the live services and how often they may be asked."""

    chembl: str = Field("https://www.ebi.ac.uk/chembl/api/data", description="ChEMBL web services")
    string: str = Field("https://string-db.org/api", description="STRING's API")
    requests_per_second: float = Field(1.0, gt=0, description="STRING asks for one request a second")


class Config(Block):
    """The top of config.yaml."""

    study: str = Field("demo", description="a file of config/studies/, or the path of a study file of yours")
    scale: Literal["quick", "paper"] = Field(
        "quick", description="how much is spent, see `scales` of the study"
    )
    mirror: str | None = Field(None, description="local folder with the files of datasets.tsv, tried first")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: CUDA where there is one")
    shard_minutes: float = Field(
        2.0, gt=0, description="predicted minutes of training in one job; 20-60 on a cluster"
    )
    max_shards: int = Field(
        1000,
        ge=1,
        description="most training jobs of a study; where more are needed, each takes longer than "
        "`shard_minutes`. Snakemake starts slowly with thousands of jobs",
    )
    services: ServicesConfig = Field(ServicesConfig(), description="the live services")


def _explain(error: ValidationError, where: str, model: type[BaseModel]) -> RelataskError:
    """Turn the first finding of pydantic into one sentence that names file and key."""
    finding = error.errors()[0]
    key = ".".join(str(part) for part in finding["loc"])
    if finding["type"] == "extra_forbidden":
        parent = ".".join(str(part) for part in finding["loc"][:-1])
        known = _keys_at(model, finding["loc"][:-1])
        place = f" in {parent!r}" if parent else ""
        return RelataskError(
            f"{where}: unknown key {finding['loc'][-1]!r}{place}.{suggest(str(finding['loc'][-1]), known)}"
        )
    if finding["type"] == "missing":
        return RelataskError(f"{where}: the key {key!r} is missing.")
    message = finding["msg"].removeprefix("Value error, ")
    if finding["type"] != "value_error":
        message += f" (got {reprlib.repr(finding['input'])})"
    end = "" if message.endswith((".", "?")) else "."
    return RelataskError(f"{where}: {key + ': ' if key else ''}{message}{end}")


def _keys_at(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    """Names of the keys that the block at `path` may hold."""
    schema: dict[str, Any] = model.model_json_schema()
    node = schema
    for part in path:
        node = (
            node.get("properties", {}).get(part)
            or node.get("items")
            or node.get("additionalProperties")
            or {}
        )
        for option in [node, *node.get("anyOf", [])]:
            if "$ref" in option:
                node = schema["$defs"][option["$ref"].rsplit("/", 1)[-1]]
                break
    return list(node.get("properties", {}))


def parse(model: type[T], value: Mapping[str, Any], where: str) -> T:
    """Validate `value`; the first mistake becomes a `RelataskError` naming `where` and the key."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _explain(error, where, model) from None


def load_config(values: Mapping[str, Any], root: Path) -> tuple[Config, str, StudyConfig]:
    """Return the config, the study's name and the study that `values` (of config.yaml) select.

    Args:
        values: the content of config.yaml, with what the command line overrode.
        root: folder of the project, where `config/studies/` is.

    Raises:
        RelataskError: a key or value is wrong, or there is no such study.
    """
    config = parse(Config, values, "config.yaml")
    path = Path(config.study)
    if path.suffix not in {".yaml", ".yml"}:
        path = root / "config" / "studies" / f"{config.study}.yaml"
    known = [file.stem for file in (root / "config" / "studies").glob("*.yaml")]
    if not is_file(path):
        raise RelataskError(f"config.yaml: study: there is no file {path}.{suggest(config.study, known)}")
    study = load_study(path)
    taken = {"raw", "sources", "logs", "benchmarks", "published"}
    if not re.fullmatch(NAME, path.stem) or path.stem in taken:
        raise RelataskError(
            f"config.yaml: study: the file {path.name!r} names the folder of results; its name may hold "
            f"letters, digits and _, and must not be one of {', '.join(sorted(taken))}."
        )
    taken.add(path.stem)
    if clash := sorted(taken & set(study.datasets)):
        raise RelataskError(
            f"{path}: datasets.{clash[0]}: results/{clash[0]} is used otherwise; rename the data set."
        )
    if config.scale not in study.scales:
        raise RelataskError(f"config.yaml: scale: study {path.stem!r} has no scale {config.scale!r}.")
    return config, path.stem, study


def load_study(path: Path) -> StudyConfig:
    """Read and validate one study file."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RelataskError(f"{path} cannot be read: {error.strerror}.") from None
    except Exception as error:  # PyYAML lets through whatever int(), datetime() or its recursion raise
        raise RelataskError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(values, dict):
        raise RelataskError(f"{path} must be a mapping of keys to values; see config/README.md.")
    _require_finite(values, path)
    return parse(StudyConfig, values, str(path))


def _require_finite(values: Any, path: Path) -> None:
    """Refuse a file whose aliases stand for more values than memory or time can hold, or for themselves."""
    todo, count = [values], 0
    while todo:
        value = todo.pop()
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        count += len(parts)
        if count > MOST_VALUES:
            raise RelataskError(
                f"{path} stands for more than {MOST_VALUES:,} values; write it without aliases (&a, *a)."
            )
        todo.extend(parts)
