"""Which weights of labels a row of the tables is trained with, and which its method cannot use."""

from typing import Any

from relatask.config import DatasetConfig, MethodConfig
from relatask.config.weights import WORD_OF
from relatask.core.errors import RelataskError
from relatask.core.registry import capabilities


def weights_of(method: MethodConfig, dataset: DatasetConfig) -> dict[str, Any] | None:
    """Return the weights that a row is trained with, None where it has none.

    A method that trains each task by itself has no losses of several tasks: what is least in their weighted
    sum is least in each of them, so weights of tasks change nothing and are no part of its runs' identity.
    """
    if dataset.weights is None or not method.weights:
        return None
    alone = {"tasks"} if capabilities("methods", method.method).per_task else set()
    given = {key: value for key, value in dataset.weights.given().items() if key not in alone}
    return given or None


def refuse_weights(method: MethodConfig, name: str, dataset: DatasetConfig, where: str) -> None:
    """Raise where a row cannot use the weights of its data set."""
    ability = capabilities("methods", method.method)
    for key in weights_of(method, dataset) or {}:
        if WORD_OF[key] not in ability.weights:
            raise RelataskError(
                f"{where}: method {method.method!r} cannot use weights of {WORD_OF[key]} "
                f"(datasets.{name}.weights.{key}); set `weights: false` in the row to train it without any, "
                "or name another method."
            )
        if key == "tasks" and method.balancing != "equal":
            raise RelataskError(
                f"{where}: balancing {method.balancing!r} weighs tasks itself, and so does "
                f"datasets.{name}.weights.tasks; remove one, or set `weights: false` in the row."
            )
