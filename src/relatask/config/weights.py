"""How much labels count in training: by their item, their class and their task."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from relatask.core.blocks import Block

Number = Annotated[float, Field(ge=0)]
Text = Annotated[str, BeforeValidator(lambda name: str(name) if isinstance(name, int) else name)]
OfClasses = Literal["balanced"] | Number | dict[Text, Number]
WORD_OF = {"weight_column": "items", "classes": "classes", "tasks": "tasks"}  # key -> word of capabilities


class WeightsConfig(Block):
    """How much labels count in training: only ratios do, and metrics do not read them."""

    weight_column: str | None = Field(
        None,
        description="column of your file with the weight of each item; 0 leaves it out of training",
    )
    classes: OfClasses | dict[str, OfClasses] | None = Field(
        None,
        description="`balanced`: each class of a task counts the same in all; a number: that of label 1; "
        "or a mapping of tasks to one of these, or to weights of their classes by name",
    )
    tasks: dict[str, Annotated[float, Field(gt=0)]] = Field(
        {}, description="task -> weight of its loss among those of a network; 1 where not named"
    )

    @model_validator(mode="after")
    def _says_something(self) -> "WeightsConfig":
        if not self.given():
            raise ValueError("name weight_column, classes or tasks, or remove the key")
        return self

    def given(self) -> dict[str, Any]:
        """Return the keys that say something, as they enter a run's identity."""
        return {name: value for name, value in self.model_dump().items() if value not in (None, {})}
