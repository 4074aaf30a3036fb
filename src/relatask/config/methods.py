"""The rows of a study's tables: methods, how they are trained, and how much is spent."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from relatask.config.search import RangeConfig, Setting
from relatask.core.blocks import Block, Name, unique


class TrainingConfig(Block):
    """How networks are trained; every value is part of a run's identity."""

    epochs: int = Field(30, ge=1, description="passes over the training molecules")
    batch_size: int = Field(
        128,
        ge=2,
        description="items in a step; a step on nodes passes their whole graph, so name as many as there are",
    )
    learning_rate: float = Field(1e-3, gt=0, description="step size of Adam")
    weight_decay: float = Field(0.0, ge=0, description="L2 penalty of Adam")
    evaluate_every: int = Field(1, ge=1, description="epochs between validations")
    patience: int | None = Field(None, ge=1, description="validations without a better one before stopping")
    precision: Literal["fp32", "bf16"] = Field(
        "fp32", description="bf16: matrix products in bfloat16, faster where the machine has it"
    )
    schedule: Literal["constant", "cosine"] = Field(
        "constant", description="cosine: the step size falls from epoch to epoch, along half a cosine to zero"
    )
    augmentation: Literal["none", "crop_flip"] = Field(
        "none",
        description="crop_flip: a random window of each image of a training step, half of them mirrored",
    )


class GroupsConfig(Block):
    """Which chosen groups a row learns its tasks in: a network for each, every task predicted by its own."""

    gains: Annotated[list[Name], AfterValidator(unique)] = Field(
        min_length=1, description="keys of grouping.gains, one for each seed of the scale"
    )
    strategy: Name = Field(description="label of the strategy in `grouping` that chose the groups")
    budget: int = Field(ge=1, description="number of groups, at most grouping.budgets")
    rounds: int | None = Field(None, ge=1, description="mtg_net: the number K; default: its greatest")


class MethodConfig(Block):
    """One row of the tables: a method with its encoder and options."""

    label: Name = Field(description="name of the row in tables and figures")
    twin_of: Name | None = Field(
        None,
        description="label of another row: this one is the same with other random numbers, an A/A control of "
        "the comparisons; it has no other key than its label",
    )
    published: str | None = Field(None, description="what config/published.csv calls the method")
    method: str = Field("", description="a file of relatask.methods; each row but a twin has it")
    encoder: str | None = Field(None, description="a file of relatask.encoders")
    inputs: Annotated[list[Name], AfterValidator(unique)] = Field(
        [],
        description="files of relatask.inputs that the encoder, or a method without one, reads, such as "
        "[ecfp, descriptors] beside each other; default: what it reads by itself",
    )
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
    graph: str = Field(
        "true",
        pattern=r"^(true|none|shuffled(_[1-9][0-9]{0,3})?)$",
        description="shuffled: a control, the relation graph with random partners of the same number, the "
        "same for all rows of a data set, split and seed; shuffled_1 to shuffled_9999: other such graphs, as "
        "many as a control wants; none: the method's network without relations",
    )
    prior: Name | None = Field(
        None, description="label of the method whose predictions this one starts from, for methods that do"
    )
    encoder_from: Name | None = Field(
        None,
        description="label of a row with the same encoder, from whose trained one this row's starts: "
        "pre-training, which rows are to be compared with all have or none",
    )
    average_logits: bool = Field(
        False,
        description="true: the row is two networks, its own and that of `prior`, and its score the mean of "
        "their logits: what an energy on that prior, which is a product of two networks too, has to beat",
    )
    cross_fit: int = Field(
        0,
        ge=0,
        le=100,
        description="what the prior says of training items comes from so many networks like it, each trained "
        "without a part of them; 0: from the prior, which was trained on them",
    )
    groups: GroupsConfig | None = Field(
        None, description="learn each task in the group that was chosen for it, instead of all together"
    )
    ensemble: int = Field(
        1, ge=1, le=1000, description="so many networks, whose probabilities are averaged: more at equal cost"
    )
    weights: bool = Field(True, description="false: train the row without the `weights` of its data set")
    search: Literal[False] | dict[Setting, RangeConfig] | None = Field(
        None,
        description="setting, e.g. `encoder_options.width` -> its range, over those that the files of method "
        "and encoder state; what the row itself sets is searched only if it stands here. false: the row is "
        "trained as it is",
    )
    parts: int = Field(1, ge=1, le=10_000, description="cut a run of independent tasks into so many runs")

    @property
    def is_combined(self) -> bool:
        """Whether a run of the row is put together from several."""
        return self.groups is not None or self.ensemble > 1 or self.average_logits

    @property
    def waits_for(self) -> list[str]:
        """Labels of the rows whose models a run of this one reads."""
        return [label for label in (self.prior, self.encoder_from) if label is not None]

    @model_validator(mode="after")
    def _consistent(self) -> "MethodConfig":
        if not self.method and self.twin_of:
            raise ValueError(f"twin_of: no row that is no twin itself has the label {self.twin_of!r}")
        if not self.method:
            raise ValueError("the key 'method' is missing")
        if self.groups is not None and self.ensemble > 1:
            raise ValueError("ensemble: a row has groups or is an ensemble, not both")
        if self.average_logits and (self.groups is not None or self.ensemble > 1):
            raise ValueError("average_logits: the row has one network of its own; remove groups and ensemble")
        for key, wanted in (("average_logits", self.average_logits), ("cross_fit", self.cross_fit)):
            if wanted and self.prior is None:
                raise ValueError(f"{key}: it is about the prior; name one, or remove {key}")
        if self.cross_fit == 1 or (self.cross_fit and self.average_logits):
            raise ValueError("cross_fit: 2 or more parts, of a row that starts from its prior")
        return self


class OwnSettings(Block):
    """What one method has on one data set at a scale."""

    options: dict[str, Any] = Field({}, description="options of the method, over those of `methods`")
    training: dict[str, Any] = Field({}, description="keys of `training`, over those of `datasets`")


class ScaleConfig(Block):
    """How much is spent: `quick` for a laptop, `paper` for the papers' settings."""

    seeds: Annotated[list[Annotated[int, Field(ge=0, lt=2**31)]], AfterValidator(unique)] = Field(
        [0, 1, 2], min_length=1, description="one split and one initialisation each"
    )
    restarts: int = Field(
        1,
        ge=1,
        le=100,
        description="trainings of each row on each split, with other random numbers; tables show their mean",
    )
    training: dict[str, Any] = Field({}, description="keys of `training` at this scale")
    datasets: dict[Name, dict[str, Any]] = Field(
        {}, description="data set -> keys of `training` on it at this scale; those of a method come last"
    )
    encoders: dict[str, dict[str, Any]] = Field({}, description="encoder -> options at this scale")
    methods: dict[str, dict[str, Any]] = Field({}, description="method -> options at this scale")
    settings: dict[Name, dict[str, OwnSettings]] = Field(
        {},
        description="data set -> method -> what the method has there at this scale, where a paper's settings "
        "differ from data set to data set; those of a row come last",
    )
    reduced: list[str] = Field([], description="what is smaller than in the paper, for the tables' footnotes")


class TableConfig(Block):
    """A table like the main one, of some methods: a paper's comparison of noises, of layers, ..."""

    title: str = Field(description="one line above the table")
    methods: Annotated[list[Name], AfterValidator(unique)] = Field(
        min_length=1, description="labels of its rows, and names of best_of, in their order"
    )
    best_of: dict[Name, Annotated[list[Name], AfterValidator(unique)]] = Field(
        {}, description="row -> labels, of which the best on validation stands there in each column"
    )
