"""Which measured values count as active."""

from collections.abc import Sequence
from typing import Any

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


def rule_columns(rules: Sequence[ActiveRule | None]) -> dict[str, Any]:
    """Return the columns `at_least` and `at_most` of the tasks of a `RawTable`, one rule for each task."""
    return {
        "at_least": [rule.at_least if rule else None for rule in rules],
        "at_most": [rule.at_most if rule else None for rule in rules],
    }
