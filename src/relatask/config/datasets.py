"""Where labelled molecules come from, how tasks relate, and what methods are trained on."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from relatask.config.blocks import Block, Name, unique
from relatask.config.items import CLASS_READERS, IMAGE_READERS, EpisodesConfig


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

    reader: Literal[
        "table",
        "kiba",
        "lsc",
        "chembl_activities",
        "planted",
        "series",
        "coco",
        "omniglot",
        "miniimagenet",
        "tieredimagenet",
    ] = Field(
        description="table: CSV or Parquet of SMILES x tasks; series: of points in time x series; coco: a "
        "folder of images in COCO's layout; omniglot, miniimagenet, tieredimagenet: images with one class "
        "each, in the layout of those; the others: the form that data set has"
    )
    path: str | None = Field(
        None,
        description="a file of yours, absolute or from where the workflow is started; without it the source "
        "is a name in datasets.tsv",
    )
    smiles_column: str = Field("smiles", description="column that holds the SMILES")
    id_column: str | None = Field(
        None, description="column that names a molecule; of series: that holds the time, else date"
    )
    task_columns: list[str] | None = Field(
        None, description="columns that are tasks; default: all the others"
    )
    image_size: int = Field(
        224, ge=8, le=1024, description="of images: pixels of a side; the middle is cut out"
    )
    split_path: str | None = Field(
        None,
        description="of images with one class each: folder of the split files; default: where the images are",
    )
    rotated: bool = Field(
        False, description="omniglot: characters turned by 90, 180 and 270 degrees are classes of their own"
    )
    first: int | None = Field(None, ge=1, description="series: use only so many points, from the start")
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
        readers = {
            "smiles_column": ("table",),
            "id_column": ("table", "series"),
            "task_columns": ("table", "lsc", "series"),
            "first": ("series",),
            "image_size": IMAGE_READERS,
            "split_path": CLASS_READERS,
            "rotated": ("omniglot",),
        }
        for key, known in readers.items():
            if self.reader not in known and getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key}: only the reader {' or '.join(known)} reads it, not {self.reader}")
        if self.active is not None and self.reader in {"lsc", "planted", *IMAGE_READERS}:
            raise ValueError(f"active: the reader {self.reader} has labels and no measured values")
        if self.active is not None and self.reader == "series":
            raise ValueError("active: series are forecast as they are; remove it")
        if self.path is None and self.reader == "coco":
            raise ValueError("path: the reader coco needs the folder that holds train2017 and val2017")
        if self.path is None and self.reader in {"miniimagenet", "tieredimagenet"}:
            raise ValueError(f"path: the reader {self.reader} needs the folder of its images")
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
    tasks: Annotated[list[str], AfterValidator(unique)] = Field(
        [], description="task ids: of what is left, only these; default: all"
    )


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
    episodes: EpisodesConfig | None = Field(
        None, description="of images with one class each; default: 5 ways, 5 shots"
    )
    size: SizeConfig = Field(SizeConfig(), description="expected size, for the prediction of costs")
    cost_factors: dict[Name, Annotated[float, Field(gt=0)]] = Field(
        {},
        description="label of a method -> measured over predicted time, as `relatask calibrate` prints; it "
        "only sizes shards and never changes a result",
    )
    published: str | None = Field(None, description="what config/published.csv calls the data set")
    whole: int | None = Field(
        None,
        ge=1,
        description="items of the whole, where a part of it may be given: tables say how many there were, "
        "and of less than a hundredth that it was a smoke run",
    )
