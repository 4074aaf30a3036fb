"""SGNN's fast network against the loops of the oracle, in outputs, gradients and running statistics."""

import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.methods.sgnn import grid as _grid
from relatask.methods.sgnn.layers import SGNNSettings
from relatask.methods.sgnn.sgnn import StateNetwork
from tests.helpers.sgnn_networks import (
    BATCH,
    EDGES,
    N_TASKS,
    SMALL,
    WIDTH,
    NoEncoder,
    context,
    move_norms,
    slow,
)
from tests.oracles import sgnn as oracle

pytestmark = pytest.mark.usefixtures("doubles")


def network(edges=EDGES, **options) -> StateNetwork:
    torch.manual_seed(0)
    given = context(edges, without_graph=not edges)
    return move_norms(StateNetwork(NoEncoder(), given, SGNNSettings(**{**SMALL, **options})))


CASES = [
    {},
    {"batch_norm": False},
    {"layers": 1, "task_layers": 0},
    {"layers": 3, "batch_norm": False},
]


GRAPHS = pytest.mark.parametrize("edges", [EDGES, ()], ids=["relations", "no relations"])


@pytest.mark.parametrize("options", CASES, ids=str)
@GRAPHS
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_outputs_gradients_and_statistics_equal_the_loops(options, edges, training):
    model = network(edges, **options).train(training)
    reference = slow(model, edges)
    x = torch.randn(BATCH, WIDTH, requires_grad=True)
    upstream = torch.randn(BATCH, N_TASKS)
    expected = oracle.logits(reference, x, "readout")
    parameters = [x, *model.parameters()]
    wanted = torch.autograd.grad((expected * upstream).sum(), parameters, allow_unused=True)
    found = model(x)
    gradients = torch.autograd.grad((found * upstream).sum(), parameters, allow_unused=True)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    assert all(gradient is not None for gradient in gradients)
    torch.testing.assert_close(gradients, wanted, rtol=1e-7, atol=1e-9)
    buffers = dict(model.sgnn.named_buffers())
    normed = 8 if edges else 4  # running statistics, of two layers of one or two MLPs
    assert len(reference.running) == (normed if training and model.sgnn.settings.batch_norm else 0)
    for name, value in reference.running.items():
        torch.testing.assert_close(buffers[name], value.detach(), rtol=1e-9, atol=1e-9)


def test_molecules_are_scored_alike_in_any_part(monkeypatch):
    model, x = network().eval(), torch.randn(7, WIDTH)
    with torch.inference_mode():
        whole = model(x)
        monkeypatch.setattr("relatask.methods.sgnn.sgnn.PREDICTED", 2)
        torch.testing.assert_close(model(x), whole, rtol=1e-12, atol=1e-12)


def test_a_single_cell_is_normalised_as_in_evaluation():
    model = network([(0, 1)])
    one = model.sgnn.node_mlp
    columns = _grid.Columns(torch.zeros(1, dtype=torch.int64), 1)
    x, z = torch.randn(1, WIDTH), torch.randn(1, SMALL["task_width"])
    trained = one(x, [z], columns)[0]
    assert torch.equal(trained, one.eval()(x, [z], columns)[0])


def test_without_relations_a_network_starts_from_the_weights_that_it_has_with_them():
    plain, with_relations = network(()).state_dict(), network().state_dict()
    for name, value in plain.items():
        if "norm" not in name:
            assert torch.equal(value, with_relations[name]), name
    assert {name.split(".")[1] for name in with_relations.keys() - plain.keys()} == {
        *("edge_mlp", "edge_states", "edge_maps", "end_maps")
    }


def test_relations_below_the_least_score_do_not_count():
    model = StateNetwork(NoEncoder(), context(scores=[0.5, 0.09, 0.1, 0.7, 0.05]), SGNNSettings(**SMALL))
    assert model.sgnn.relations.pairs.t().tolist() == [[0, 3], [2, 3], [1, 3]]


@pytest.mark.parametrize("scores", [[], [0.05]])
def test_tasks_without_relations_are_refused(scores):
    some = context(EDGES[: len(scores)], scores)
    with pytest.raises(RelataskError, match=r"none of the \d relations among the 6 tasks .*least_score"):
        StateNetwork(NoEncoder(), some, SGNNSettings(**SMALL))


def test_dropout_keeps_the_mean_and_is_the_same_in_both_directions():
    """The output is linear in the last weights, so the gradient must see the masks that the output saw."""
    model = network(dropout=0.4, batch_norm=False)
    x = torch.randn(BATCH, WIDTH)
    mlp, relations = model.sgnn.edge_mlp, model.sgnn.relations
    z = torch.randn(N_TASKS, SMALL["task_width"])
    ends, columns = [z[relations.owner], z[relations.other]], _grid.Columns(relations.owner, N_TASKS)
    heads = torch.randn(2, SMALL["edge_width"])

    def run(seed: int, weight: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(seed)
        mlp.second.weight.data = weight
        sums, readings = mlp(x, ends, columns, heads)
        return sums.square().sum() + readings.square().sum()

    start, step = mlp.second.weight.detach().clone(), torch.randn_like(mlp.second.weight)
    (gradient,) = torch.autograd.grad(run(1, start), [mlp.second.weight])
    up, down = run(1, start + 1e-6 * step), run(1, start - 1e-6 * step)
    assert float((up - down).detach() / 2e-6) == pytest.approx(float((gradient * step).sum()), rel=1e-5)
    assert run(2, start) != run(1, start)
    mlp.second.weight.data = start
    with torch.no_grad():
        mlp.first.weight.mul_(0)
        mlp.first.bias.fill_(1.0)
        mlp.second.weight.abs_()
        mean = torch.stack([mlp(x, ends, columns)[0] for _ in range(4000)]).mean(0)
        torch.testing.assert_close(mean, mlp.eval()(x, ends, columns)[0], rtol=0.05, atol=0)
        assert not torch.equal(mlp.train()(x, ends, columns)[0], mean)
