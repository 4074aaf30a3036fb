"""What a reader wants of a prediction beside the value itself."""

from dataclasses import dataclass

from relatask.core.errors import RelataskError


@dataclass(frozen=True)
class Wanted:
    """What a prediction shall say.

    Attributes:
        level: share of the truths that intervals and sets shall hold.
        nearest: the nearest molecule of training and what follows from its similarity: the expected error
            and whether the molecule is in the domain. Without it intervals are as wide for all molecules.
        members: what each member of an ensemble says.
    """

    level: float = 0.9
    nearest: bool = True
    members: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.level < 1.0:
            raise RelataskError(
                f"the level of intervals is {self.level}; name one between 0 and 1, e.g. 0.9."
            )


ALL = Wanted()  # of a prediction that names nothing
