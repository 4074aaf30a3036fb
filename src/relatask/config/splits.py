"""Which items are for training, validation and test."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, create_model, field_validator, model_validator

from relatask.core.blocks import Block, Name, unique
from relatask.core.columns.data import CLUSTERS, GROUPINGS, LABELS, SCAFFOLD
from relatask.core.files import canonical_json
from relatask.core.plugins import scheme_records
from relatask.core.records import suggest


def _fractions(value: tuple[float, float, float]) -> tuple[float, float, float]:
    if abs(sum(value) - 1) > 1e-9 or min(value) <= 0:
        raise ValueError("must be three positive numbers that sum to 1 (train, valid, test)")
    return value


def _scheme(name: str, others: Collection[str] = ()) -> str:
    if name not in (known := {*scheme_records(), *others}):
        raise ValueError(f"there is no split scheme {name!r}.{suggest(name, known)}")
    return name


def _split(name: str, info: ValidationInfo) -> str:
    if "variants" not in info.data:  # one of them is wrong, and this may be its name
        return name
    return _scheme(name, info.data["variants"])


def _summaries() -> str:
    return "; ".join(f"{name}: {record.summary}" for name, record in scheme_records().items())


class VariantBlock(Block):
    """A scheme of splits with options of its own, under a name of its own."""

    scheme: Annotated[str, AfterValidator(lambda name: _scheme(name))] = Field(
        description="the scheme that it is of"
    )
    published: str | None = Field(
        None, description="what config/published.csv writes behind the data set's name for this split"
    )

    @property
    def options(self) -> dict[str, Any]:
        """Options that differ from those of the study."""
        own = {key: getattr(self, key) for record in scheme_records().values() for key in record.options}
        return {key: value for key, value in own.items() if value is not None}

    @model_validator(mode="after")
    def _check_options(self) -> "VariantBlock":
        if strange := sorted(set(self.options) - set(scheme_records()[self.scheme].options)):
            raise ValueError(f"the scheme {self.scheme} does not read {strange[0]!r}; remove it")
        return self


def _option_fields(unset: bool = False) -> dict[str, Any]:
    """Return the keys that the schemes declare as options; with `unset`, None stands for the study's."""
    records = scheme_records().values()
    options = {key: value for record in records for key, value in record.options.items()}
    limits = {key: value for record in records for key, value in record.limits.items()}
    choices = {key: value for record in records for key, value in record.choices.items()}
    found = {}
    for key, (default, meaning) in sorted(options.items()):
        least, greatest = limits.get(key, (None, None))
        said = f"of this variant; default: `splits.{key}`" if unset else meaning
        value = Field(None if unset else default, description=said, ge=least, le=greatest)
        kind: Any = Literal[choices[key]] if key in choices else type(default)
        found[key] = (kind | None if unset else kind, value)
    return found


if TYPE_CHECKING:
    SplitVariantConfig = VariantBlock
else:
    SplitVariantConfig = create_model(
        "SplitVariantConfig",
        __base__=VariantBlock,
        __doc__=VariantBlock.__doc__,
        **_option_fields(unset=True),
    )


class SplitsBlock(Block):
    """Which items are for training, validation and test."""

    variants: dict[Name, SplitVariantConfig] = Field(
        {}, description="name → a scheme with options of its own; `schemes` may list it beside others"
    )
    schemes: Annotated[list[Annotated[str, AfterValidator(_split)]], AfterValidator(unique)] = Field(
        ["scaffold"], min_length=1, description=f"{_summaries()}; or a name of `variants`"
    )
    fractions: Annotated[tuple[float, float, float], AfterValidator(_fractions)] = Field(
        (0.8, 0.1, 0.1), description="shares of train, valid and test; they sum to 1"
    )

    @field_validator("variants")
    @classmethod
    def _check_names(cls, variants: dict[str, Any]) -> dict[str, Any]:
        if clash := sorted(set(variants) & set(scheme_records())):
            raise ValueError(f"{clash[0]!r} is the name of a scheme; choose another")
        return variants

    @model_validator(mode="after")
    def _check_what_is_used(self) -> "SplitsBlock":
        """Refuse a variant that no split is of, and a split that is there twice."""
        if lost := sorted(set(self.variants) - set(self.schemes)):
            raise ValueError(f"variants: `schemes` does not list {lost[0]!r}; list it or remove it")
        first: dict[str, str] = {}
        for split in self.schemes:
            for key in scheme_records()[self.scheme_of(split)].required:
                if not self.options_of(split)[key]:
                    what = scheme_records()[self.scheme_of(split)].options[key][1]
                    raise ValueError(f"{key}: the scheme {self.scheme_of(split)} needs it ({what})")
            same = first.setdefault(canonical_json([self.scheme_of(split), self.options_of(split)]), split)
            if same != split:
                of = self.scheme_of(split)
                raise ValueError(
                    f"schemes: {same!r} and {split!r} are one split, {of} with equal options; remove one"
                )
        return self

    def not_read(self) -> str:
        """Say which option was given that no split reads, "" where there is none.

        Only the file that a user writes is asked: a study that the workflow wrote has every option.
        """
        read = {key for split in self.schemes for key in self.options_of(split)}
        for scheme, record in scheme_records().items():
            for key in sorted(set(record.options) & self.model_fields_set - read):
                used = ", ".join(self.used)
                return f"{key}: the scheme {scheme} reads it, and not {used}; remove it, or use the scheme."
        return ""

    def scheme_of(self, split: str) -> str:
        """Return the scheme of a split, which has the same name unless it is a variant."""
        return self.variants[split].scheme if split in self.variants else split

    def options_of(self, split: str) -> dict[str, Any]:
        """Return the options that the scheme of a split reads."""
        options = {key: getattr(self, key) for key in scheme_records()[self.scheme_of(split)].options}
        return {**options, **(self.variants[split].options if split in self.variants else {})}

    def published_of(self, split: str) -> str | None:
        """Return what a paper writes behind the data set's name for a split; None: nothing."""
        return self.variants[split].published if split in self.variants else None

    @property
    def used(self) -> list[str]:
        """The schemes that its splits are of."""
        return list(dict.fromkeys(map(self.scheme_of, self.schemes)))

    @property
    def columns(self) -> list[str]:
        """Columns of the items that its schemes read and that a user named."""
        options = [self.options_of(split) for split in self.schemes]
        named = [values.get(key) or "" for values in options for key in ("column", "by")]
        return sorted({*named} - {"", LABELS, *GROUPINGS})

    def files_of(self, split: str) -> list[str]:
        """Files of the user's own that the scheme of a split reads."""
        options = self.options_of(split)
        files = [options[key] for key in scheme_records()[self.scheme_of(split)].files]
        return [file for file in files if file]

    def cutoff_of(self, split: str) -> float | None:
        """Greatest distance of neighbours in the clusters that a split keeps together; None: it has none."""
        options = self.options_of(split)
        return options["cutoff"] if CLUSTERS in (self.scheme_of(split), options.get("by")) else None

    def needs_molecules(self, split: str) -> str:
        """Say which option of a split is for molecules alone, "" where there is none."""
        options = self.options_of(split)
        if options.get("by") in GROUPINGS:
            return f"by: {options['by']}"
        return f"valid_by: {SCAFFOLD}" if options.get("valid_by") == SCAFFOLD else ""


if TYPE_CHECKING:
    SplitsConfig = SplitsBlock
else:
    SplitsConfig = create_model(
        "SplitsConfig", __base__=SplitsBlock, __doc__=SplitsBlock.__doc__, **_option_fields()
    )
