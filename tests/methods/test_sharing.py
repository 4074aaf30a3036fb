"""Cross-stitch, MMoE, CGC and PLE, DSelect-k against loops over items, tasks and experts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from relatask.core.errors import RelataskError
from relatask.methods import cgc, cross_stitch, dselect_k, mmoe
from relatask.nn.contract import Between, TaskContext, TaskEncoders
from relatask.nn.gates import TaskGates
from tests.oracles import sharing as oracle

TASKS, WIDTH, ITEMS = ["a", "b", "c"], 4, 6


class TwoLayers(TaskEncoders):
    """Two linear maps of each encoder, with tanh between them: x [B, 4] -> [B, T, 4]."""

    width = state_width = WIDTH
    depth = 2

    def __init__(self, names: Sequence[str]):
        super().__init__()
        self.names = [*names]
        draw = torch.Generator().manual_seed(len(names))
        self.maps = nn.Parameter(torch.randn(2, len(names), WIDTH, WIDTH, generator=draw))

    def states(self, x: Tensor, between: Between | None = None) -> Tensor:
        states = x[:, None].expand(-1, len(self.names), -1)
        for layer, maps in enumerate(self.maps):
            states = torch.einsum("btw,twv->btv", states, maps).tanh()
            states = states if between is None else between(layer, states)
        return states

    def layer(self, number: int, state: Tensor, encoder: int) -> Tensor:
        """One layer of one encoder."""
        return (state @ self.maps[number, encoder]).tanh()

    def pool(self, states: Tensor, x: Tensor) -> Tensor:
        return states


def seed(task: str, purpose: str = "head") -> int:
    return 1000 * sum(map(ord, purpose)) + sum(map(ord, task))


def context() -> TaskContext:
    graph = torch.zeros(2, 0, dtype=torch.int64), torch.zeros(0)
    return TaskContext(TASKS, *graph, seed, encoders=TwoLayers)


@pytest.fixture
def x() -> Tensor:
    return torch.randn(ITEMS, WIDTH, generator=torch.Generator().manual_seed(3))


def heads(model: Any, task: int, embedding: Tensor) -> Tensor:
    return embedding @ model.heads.linear.weight[task] + model.heads.linear.bias[task]


def mixed(experts: Sequence[Tensor], gate: Tensor, gates: TaskGates, task: int) -> Tensor:
    return oracle.mixture(experts, gate, gates.weight[task], gates.bias[task])


def test_cross_stitch_mixes_after_each_layer(x: Tensor) -> None:
    model = cross_stitch.build(context(), 0.9)
    torch.testing.assert_close(model.units.sum(-1), torch.ones(2, 3))
    torch.testing.assert_close(model.units[0].diagonal(), torch.full((3,), 0.9))
    with torch.no_grad():
        model.units.add_(torch.rand(2, 3, 3))
    states = [x] * 3
    for layer in range(2):
        states = [model.encoders.layer(layer, state, task) for task, state in enumerate(states)]
        states = oracle.stitched(states, model.units[layer])
    right = torch.stack([heads(model, task, state) for task, state in enumerate(states)], 1)
    torch.testing.assert_close(model(x), right)


def test_mmoe_is_its_mixture(x: Tensor) -> None:
    model = mmoe.build(context(), 5)
    embeddings = [*model.encoders(x).unbind(1)]
    right = [
        heads(
            model,
            task,
            oracle.mixture(embeddings[:5], embeddings[5], model.gates.weight[task], model.gates.bias[task]),
        )
        for task in range(3)
    ]
    torch.testing.assert_close(model(x), torch.stack(right, 1))


def test_gates_of_tasks_differ_from_each_other_and_from_heads() -> None:
    model = mmoe.build(context(), WIDTH)
    weights = [*model.gates.weight.unbind(), model.heads.linear.weight]
    assert all(
        not torch.equal(one, other)
        for i, one in enumerate(weights)
        for other in weights[:i]
        if one.shape == other.shape
    )
    assert not torch.equal(model.gates.weight[0][:1], model.heads.linear.weight[:1])


@pytest.mark.parametrize("own", [1, 2])
def test_cgc_mixes_own_and_shared_experts(x: Tensor, own: int) -> None:
    model = cgc.build(context(), own, 2, False)
    assert model.encoders.names[0] == "expert of a 0"
    embeddings = [*model.encoders(x).unbind(1)]
    shared, gate = embeddings[3 * own : 3 * own + 2], embeddings[-1]
    gates, right = model.extraction.gates, []
    for task in range(3):
        experts = [*embeddings[task * own : (task + 1) * own], *shared]
        right.append(heads(model, task, mixed(experts, gate, gates, task)))
    torch.testing.assert_close(model(x), torch.stack(right, 1))


@pytest.mark.parametrize("own", [1, 2])
def test_progressive_layers_read_the_mixtures_of_the_layer_before(x: Tensor, own: int) -> None:
    model = cgc.build(context(), own, 2, True)

    def parted(states: Sequence[Tensor]) -> tuple[list[Sequence[Tensor]], Sequence[Tensor], Tensor]:
        """States of the experts of each task, of shared ones, and of the encoder that gates read."""
        return [states[own * t : own * (t + 1)] for t in range(3)], states[3 * own : -1], states[-1]

    def gates_of(gates: TaskGates) -> list[tuple[Tensor, Tensor]]:
        return [*zip(gates.weight, gates.bias, strict=True)]

    first = [model.encoders.layer(0, x, number) for number in range(3 * own + 3)]
    gate = model.shared_gates[0]
    of_all = (
        torch.cat([*gate.of_tasks.weight, gate.weight]),
        torch.cat([*gate.of_tasks.bias, gate.bias]),
    )
    of_tasks, of_shared = oracle.extracted(
        *parted(first), gates_of(model.extractions[0].gates), shared_gate=of_all
    )
    assert of_shared is not None
    read = [*(of_tasks[t] for t in range(3) for _ in range(own)), of_shared, of_shared, first[-1]]
    second = [model.encoders.layer(1, state, number) for number, state in enumerate(read)]
    mixtures, _ = oracle.extracted(*parted(second), gates_of(model.extraction.gates))
    right = torch.stack([heads(model, task, mixture) for task, mixture in enumerate(mixtures)], 1)
    torch.testing.assert_close(model(x), right)
    assert not torch.allclose(model(x), cgc.build(context(), own, 2, False)(x))


def test_progressive_without_a_layer_to_mix_after_is_refused() -> None:
    class OneLayer(TwoLayers):
        depth = 1

    shallow = replace(context(), encoders=OneLayer)
    with pytest.raises(RelataskError, match=r"'cgc': `progressive: true` mixes experts between layers, and "):
        cgc.build(shallow, 1, 2, True)
    assert cgc.build(shallow, 1, 2, False)


def test_no_two_gates_start_alike() -> None:
    model = cgc.build(context(), 2, 2, True)
    rows = [
        *model.extractions[0].gates.weight.flatten(0, 1),
        *model.extraction.gates.weight.flatten(0, 1),
        *model.shared_gates[0].of_tasks.weight.flatten(0, 1),
        *model.shared_gates[0].weight,
    ]
    assert len({tuple(row.tolist()) for row in rows}) == len(rows) == 3 * 4 + 3 * 4 + 3 * 2 + 2


@pytest.mark.parametrize("gamma", [0.1, 1.0])
def test_digits_of_dselect_k_start_within_the_smooth_step(x: Tensor, gamma: float) -> None:
    """Beyond it they would be 0 or 1 with gradient 0, for ever."""
    model = dselect_k.build(context(), 64, 4, gamma, 0.0)
    logits = model.selectors(model.encoders(x)[:, -1])
    assert logits.shape == (ITEMS, 3, 4 * 6)
    assert logits.abs().max() < gamma / 2
    assert logits.std() > gamma / 100, "all digits are alike: so are all experts"


def test_more_experts_to_choose_than_there_are_is_refused() -> None:
    with pytest.raises(RelataskError, match="'dselect_k': a gate cannot choose k: 5 of 4 experts; lower `k`"):
        dselect_k.build(context(), 4, 5, 1.0, 0.0)
    assert dselect_k.build(context(), 4, 4, 1.0, 0.0)


def test_dselect_k_selects_by_smooth_digits(x: Tensor) -> None:
    model = dselect_k.build(context(), 4, 2, 0.7, 0.5)
    with torch.no_grad():
        model.selectors.weight.mul_(8)
    embeddings = [*model.encoders(x).unbind(1)]
    selectors, shares = model.selectors(embeddings[4]), model.shares(embeddings[4])
    outputs, undecided = torch.zeros(ITEMS, 3), torch.zeros(3)
    for item in range(ITEMS):
        for task in range(3):
            gate = torch.zeros(4)
            for k, share in enumerate(oracle.softmax(shares[item, task])):
                chosen = oracle.selector(selectors[item, task].view(2, 2)[k].tolist(), 0.7)
                gate += share * torch.tensor(chosen)
                undecided[task] += oracle.entropy(chosen) / ITEMS
            mixed = sum(gate[e] * embeddings[e][item] for e in range(4))
            outputs[item, task] = heads(model, task, mixed)
    found = model(x)
    torch.testing.assert_close(found, outputs, rtol=1e-4, atol=1e-5)
    labels = torch.randint(2, (ITEMS, 3)).float()
    without = dselect_k.build(context(), 4, 2, 0.7, 0.0)
    torch.testing.assert_close(
        model.losses(found, labels), without.losses(found, labels) + 0.5 * undecided, rtol=1e-4, atol=1e-5
    )
    labels[:, 1] = torch.nan
    assert model.losses(found, labels)[1] == 0  # as balancing expects of a task without a label in the batch
    model.eval()
    torch.testing.assert_close(model.losses(model(x), labels), without.losses(found, labels))


def test_a_digit_becomes_exactly_0_or_1_and_its_gradient_stays_finite() -> None:
    logits = torch.tensor([[-3.0, 3.0], [0.1, -0.2], [0.5, 0.0]], requires_grad=True)
    chosen = dselect_k.chosen(logits, 1.0)
    assert chosen[0].tolist() == [0, 0, 1, 0]
    torch.testing.assert_close(chosen.sum(-1), torch.ones(3))
    chosen.square().sum().backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert (logits.grad[1] != 0).all()
