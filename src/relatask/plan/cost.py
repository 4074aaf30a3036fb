"""What a run costs on one core: from the measured cost in the capability records, and a size.

The plan takes the size that the study expects; once a data set is prepared, its own size says it better.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from relatask.core.registry import Capabilities, capabilities
from relatask.plan.spec import RunSpec

SECONDS_PER_RUN = 1.0  # whatever it trains: loading, journalling


class Size(Protocol):
    """How large a data set is, such as `config.SizeConfig`; None: all items have a label of a task."""

    @property
    def items(self) -> int: ...  # noqa: D102
    @property
    def tasks(self) -> int: ...  # noqa: D102
    @property
    def labels_per_task(self) -> float | None: ...  # noqa: D102


@dataclass(frozen=True)
class PreparedSize:
    """The size that a prepared data set has."""

    items: int
    tasks: int
    labels_per_task: float | None


def predicted_minutes(spec: RunSpec, size: Size, parts: int = 1) -> float:
    """Return the minutes of a run on one core, of all members of an ensemble or all groups together.

    Args:
        spec: the run; which of the tasks are its own does not count.
        size: of its data set.
        parts: into how many runs the tasks of its row are cut.
    """
    ability = capabilities("methods", spec.method.name)
    encoder = capabilities("encoders", spec.encoder.name) if spec.encoder else None
    rows = size.labels_per_task or size.items
    items = rows * size.tasks / parts if ability.per_task else size.items
    if spec.episodes:
        episode = spec.episodes["ways"] * (spec.episodes["shots"] + spec.episodes["queries"])
        items = spec.method.options["episodes"] * episode
    if encoder is None or spec.encoder is None:
        seconds = items * _microseconds(ability, spec.method.options) * 1e-6
    else:
        n_encoders = size.tasks if ability.encoders == "per task" else 1
        n_encoders *= math.prod(spec.method.options[name] for name in ability.copies)
        each = n_encoders * _microseconds(encoder, spec.encoder.options)
        each += _microseconds(ability, spec.method.options) * size.tasks
        seconds = items * spec.training["epochs"] * each * 1e-6
        seconds *= 1 + capabilities("balancing", spec.balancing.name).passes_per_task * size.tasks
    members = spec.groups["budget"] if spec.groups else spec.ensemble
    return (SECONDS_PER_RUN + seconds) / 60 * members


def _microseconds(ability: Capabilities, options: Mapping[str, Any]) -> float:
    """Cost of an item with `options`, scaled from that with the defaults."""
    scale = math.prod(options[name] / ability.options[name] for name in ability.cost_options)
    return ability.microseconds * scale
