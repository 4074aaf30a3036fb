"""What model.json says: all that decides a trained model's predictions but its weights.

A model is a folder: model.json, weights.safetensors, for estimators of scikit-learn `estimators/*.skops`, for
methods that read other items' labels support.safetensors, for inputs that learn from training items
learned.json, and items.parquet, the items it was trained on. A model that is made of others (a prior, an
ensemble, groups) holds them in folders of the same form.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from relatask import __version__
from relatask.core.errors import RelataskError
from relatask.core.files import read_fields
from relatask.data.tasks import Task
from relatask.plan.manifest import spec_of
from relatask.plan.spec import RunSpec

FORMAT = 1
NAME = "model.json"
ENSEMBLE_FORMAT = 1
ENSEMBLE = "ensemble.json"  # of a folder of models, see `models.ensemble`
LEARNED = "learned.json"  # what the input learned from the training items, e.g. the words that are known


@dataclass(frozen=True)
class Member:
    """A model that another one is made of.

    Attributes:
        folder: where it lies, from the folder of the whole.
        serves: ids of the tasks that it predicts for the whole; None: all of its own.
    """

    folder: str
    serves: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Scale:
    """How the values of a series were standardised: less `mean`, divided by `deviation`, both of training.

    Attributes:
        name: of the series, as its source writes it.
        task_id: of its task, if it has one.
        mean: in the series' own unit.
        deviation: in the same unit, above 0.
    """

    name: str
    task_id: str
    mean: float
    deviation: float


@dataclass(frozen=True)
class ModelRecord:
    """The content of model.json.

    Attributes:
        spec: the run that trained the model.
        tasks: what it predicts, in the order of its outputs.
        inputs: kind of input -> version of the code that makes it from items.
        relations: pairs of related tasks and their scores, each pair once.
        dataset_digest: of the data set it was trained on.
        libraries: name -> version, of those that trained it.
        learned_alone: tasks that have a model each, in order; empty for one model of all tasks.
        members: models that this one is made of.
        prior: folder of the model whose predictions it starts from.
        files: name -> SHA-256 of the other files of the model.
        scaling: of all series that a forecaster reads, in their order; empty for other models.
        code: digest of the code that trained it; empty where it is unknown.
        standardised: how molecules were standardised (`neutralise`, `fragments`), as new ones must be; empty
            where items are no molecules, and in models of before it was said, which left charges alone.
    """

    spec: RunSpec
    tasks: tuple[Task, ...]
    inputs: Mapping[str, int]
    relations: tuple[tuple[str, str, float], ...]
    dataset_digest: str
    libraries: Mapping[str, str]
    learned_alone: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()
    prior: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    scaling: tuple[Scale, ...] = ()
    code: str = ""
    standardised: Mapping[str, Any] = field(default_factory=dict)

    @property
    def task_ids(self) -> list[str]:
        """Ids of the tasks, in the order of the predictions."""
        return [task.task_id for task in self.tasks]

    @property
    def title(self) -> str:
        """What messages call the model."""
        spec = self.spec
        return f"{spec.label or spec.method.name} trained on {spec.dataset!r}, seed {spec.seed}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"format": FORMAT, "relatask": __version__, **asdict(self), "spec": self.spec.as_dict()}


def require_replaceable(folder: Path) -> None:
    """Refuse a folder that an ensemble would replace and that is none.

    Raises:
        RelataskError: it is there and holds something else.
    """
    if folder.exists() and not (folder / ENSEMBLE).is_file():
        raise RelataskError(f"{folder} is there and holds no model of relatask; name another folder with -o.")


def read_record(folder: Path) -> ModelRecord:
    """Read model.json of a model's folder.

    Raises:
        RelataskError: it is absent, damaged, or of a format that this version does not read.
    """
    path = folder / NAME
    if not folder.is_dir():
        raise RelataskError(
            f"there is no folder {folder}; name that of a model, e.g. models/NAME of relatask train."
        )
    if not path.is_file():
        raise RelataskError(
            f"{folder} is no model: it has no {NAME}; name the folder that relatask train made, such as "
            "models/assays, or that of a run, results/STUDY/runs/RUN."
        )
    content = read_fields(path, format=int, spec=dict, tasks=list, inputs=dict, files=dict)
    if content["format"] != FORMAT:
        raise RelataskError(
            f"{path} has format {content['format']}, and relatask {__version__} reads format {FORMAT}; load "
            f"it with relatask {content.get('relatask', 'of its time')}, or train it again."
        )
    try:
        return ModelRecord(
            spec=spec_of(content["spec"], path),
            tasks=tuple(Task(**{**task, "classes": tuple(task["classes"])}) for task in content["tasks"]),
            inputs=content["inputs"],
            relations=tuple(
                (str(one), str(other), float(score)) for one, other, score in content["relations"]
            ),
            dataset_digest=content["dataset_digest"],
            libraries=content["libraries"],
            learned_alone=tuple(content["learned_alone"]),
            members=tuple(
                Member(member["folder"], None if member["serves"] is None else tuple(member["serves"]))
                for member in content["members"]
            ),
            prior=content["prior"],
            files=content["files"],
            scaling=tuple(Scale(**scale) for scale in content["scaling"]),
            code=str(content.get("code", "")),
            standardised=_standardised(content.get("standardised", {})),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RelataskError(f"{path} is damaged ({error}); get the model anew, or train it again.") from None


def _standardised(given: Any) -> Mapping[str, Any]:
    """Return how molecules were standardised.

    Raises:
        ValueError: it is something that this version does not know.
    """
    if given == {}:
        return {}
    known = isinstance(given, dict) and given.keys() == {"neutralise", "fragments"}
    if not known or type(given["neutralise"]) is not bool or given["fragments"] not in ("parent", "largest"):
        raise ValueError(f"standardised is {given!r}")
    return dict(given)
