"""The network of a problem, freshly initialised, and the precision it computes in."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.registry import build_method, capabilities, load
from relatask.data.task_ids import task_ids
from relatask.engine.kinds import kinds_of, tasks_of
from relatask.engine.problem import Problem
from relatask.engine.task_graph import task_graph
from relatask.nn.contract import SHARED, Encoder, MultiTaskModel, TaskContext, TaskEncoders
from relatask.nn.encoder_list import EncoderList


def build_model(problem: Problem, trained: bool = False) -> MultiTaskModel:
    """Return the freshly initialised network of a problem.

    Args:
        problem: what is trained.
        trained: whether weights will be put in: then none are read from where they started.
    """
    edge_index, edge_score = task_graph(problem)
    encoders = Encoders(problem, trained)
    context = TaskContext(
        task_ids=problem.task_ids
        if problem.spec.episodes is None
        else task_ids(problem.data.tasks[0].classes),
        edge_index=edge_index,
        edge_score=edge_score,
        seed_of=lambda task, purpose="head": problem.spec.random_seed(purpose, task),
        encoder=encoders,
        encoders=encoders.together,
        kinds=kinds_of(problem) if problem.spec.episodes is None else None,
        levels=tuple(task.level for task in tasks_of(problem)),
        without_graph=problem.spec.graph == "none",
    )
    torch.manual_seed(problem.seed("initialisation"))
    method = problem.spec.method
    model: MultiTaskModel = build_method(method.name, method.options, context)
    if problem.encoder is not None and not trained:
        _start_encoder(model, problem)
    return model


def _start_encoder(model: MultiTaskModel, problem: Problem) -> None:
    """Give the encoder of a network the weights that it starts from.

    Raises:
        RelataskError: they are not those of such an encoder.
    """
    assert problem.encoder is not None
    assert model.trunk is not None
    try:
        model.trunk.load_state_dict(problem.encoder)
    except RuntimeError as error:
        raise RelataskError(
            f"{problem.title}: the trained encoder that it starts from is none of its own form "
            f"({' '.join(str(error).split())}); remove `encoder_from` from the row."
        ) from None


class Encoders:
    """The encoders of a problem's network, each built when it is first asked for: an `EncoderFactory`."""

    def __init__(self, problem: Problem, trained: bool = False):
        self.problem, self.trained = problem, trained
        self._built: dict[str, Encoder] = {}

    def __call__(self, name: str = SHARED) -> Encoder:
        """Return the encoder called `name`, freshly initialised the first time."""
        if name not in self._built:
            self._built[name] = self._shared() if name == SHARED else self._own(name)
        return self._built[name]

    def together(self, names: Sequence[str]) -> TaskEncoders:
        """Return the encoders called `names` as one module, by the encoder's own pass where it has one."""
        encoders = [self(name) for name in names]
        module = load("encoders", self.problem.spec.required_encoder().name)
        if hasattr(module, "together") and not encoders[0].plain:
            together: TaskEncoders = module.together(encoders)
            return together
        return EncoderList(encoders)

    def _shared(self) -> Encoder:
        spec = self.problem.spec
        chosen = spec.required_encoder()
        ability = capabilities("encoders", chosen.name)
        initial = {name: ability.options[name] for name in ability.initial} if self.trained else {}
        learned = {name: self._from_input(name) for name in ability.from_input}
        encoder: Encoder = load("encoders", chosen.name).build(**{**chosen.options, **initial, **learned})
        encoder.plain = capabilities("methods", spec.method.name).second_derivatives
        return encoder

    def _from_input(self, name: str) -> Any:
        """Return what an encoder asks of its input.

        Raises:
            RelataskError: the input has no such attribute.
        """
        inputs, encoder = self.problem.data.inputs, self.problem.spec.required_encoder().name
        try:
            return getattr(inputs, name)
        except AttributeError:
            raise RelataskError(
                f"encoder {encoder!r} asks for {name!r} in from_input, which its input lacks; give the input "
                f"such an attribute, or correct {capabilities('encoders', encoder).file}."
            ) from None

    def _own(self, name: str) -> Encoder:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.problem.seed("initialisation", name))
            return self._shared()


def trained_model(problem: Problem, weights: dict[str, Tensor]) -> MultiTaskModel:
    """Return the network of a finished problem, with the weights that the journal keeps, on its device.

    Raises:
        RelataskError: the weights do not fit the network that the spec describes.
    """
    model, spec = build_model(problem, trained=True), problem.spec
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise RelataskError(
            f"the model of run {spec.run_id} ({spec.label}) does not fit its network "
            f"({' '.join(str(error).split())}); delete its folder in the journal and run again."
        ) from None
    return model.to(problem.data.labels.device)


def autocast(problem: Problem) -> torch.autocast:
    """Return the context of the precision that the problem's spec asks for."""
    wanted = problem.spec.training.get("precision") == "bf16"
    return torch.autocast(problem.data.labels.device.type, dtype=torch.bfloat16, enabled=wanted)
