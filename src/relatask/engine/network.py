"""The network of a unit, freshly initialised, and the precision it computes in."""

import torch
from torch import Tensor, nn

from relatask.core.errors import RelataskError
from relatask.core.registry import load
from relatask.data.task_ids import task_ids
from relatask.engine.task_graph import task_graph
from relatask.engine.unit import Unit
from relatask.nn.contract import TaskContext


def build_model(unit: Unit) -> nn.Module:
    """Return the freshly initialised network of a unit."""
    torch.manual_seed(unit.seed("initialisation"))
    encoder = load("encoders", str(unit.spec.encoder)).build(**unit.spec.encoder_options)
    edge_index, edge_score = task_graph(unit)
    context = TaskContext(
        task_ids=unit.task_ids if unit.spec.episodes is None else task_ids(unit.data.tasks[0].classes),
        edge_index=edge_index,
        edge_score=edge_score,
        seed_of=lambda task: unit.spec.random_seed("head", task),
    )
    return load("methods", unit.spec.method).build(encoder, context, **unit.spec.options)


def trained_model(unit: Unit, weights: dict[str, Tensor]) -> nn.Module:
    """Return the network of a finished unit, with the weights that the journal keeps, on the unit's device.

    Raises:
        RelataskError: the weights do not fit the network that the spec describes.
    """
    model, spec = build_model(unit), unit.spec
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise RelataskError(
            f"the model of run {spec.run_id} ({spec.label}) does not fit its network "
            f"({' '.join(str(error).split())}); delete its folder in the journal and run again."
        ) from None
    return model.to(unit.data.labels.device)


def autocast(unit: Unit) -> torch.autocast:
    """Return the context of the precision that the unit's spec asks for."""
    wanted = unit.spec.training["precision"] == "bf16"
    return torch.autocast(unit.data.labels.device.type, dtype=torch.bfloat16, enabled=wanted)
