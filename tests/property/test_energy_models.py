"""What holds for energies, colours and Gibbs sweeps on any relation graph with any factors."""

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relatask.methods.sgnn.colouring import Schedule, colour_tasks
from relatask.methods.sgnn.energy import energies, fields
from relatask.methods.sgnn.gibbs import Chains
from relatask.methods.sgnn.nce import contrast
from tests.helpers.contrast_settings import contrast_settings
from tests.oracles import ebm_oracle as oracle

SMALL = settings(max_examples=40)
FEW = settings(max_examples=15)


@st.composite
def problems(draw, most_tasks: int = 6) -> oracle.Problem:
    """One molecule on a graph of 1 to `most_tasks` tasks."""
    return oracle.random_problems(
        1,
        draw(st.integers(1, most_tasks)),
        draw(st.floats(0, 1)),
        draw(st.integers(0, 10_000)),
        weight=draw(st.sampled_from([0.0, 0.1, 1.0, -0.5])),
        scale=draw(st.sampled_from([0.1, 1.0, 4.0])),
    )[0]


def every(problem: oracle.Problem) -> torch.Tensor:
    return torch.tensor(oracle.all_labels(problem.n_tasks), dtype=torch.float64)[None]


@SMALL
@given(problems())
def test_energies_and_fields_equal_the_loops(problem):
    node, edge, edge_index, _ = oracle.stacked([problem])
    y = every(problem)
    fast = energies(node, edge, edge_index, y, problem.weight)[0]
    slow = torch.stack([oracle.energy(problem, labels) for labels in oracle.all_labels(problem.n_tasks)])
    torch.testing.assert_close(fast, slow, rtol=1e-9, atol=1e-9)
    field, coupling = fields(node, edge, edge_index, problem.weight)
    pairs = y[0][:, edge_index[0]] * y[0][:, edge_index[1]]
    linear = y[0] @ field[:, 0] + pairs @ coupling[:, 0]
    torch.testing.assert_close(linear - linear[0], slow[0] - slow, rtol=1e-9, atol=1e-9)


@SMALL
@given(problems(), st.data())
def test_turning_an_edge_around_or_renumbering_tasks_changes_no_energy(problem, data):
    node, edge, edge_index, _ = oracle.stacked([problem])
    expected = energies(node, edge, edge_index, every(problem), problem.weight)
    turned = torch.tensor(data.draw(st.lists(st.booleans(), min_size=edge.shape[1], max_size=edge.shape[1])))
    turned = turned.bool()
    edge = torch.where(turned[:, None, None], edge.transpose(-1, -2), edge)
    edge_index = torch.where(turned, edge_index.flip(0), edge_index)
    order = torch.tensor(data.draw(st.permutations(range(problem.n_tasks))))
    place = order.argsort()
    fast = energies(node[:, order], edge, place[edge_index], every(problem)[:, :, order], problem.weight)
    torch.testing.assert_close(fast, expected, rtol=1e-9, atol=1e-9)


@FEW
@given(problems(most_tasks=5))
def test_a_sweep_keeps_the_exact_distribution(problem):
    labels = oracle.all_labels(problem.n_tasks)
    schedule = Schedule.of(problem.edge_index, problem.n_tasks)
    node, edge, edge_index, backbone = oracle.stacked([problem] * len(labels))
    chains = Chains(schedule, node, edge, edge_index, backbone, contrast_settings(edge_weight=problem.weight))
    exact = oracle.distribution(problem)
    states = torch.tensor(labels, dtype=torch.float64).t()[schedule.tasks]
    for (
        colour
    ) in schedule.colours:  # pushed through one colour, by the probabilities the fast code draws with
        pushed = torch.zeros_like(exact)
        p = chains.conditional(colour, states)
        for after in oracle.all_labels(len(p)):
            to = states.clone()
            to[colour.tasks] = torch.tensor(after, dtype=torch.float64)[:, None]
            chance = torch.where(to[colour.tasks] == 1, p, 1 - p).prod(0)
            numbers = to[schedule.places].t() @ (2.0 ** torch.arange(problem.n_tasks).flip(0)).double()
            pushed.index_add_(0, numbers.long(), exact * chance)
        torch.testing.assert_close(pushed, exact, rtol=1e-9, atol=1e-12)


@SMALL
@given(problems(), st.floats(-5, 5))
def test_a_constant_in_a_factor_changes_no_conditional(problem, constant):
    def conditionals(node: torch.Tensor, edge: torch.Tensor) -> torch.Tensor:
        schedule = Schedule.of(problem.edge_index, problem.n_tasks)
        backbone = torch.tensor([problem.backbone], dtype=torch.float64)
        options = contrast_settings(edge_weight=problem.weight)
        chains = Chains(schedule, node[None], edge[None], problem.edge_index, backbone, options)
        return chains.sweep(torch.ones(problem.n_tasks, 1).double(), torch.zeros(problem.n_tasks, 1))

    expected = conditionals(problem.node, problem.edge)
    shifted = conditionals(problem.node + constant, problem.edge - 2 * constant)
    torch.testing.assert_close(shifted, expected, rtol=1e-7, atol=1e-9)


@SMALL
@given(problems(), st.integers(0, 1000))
def test_the_contrast_is_least_where_the_model_is_what_the_data_were_drawn_from(problem, seed):
    """Data drawn as the noise: a model equal to it cannot tell them apart, and costs 2 log 2."""
    node, edge, edge_index, backbone = oracle.stacked([problem])
    generator = torch.Generator().manual_seed(seed)
    y = (torch.rand(1, 6, problem.n_tasks, generator=generator, dtype=torch.float64) < backbone).double()
    options = contrast_settings(edge_weight=problem.weight)
    nothing = contrast(0 * node, 0 * edge, edge_index, y, y, backbone, backbone, options)
    assert math.isclose(nothing.item(), 2 * math.log(2), rel_tol=1e-12)
    assert contrast(node, edge, edge_index, y, y, backbone, backbone, options) >= nothing - 1e-12


@SMALL
@given(st.integers(1, 40), st.floats(0, 1), st.integers(0, 10_000))
def test_related_tasks_have_different_colours_and_there_are_few(n_tasks, density, seed):
    problem = oracle.random_problems(1, n_tasks, density, seed)[0]
    colours = colour_tasks(problem.edge_index, n_tasks)
    assert all(colours[i] != colours[j] for i, j in problem.edges)
    most = max(len(problem.neighbours(task)) for task in range(n_tasks))
    assert sorted(set(colours.tolist())) == list(range(int(colours.max()) + 1))
    assert int(colours.max()) <= most
    schedule = Schedule.of(problem.edge_index, n_tasks)
    assert schedule.tasks[schedule.places].tolist() == list(range(n_tasks))
    for colour in schedule.colours:
        here = range(colour.tasks.start, colour.tasks.stop)
        seen = [[] for _ in here]
        directions = range(colour.directions.start, colour.directions.stop)
        for owner, neighbour, k in zip(colour.owners, colour.neighbours, directions, strict=True):
            task, other = schedule.tasks[here[owner]], schedule.tasks[neighbour]
            assert {int(task), int(other)} == set(problem.edges[schedule.edges[k]])
            seen[owner].append(int(other))
        expected = [sorted(problem.neighbours(int(schedule.tasks[place]))) for place in here]
        assert [sorted(others) for others in seen] == expected
