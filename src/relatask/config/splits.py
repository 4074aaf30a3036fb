"""Which items are for training, validation and test."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, create_model

from relatask.core.blocks import Block, unique
from relatask.core.errors import RelataskError
from relatask.core.plugins import record_of, scheme_records


def _fractions(value: tuple[float, float, float]) -> tuple[float, float, float]:
    if abs(sum(value) - 1) > 1e-9 or min(value) <= 0:
        raise ValueError("must be three positive numbers that sum to 1 (train, valid, test)")
    return value


def _scheme(name: str) -> str:
    try:
        return record_of(scheme_records(), name, "split scheme").name
    except RelataskError as error:
        raise ValueError(str(error)) from None


def _summaries() -> str:
    return "; ".join(f"{name}: {record.summary}" for name, record in scheme_records().items())


class SplitsBlock(Block):
    """Which items are for training, validation and test."""

    schemes: Annotated[list[Annotated[str, AfterValidator(_scheme)]], AfterValidator(unique)] = Field(
        ["scaffold"], min_length=1, description=_summaries()
    )
    fractions: Annotated[tuple[float, float, float], AfterValidator(_fractions)] = Field(
        (0.8, 0.1, 0.1), description="shares of train, valid and test; they sum to 1"
    )

    def options_of(self, scheme: str) -> dict[str, Any]:
        """Return the options that a scheme reads."""
        return {key: getattr(self, key) for key in scheme_records()[scheme].options}

    @property
    def columns(self) -> list[str]:
        """Columns of the items that its schemes read and that a user named."""
        options = [self.options_of(scheme) for scheme in self.schemes]
        return sorted({values["column"] for values in options if values.get("column")})


def _option_fields() -> dict[str, Any]:
    """Return the keys that the schemes declare as their options."""
    options = {key: value for record in scheme_records().values() for key, value in record.options.items()}
    return {
        key: (type(default), Field(default, description=meaning))
        for key, (default, meaning) in sorted(options.items())
    }


if TYPE_CHECKING:
    SplitsConfig = SplitsBlock
else:
    SplitsConfig = create_model(
        "SplitsConfig", __base__=SplitsBlock, __doc__=SplitsBlock.__doc__, **_option_fields()
    )
