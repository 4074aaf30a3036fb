"""config.yaml and the study file that it names, read and checked."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, field_serializer, field_validator

from relatask.config.study import StudyConfig
from relatask.core.blocks import LONGEST_NAME, NAME, Block, parse
from relatask.core.credentials import split_address
from relatask.core.errors import RelataskError
from relatask.core.files import is_file, read_fields
from relatask.core.layout import WORKFLOW_FOLDERS, dataset_file
from relatask.core.records import suggest
from relatask.core.registry import capabilities

MOST_BYTES = 4 << 20  # of a study file; 20,000 names of tasks are a quarter of it
MOST_VALUES = 1_000_000  # in a study file with its aliases written out
LONGEST_NUMBER = 1000  # characters
TEXT = "tag:yaml.org,2002:str"


class ServicesConfig(Block):
    """Addresses of the live services, with login or token if needed, and how often they may be asked."""

    chembl: str = Field("https://www.ebi.ac.uk/chembl/api/data", description="ChEMBL web services")
    string: str = Field("https://string-db.org/api", description="STRING's API")
    requests_per_second: float = Field(1.0, gt=0, description="STRING asks for one request a second")

    @field_validator("chembl", "string")
    @classmethod
    def _is_address(cls, value: str) -> str:
        split_address(value)
        return value

    @field_serializer("chembl", "string")
    def _without_login(self, value: str) -> str:  # a dump is printed, and recorded with the results
        return split_address(value)[0]


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
    keep_models: Literal["all", "joint", "none"] = Field(
        "all",
        description="which trained models stay in the journal, for `relatask predict`: all; joint: not those "
        "of methods with a model for each task; none. Each run on Tox21 takes 20 MB for 100 trees a task, 8 "
        "for a GIN 300 wide (docs/models.md). A change trains nothing again: it counts for runs to come",
    )
    model: str | None = Field(None, description="folder of a model, for the target `predict` alone")
    input: str | None = Field(None, description="file that the target `predict` reads, e.g. CSV or Parquet")
    known: str | None = Field(
        None, description="results that are known of some items, for `predict`, as of `--known`"
    )
    output: str | None = Field(
        None,
        description="file that `predict` writes; default: in results/predictions/, by the input's name",
    )
    parts: int = Field(
        16, ge=1, le=10_000, description="jobs that the target `predict` scatters a file over, of a core each"
    )
    services: ServicesConfig = Field(ServicesConfig(), description="the live services")


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
    taken = {*WORKFLOW_FOLDERS}
    if not re.fullmatch(NAME, path.stem) or len(path.stem) > LONGEST_NAME or path.stem in taken:
        raise RelataskError(
            f"config.yaml: study: the file {path.name!r} names the folder of results; its name may hold "
            f"{LONGEST_NAME} letters, digits and _, and must not be one of {', '.join(sorted(taken))}."
        )
    if config.scale not in study.scales:
        raise RelataskError(f"config.yaml: scale: study {path.stem!r} has no scale {config.scale!r}.")
    if config.keep_models != "all":
        _refuse_lost_models(study, config.keep_models, path)
    return config, path.stem, study


def _refuse_lost_models(study: StudyConfig, keep: str, path: Path) -> None:
    """Raise where rows of a study read models of runs that shall not be kept."""
    method_of = {row.label: row.method for row in study.methods}
    read = [(f"`prior` of {row.label!r}", row.prior) for row in study.methods if row.prior is not None]
    read += [
        (f"`encoder_from` of {row.label!r}", row.encoder_from) for row in study.methods if row.encoder_from
    ]
    read += [("`imputation`", label) for label in study.imputation]
    for reader, label in read:
        if keep == "none" or capabilities("methods", method_of[label]).per_task:
            raise RelataskError(
                f"config.yaml: keep_models: {keep} does not keep the models of {label!r}, and {reader} in "
                f"{path} reads them; set keep_models: all."
            )


def load_study(path: Path) -> StudyConfig:
    """Read and validate one study file."""
    try:
        values = _yaml_of(path)
    except RelataskError:
        raise
    except OSError as error:
        raise RelataskError(f"{path} cannot be read: {error.strerror}.") from None
    except Exception as error:  # PyYAML lets through whatever int(), datetime() or its recursion raise
        raise RelataskError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(values, dict):
        raise RelataskError(f"{path} must be a mapping of keys to values; see config/README.md.")
    study = parse(StudyConfig, values, str(path))
    if lost := study.splits.not_read():
        raise RelataskError(f"{path}: splits.{lost}")
    return study


def _yaml_of(path: Path) -> Any:
    """Return what a file of YAML holds, in bounded memory and time."""
    with path.open("rb") as handle:
        content = handle.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise RelataskError(
            f"{path} has more than {MOST_BYTES >> 20} MiB; a study holds settings, see config/README.md, and "
            "its data lie in files of their own."
        )
    loader = yaml.SafeLoader(content.decode("utf-8-sig"))
    root = loader.get_single_node()
    _require_finite(root, path)
    return loader.construct_document(root) if root else None


@dataclass(frozen=True)
class StudyAtScale:
    """A study as it travels between the steps, as results/{study}/study.json."""

    name: str
    scale: str
    study: StudyConfig

    @property
    def reduced(self) -> list[str]:
        """What the scale makes smaller than in the papers."""
        return self.study.scales[self.scale].reduced  # type: ignore[index]

    def data_records(self) -> list[str]:
        """Records of the data sets, of their inputs and of all splits, relative to the folder of results."""
        seeds = self.study.scales[self.scale].seeds  # type: ignore[index]
        splits = [(scheme, str(seed)) for scheme in self.study.splits.schemes for seed in seeds]
        return [
            *(dataset_file("dataset", self.name, dataset) for dataset in self.study.datasets),
            *(dataset_file("feature_record", self.name, dataset) for dataset in self.study.datasets),
            *(
                dataset_file("split_record", self.name, dataset, scheme=scheme, seed=seed)
                for dataset in self.study.datasets
                for scheme, seed in splits
            ),
        ]

    def text(self) -> str:
        """Content of the file: the same for the same study; keys keep their order, which is that of runs."""
        values = {"name": self.name, "scale": self.scale, "study": self.study.model_dump(mode="json")}
        return json.dumps(values, ensure_ascii=False, indent=1) + "\n"


def read_study(path: Path) -> StudyAtScale:
    """Read a study.json.

    Raises:
        RelataskError: it is absent or broken, or its study has no such scale.
    """
    values = read_fields(path, name=str, scale=str, study=dict)
    study = parse(StudyConfig, values["study"], str(path))
    if values["scale"] not in study.scales:
        raise RelataskError(f"{path}: study {values['name']!r} has no scale {values['scale']!r}.")
    return StudyAtScale(values["name"], values["scale"], study)


def _require_finite(root: yaml.Node | None, path: Path) -> None:
    """Refuse a file whose aliases stand for more values than memory or time can hold, or for themselves.

    Read before values are made of it: a mapping that merges others (<<) is their copy. Python takes the
    square of a number's length to read it, where YAML writes it in base 60.
    """
    todo, count = [root], 0
    while todo:
        node = todo.pop()
        if isinstance(node, yaml.ScalarNode) and node.tag != TEXT and len(node.value) > LONGEST_NUMBER:
            raise RelataskError(
                f"{path}, line {node.start_mark.line + 1}: a number of more than {LONGEST_NUMBER:,} digits; "
                "if it is a text, write it in quotation marks."
            )
        if isinstance(node, yaml.MappingNode):
            parts = [part for pair in node.value for part in pair]
        else:
            parts = node.value if isinstance(node, yaml.SequenceNode) else []
        count += len(parts)
        if count > MOST_VALUES:
            raise RelataskError(
                f"{path} stands for more than {MOST_VALUES:,} values; write it without aliases (&a, *a)."
            )
        todo.extend(parts)
