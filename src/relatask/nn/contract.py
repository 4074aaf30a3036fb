"""What networks, encoders and those who train them may expect of each other.

`Encoder` and `MultiTaskModel` are base classes and not `typing.Protocol`s, because each is also a
`torch.nn.Module`, and Python has no type for "this protocol and that class".
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

from relatask.core.errors import RelataskError
from relatask.nn.kinds import TaskKinds

if TYPE_CHECKING:
    import pandas as pd

SHARED = "shared"  # name of the encoder that all tasks share
# (layer, states [N, T, w] after it) -> the states that the next layer reads, or that are pooled
Between = Callable[[int, Tensor], Tensor]


class Encoder(nn.Module, ABC):
    """What every module of relatask.encoders builds: x of B items -> states of their N parts -> [B, width].

    The parts of a molecule are its atoms, of an image its positions; an item without parts is its own part,
    and N is B. A method that changes the states before they are pooled calls the two halves itself.
    """

    width: int
    # Whether it computes by plain operations of torch, which have second derivatives, and not by the kernels
    # of relatask.nn, which have first ones alone. Set by `build_model` where a loop needs second derivatives.
    plain: bool = False

    @property
    def state_width(self) -> int:
        """The width w of states; default: that of embeddings."""
        return self.width

    @abstractmethod
    def states(self, x: Any) -> Tensor:
        """Return the states [N, w] of the parts of B items, one item after the other."""

    @abstractmethod
    def pool(self, states: Tensor, x: Any) -> Tensor:
        """Return the embeddings, float32 [B, width], of items `x` whose parts have `states` [N, w]."""

    def forward(self, x: Any) -> Tensor:
        """Return the embeddings, float32 [B, width], of B items."""
        return self.pool(self.states(x), x)


class TaskEncoders(nn.Module, ABC):
    """T encoders of one kind that read the same items in one pass: x of B items -> [B, T, width].

    An encoder's file that has such a pass offers it as `together(encoders) -> TaskEncoders`, from encoders
    that are freshly initialised; `nn.encoder_list` reads any others one by one. Dropout is drawn for each.
    """

    width: int
    depth: int  # number of layers, after each of which `between` is called

    @property
    def state_width(self) -> int:
        """The width w of states; default: that of embeddings."""
        return self.width

    @abstractmethod
    def states(self, x: Any, between: Between | None = None) -> Tensor:
        """Return the states [N, T, w] of the parts of B items in each encoder."""

    @abstractmethod
    def pool(self, states: Tensor, x: Any) -> Tensor:
        """Return the embeddings, float32 [B, T, width], of items `x` whose parts have `states` [N, T, w]."""

    def forward(self, x: Any) -> Tensor:
        """Return the embeddings, float32 [B, T, width], of B items."""
        return self.pool(self.states(x), x)


class MultiTaskModel(nn.Module):
    """What a method builds that trains a network: x of B items -> outputs, of which each task has a loss.

    The outputs are whatever the method's loop expects: of `supervised` logits [B, T].
    """

    @property
    def trunk(self) -> nn.Module | None:
        """The module that all tasks share and whose output is one tensor; None: there is none.

        Balancing strategies that look at gradients read its parameters and its output.
        """
        return None

    def losses(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return each task's mean loss over its labelled cells, [T]; labels are NaN where missing."""
        raise NotImplementedError(f"{type(self).__name__} has no losses of its own; its loop computes them.")

    def scores(self, outputs: Tensor) -> Tensor:
        """Return what is saved of outputs, float32 [B, T]; default: probabilities of label 1 of logits."""
        return outputs.sigmoid()

    def saved(self) -> "dict[str, pd.DataFrame]":
        """Return the tables that the method declares in its capability `saves`, once it is trained."""
        return {}


class EncoderFactory(Protocol):
    """Builds the encoder that the run's row asks for, as often as a method wants one."""

    def __call__(self, name: str = SHARED) -> Encoder:
        """Return the encoder called `name`; the same module each time the name is asked for.

        "shared" continues torch's global generator, so a method that builds it first starts from the same
        encoder whatever it draws afterwards. Any other name, such as that of a task, has a seed of its own
        and disturbs no other draw.
        """
        ...


class TaskEncodersFactory(Protocol):
    """Builds several of the encoders that the run's row asks for as one module."""

    def __call__(self, names: Sequence[str], /) -> TaskEncoders:
        """Return encoders called `names`, each initialised as if it were built alone."""
        ...


def no_encoder(name: str | Sequence[str] = SHARED) -> Any:
    """Refuse: the default of contexts that are made without an encoder."""
    raise RelataskError(f"there is no encoder {name!r} to build; the row of the study names none.")


@dataclass(frozen=True)
class TaskContext:
    """The T tasks of a run, the relation graph among them, and the encoders a method may build."""

    task_ids: list[str]
    edge_index: Tensor  # int64 [2, E]: positions in task_ids, each pair once
    edge_score: Tensor  # float32 [E], 0 to 1
    seed_of: Callable[..., int]  # (task id, purpose="head") -> seed of what belongs to that task alone
    encoder: EncoderFactory = no_encoder
    encoders: TaskEncodersFactory = no_encoder
    kinds: TaskKinds | None = None  # of the tasks; None: all labels are 0 or 1
    levels: tuple[str, ...] = ()  # of the items that have each task's labels, e.g. molecule, node
    without_graph: bool = False  # the row asks for no relations, so to have none is no mistake


def task_linear(width: int, context: TaskContext, name: str = "head") -> nn.Linear:
    """Return a linear map [.., width] -> [.., T] whose rows are drawn from each task's own seed.

    So a task starts from the same head whichever tasks it is learned with, and in whichever order. A network
    with several such maps gives each a `name`, or they would start from equal weights. A task of kind class
    has a row for each class.
    """
    n_outputs = (1,) * len(context.task_ids) if context.kinds is None else context.kinds.n_outputs
    heads = nn.Linear(width, sum(n_outputs))
    sizes = zip(n_outputs, context.task_ids, strict=True)
    draws = [task_draws((n,), width, context, name, [task]) for n, task in sizes]
    with torch.no_grad():
        heads.weight.copy_(torch.cat([weight[0] for weight, _ in draws]))
        heads.bias.copy_(torch.cat([bias[0] for _, bias in draws]))
    return heads


def task_draws(
    shape: tuple[int, ...],
    width: int,
    context: TaskContext,
    name: str = "head",
    tasks: Sequence[str] | None = None,
) -> tuple[Tensor, Tensor]:
    """Return weights [T, *shape, width] and biases [T, *shape], drawn as nn.Linear does, task by task.

    `tasks` are those of the context that are drawn for; None: all.
    """
    bound = width**-0.5
    draws = []
    for task in context.task_ids if tasks is None else tasks:
        seed = context.seed_of(task) if name == "head" else context.seed_of(task, name)
        generator = torch.Generator().manual_seed(seed)
        draws.append(torch.empty(*shape, width + 1).uniform_(-bound, bound, generator=generator))
    drawn = torch.stack(draws)
    return drawn[..., :-1], drawn[..., -1]
