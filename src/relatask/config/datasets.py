"""What methods are trained on: how tasks relate, which labels are kept, and what is expected of the size."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from relatask.config.weights import WeightsConfig
from relatask.core.blocks import Block, Name, unique


class EpisodesConfig(Block):
    """What few-shot learning asks: which of some unseen classes an item has, from labelled items of each."""

    ways: int = Field(5, ge=2, le=1000, description="classes of an episode")
    shots: int = Field(5, ge=1, le=1000, description="labelled items of each class")
    queries: int = Field(15, ge=1, le=1000, description="other items of each class, whose class is asked")
    evaluated: int = Field(
        800, ge=1, le=100_000, description="episodes of validation and of test, the same for every method"
    )


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
    proteins: Literal["string_id", "uniprot"] = Field(
        "string_id",
        description="what tasks name their proteins by: STRING ids of the release of `source`, or UniProt "
        "accessions, whose STRING ids are in SOURCE_aliases of datasets.tsv",
    )
    min_score: float = Field(0.0, ge=0, le=1, description="edges at or below 0, or below this, are left out")
    same_protein: Literal["none", "edge"] = Field(
        "none", description="tasks on one protein: none gives no edge (as the authors), edge gives score 1"
    )

    @property
    def in_sheet(self) -> list[str]:
        """Names in config/datasets.tsv of what the relations are made of."""
        if self.source in {"planted", "string_live"}:
            return []
        return [self.source, *([f"{self.source}_aliases"] if self.proteins == "uniprot" else [])]

    @model_validator(mode="after")
    def _mapped_by_others(self) -> "RelationsConfig":
        if self.proteins == "uniprot" and not self.in_sheet:
            raise ValueError(
                f"proteins: {self.source} needs no names of proteins from datasets.tsv; remove the key"
            )
        return self


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

    items: int = Field(2000, ge=1, description="items after preparation")
    tasks: int = Field(50, ge=1, description="tasks after preparation")
    labels_per_task: int | None = Field(None, ge=1, description="default: all items")


class DatasetConfig(Block):
    """Molecules, tasks, labels and relations as methods see them."""

    source: Name = Field(description="a key of `sources`")
    relations: RelationsConfig | None = Field(
        None, description="the relation graph; without it there is none"
    )
    densify: DensifyConfig | None = Field(
        None, description="without it, molecules and tasks stay as they are"
    )
    sequences: Name | None = Field(
        None,
        description="sequences of the tasks' proteins by UniProt accession, a FASTA file in datasets.tsv; "
        "they are compared with a learned dependency, and no method reads them",
    )
    episodes: EpisodesConfig | None = Field(
        None, description="of images with one class each; default: 5 ways, 5 shots"
    )
    weights: WeightsConfig | None = Field(
        None, description="how much labels count in training; without it all count the same"
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
