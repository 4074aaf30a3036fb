"""Encoders beside their kernels: the same values and first gradients, and second derivatives besides."""

import pytest
import torch
from torch import Tensor
from torch.func import functional_call

from relatask.core.registry import capabilities, catalogue, complete_options, load
from relatask.inputs.graph_batch import GraphBatch, MoleculeGraphs
from relatask.inputs.node_batch import NodeBatch
from relatask.inputs.parts_batch import GraphParts, PartsBatch
from relatask.inputs.word_batch import WordBatch
from relatask.nn.contract import Encoder
from tests.helpers.node_graphs import graph_tensors
from tests.helpers.word_batches import random_words
from tests.oracles.gin_oracle import as_arrays, random_molecules

CASES: list[tuple[str, dict]] = [
    ("gin", {"width": 7, "layers": 3}),
    ("graphsage", {"width": 6, "layers": 2}),
    ("graphsage", {"width": 6, "layers": 2, "aggregation": "mean", "normalise": False}),
    ("fingerprint_mlp", {"width": 9, "layers": 3}),
    ("lstm", {"width": 3, "embedding": 4, "min_texts": 1}),
    ("gcn", {"width": 3, "layers": 2, "steps": 2}),
    ("node_gcn", {"width": 3, "layers": 2, "features": "vectors"}),
    ("residual_gcn", {"width": 6, "layers": 2}),
]
GRAPH = graph_tensors([(0, 1), (1, 2), (2, 3), (3, 0), (0, 4)], 6, vectors=2)
PARTS = GraphParts(  # a triangle, and two nodes with an edge that is an item: items are graphs, nodes, a pair
    level=torch.tensor([0, 1, 2, 0]),
    place=torch.tensor([0, 2, 0, 1]),
    node_offsets=torch.tensor([0, 3, 5]),
    vectors=torch.rand(5, 4, generator=torch.Generator().manual_seed(0)),
    neighbour_offsets=torch.tensor([0, 2, 4, 6, 7, 8]),
    neighbours=torch.tensor([1, 2, 0, 2, 0, 1, 4, 3]),
    is_item=torch.tensor([False] * 6 + [True] * 2),
    ends=torch.tensor([[3, 4]]),
)
MODELS = ("GCN", "GIN", "GAT", "GraphSAGE", "PNA", "EdgeCNN")
TWICE = [*CASES, *(("pyg", {"model": model, "width": 4, "layers": 2}) for model in MODELS)]


def encoder(name: str, options: dict, plain: bool) -> Encoder:
    torch.manual_seed(0)
    given = capabilities("encoders", name).options
    chosen = complete_options(
        "encoders", name, {**options, **({"dropout": 0.0} if "dropout" in given else {})}
    )
    inputs = {"node_gcn": GRAPH, "residual_gcn": PARTS}.get(name) or random_words([9])
    learned = {key: getattr(inputs, key) for key in capabilities("encoders", name).from_input}
    built = load("encoders", name).build(**chosen, **learned)
    built.plain = plain
    return built


def batch(name: str, sizes: list[int]) -> GraphBatch | Tensor | WordBatch | NodeBatch | PartsBatch:
    if name in ("node_gcn", "residual_gcn"):
        return (GRAPH if name == "node_gcn" else PARTS).batch(torch.arange(len(sizes)))
    if name == "lstm":
        return random_words([*sizes, 9]).batch(torch.arange(len(sizes)))
    if name == "fingerprint_mlp":
        return (torch.rand(len(sizes), 2048, generator=torch.Generator().manual_seed(1)) < 0.03).float()
    graphs = MoleculeGraphs.from_arrays(**as_arrays(random_molecules(sizes, seed=1)))
    return graphs.batch(torch.arange(len(sizes)))


def outcome(model: Encoder, x: object) -> tuple[Tensor, list[Tensor]]:
    embeddings = model(x)
    weights = torch.linspace(-1, 1, embeddings.numel()).view_as(embeddings)
    gradients = torch.autograd.grad((embeddings * weights).sum(), list(model.parameters()))
    return embeddings, list(gradients)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("sizes", [[5, 1, 9, 3], [1]], ids=str)
@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_values_gradients_and_statistics_equal_the_kernels(name, options, sizes, training):
    x = batch(name, sizes)
    models = [encoder(name, options, plain).train(training) for plain in (False, True)]
    (fast, fast_gradients), (plain, plain_gradients) = (outcome(model, x) for model in models)
    torch.testing.assert_close(plain, fast, rtol=1e-5, atol=1e-5)
    for mine, theirs in zip(plain_gradients, fast_gradients, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)
    for (key, mine), (_, theirs) in zip(
        models[1].state_dict().items(), models[0].state_dict().items(), strict=True
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6, msg=key)
    assert fast.abs().sum() > 0


@pytest.mark.parametrize(("name", "options"), TWICE, ids=str)
def test_second_derivatives_are_right(name: str, options: dict):
    model, x = encoder(name, options, plain=True).double().train(), batch(name, [4, 3])
    chosen = {key: value for key, value in model.named_parameters() if value.numel() <= 60}
    assert chosen
    keys, values = list(chosen)[:3], [value.detach().requires_grad_() for value in list(chosen.values())[:3]]

    def function(*given: Tensor) -> Tensor:
        embeddings: Tensor = functional_call(model, dict(zip(keys, given, strict=True)), (x,))
        return embeddings.tanh().sum(1)

    assert function(*values).dtype == torch.float64
    assert torch.autograd.gradgradcheck(function, values, atol=1e-4, rtol=1e-3)


def test_every_encoder_that_says_so_has_been_checked():
    said = {name for name, ability in catalogue("encoders").items() if ability.twice_differentiable}
    of_plain_torch = {"series_mlp", "resnet", "mlp", "dmpnn"}  # without kernels of their own
    assert said - of_plain_torch == {name for name, _ in TWICE}


def test_kernels_drop_second_derivatives_without_a_word_which_is_why_the_plan_asks():
    model, x = encoder("gin", CASES[0][1], plain=False), batch("gin", [4, 3])
    parameters = list(model.parameters())
    gradients = torch.autograd.grad(model(x).square().sum(), parameters, create_graph=True)
    total = sum(one.square().sum() for one in gradients)
    assert None in torch.autograd.grad(total, parameters, allow_unused=True)


@pytest.mark.parametrize("model", MODELS)
def test_a_molecule_is_encoded_alike_whichever_stand_beside_it(model: str):
    built = encoder("pyg", {"model": model, "width": 5, "layers": 2}, plain=False).eval()
    graphs = MoleculeGraphs.from_arrays(**as_arrays(random_molecules([5, 1, 7, 2], seed=3)))
    order = torch.tensor([2, 0, 3, 1])
    with torch.no_grad():
        together, alone = built(graphs.batch(order)), [built(graphs.batch(row[None])) for row in order]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-5, atol=1e-6)
    assert together.shape == (4, 5)
    assert len(together.unique(dim=0)) == 4
