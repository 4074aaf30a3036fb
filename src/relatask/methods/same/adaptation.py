"""The inner loop of SAME (section 4.3): a step or more on the support of one level, then its target."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call

from relatask.methods.same.episodes import Asked, Episode
from relatask.methods.same.network import LevelNetwork

Parameters = Mapping[str, Tensor]


@dataclass(frozen=True)
class Inner:
    """How parameters adapt to a support."""

    heads_alone: bool  # eSAME; else all parameters adapt: iSAME
    step_size: float = 0.04  # alpha
    steps: int = 1
    second_order: bool = True  # whether the outer gradient goes through the inner one


def adapted(network: LevelNetwork, episode: Episode, inner: Inner) -> tuple[Parameters, Parameters, Tensor]:
    """Return the encoder's and the head's parameters after the inner loop (ADAPT of Algorithm 1).

    And the states [N, w] of the support's nodes before its last step: those of the target too, where the
    encoder does not move and both are asked in the same graphs. No module is copied: states and outputs are
    functions of dictionaries of tensors.
    """
    encoder: Parameters = dict(network.nodes.named_parameters())
    head: Parameters = dict(network.head(episode.level).named_parameters())
    states = _states(network, encoder, episode.support)
    for step in range(inner.steps):
        if step and not inner.heads_alone:
            states = _states(network, encoder, episode.support)
        outputs = _outputs(network, episode, head, states, episode.support)
        loss = network.loss(episode.level, outputs, episode.support.labels)
        moving = [*head.values(), *(() if inner.heads_alone else encoder.values())]
        slopes = torch.autograd.grad(loss, moving, create_graph=inner.second_order, retain_graph=True)
        moved = [value - inner.step_size * slope for value, slope in zip(moving, slopes, strict=True)]
        head = dict(zip(head, moved[: len(head)], strict=True))
        if not inner.heads_alone:
            encoder = dict(zip(encoder, moved[len(head) :], strict=True))
    return encoder, head, states


def target_outputs(network: LevelNetwork, episode: Episode, inner: Inner) -> Tensor:
    """Return the outputs of an episode's target by parameters that are adapted to its support."""
    encoder, head, states = adapted(network, episode, inner)
    if not (inner.heads_alone and episode.same_graphs):
        states = _states(network, encoder, episode.target)
    return _outputs(network, episode, head, states, episode.target)


def target_loss(network: LevelNetwork, episode: Episode, inner: Inner) -> Tensor:
    """Return the loss of `target_outputs`, whose gradient is a part of the outer one (Algorithm 1)."""
    outputs = target_outputs(network, episode, inner)
    return network.loss(episode.level, outputs, episode.target.labels)


def _states(network: LevelNetwork, parameters: Parameters, asked: Asked) -> Tensor:
    states: Tensor = functional_call(network.nodes, dict(parameters), (asked.x,))
    return states


def _outputs(
    network: LevelNetwork, episode: Episode, parameters: Parameters, states: Tensor, asked: Asked
) -> Tensor:
    outputs: Tensor = functional_call(network.head(episode.level), dict(parameters), (states, asked.x))
    return outputs
