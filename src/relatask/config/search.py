"""Hyper-parameter search: how many trials each row of a study gets, and what it may choose."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from relatask.core.blocks import Block

# Which values of `training` a search may choose, of each row that trains a network.
TRAINING_SPACE: dict[str, dict[str, Any]] = {
    "learning_rate": {"least": 1e-4, "greatest": 1e-2, "log": True},
    "weight_decay": {"values": [0.0, 1e-6, 1e-5, 1e-4, 1e-3]},
}
SETTING = r"^(options|encoder_options|balancing_options|training)\.[A-Za-z_][A-Za-z0-9_]*$"
Setting = Annotated[str, StringConstraints(pattern=SETTING)]


class SearchConfig(Block):
    """A search for settings: each row has the same number of trials, judged on validation alone."""

    trials: int = Field(
        ge=2,
        le=10_000,
        description="trainings of each row for each search; the first has the settings of the study",
    )
    sampler: Literal["tpe", "random"] = Field(
        "tpe", description="Optuna's: tpe learns from the trials before; random does not"
    )
    validation: Literal["each", "first"] = Field(
        "each",
        description="each: every split and seed has a search of its own, on its validation fold; first: that "
        "of the first decides for all, which costs less, but its items may be test items of the others",
    )
    seed: int = Field(0, ge=0, lt=2**31, description="of the sampler")


class RangeConfig(Block):
    """Which values of a setting a search may choose: from `least` to `greatest`, or one of `values`."""

    least: float | int | None = Field(None, description="least value of a number")
    greatest: float | int | None = Field(None, description="greatest value of a number")
    log: bool = Field(False, description="whether its logarithm is drawn evenly")
    values: list[Any] | None = Field(None, description="the only values")

    def plain(self) -> dict[str, Any]:
        """Return the keys that were given, as `core.search_space` reads them."""
        given = self.model_dump().items()
        return {key: value for key, value in given if value is not None and value is not False}
