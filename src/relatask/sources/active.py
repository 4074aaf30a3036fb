"""Which measured values count as active."""

from collections.abc import Callable

from pydantic import Field, model_validator

from relatask.core.blocks import Block


class ActiveRule(Block):
    """Which measured values count as active (label 1); without it the labels must be 0 and 1."""

    at_least: float | None = Field(None, description="active when the value is this or higher, e.g. pChEMBL")
    at_most: float | None = Field(None, description="active when the value is this or lower, e.g. KIBA")

    @model_validator(mode="after")
    def _one_bound(self) -> "ActiveRule":
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give exactly one of at_least and at_most")
        return self


def activity_test(active: ActiveRule) -> Callable[[float], bool]:
    """Return the function that says whether a measured value is active (bounds included)."""
    if active.at_least is not None:
        bound = active.at_least
        return lambda value: value >= bound
    limit = active.at_most
    assert limit is not None  # ActiveRule holds exactly one bound
    return lambda value: value <= limit
