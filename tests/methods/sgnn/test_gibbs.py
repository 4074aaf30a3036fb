"""Gibbs sampling by colours is sampling task by task, keeps the exact distribution, gives its marginals."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.methods.sgnn.colouring import Schedule, colour_tasks
from relatask.methods.sgnn.contrast import ContrastSettings
from relatask.methods.sgnn.gibbs import Chains, gibbs_marginals
from relatask.nn.draws import uniforms
from tests.helpers.contrast_settings import contrast_settings
from tests.oracles import ebm_oracle as oracle

WEIGHT = 0.7
GRAPHS = pytest.mark.parametrize(("n_tasks", "density"), [(4, 0.5), (5, 1.0), (6, 0.0), (7, 0.4)])
FORMS = pytest.mark.parametrize("form", ["paper", "released"])


def settings(**options) -> ContrastSettings:
    return contrast_settings(edge_weight=WEIGHT, **options)


def chains(problems: list[oracle.Problem], form: str = "paper", copies: int = 1) -> Chains:
    """Chains of each problem, `copies` times."""
    node, edge, edge_index, backbone = oracle.stacked(problems)
    node, edge, backbone = (x.repeat_interleave(copies, 0) for x in (node, edge, backbone))
    schedule = Schedule.of(edge_index, problems[0].n_tasks)
    return Chains(schedule, node, edge, edge_index, backbone, settings(gibbs=form))


@GRAPHS
@FORMS
def test_a_sweep_is_one_task_after_the_other_on_the_same_draws(n_tasks, density, form):
    problems = oracle.random_problems(20, n_tasks, density, seed=n_tasks)
    fast = chains(problems, form)
    order = fast.schedule.tasks.tolist()
    draws = uniforms(1, torch.arange(20), torch.arange(n_tasks)[:, None])
    states = (uniforms(2, torch.arange(20), torch.arange(n_tasks)[:, None]) < 0.5).double()
    before = states.clone()
    conditionals = fast.sweep(states, draws)
    for column, problem in enumerate(problems):
        start, drawn = np.zeros(n_tasks, int), np.zeros(n_tasks)
        start[order], drawn[order] = before[:, column].int(), draws[:, column]
        after, seen = oracle.sequential_sweep(problem, start.tolist(), drawn, order, form == "released")
        assert [after[task] for task in order] == states[:, column].int().tolist()
        wanted = torch.tensor([seen[task] for task in order], dtype=torch.float64)
        torch.testing.assert_close(conditionals[:, column], wanted, rtol=1e-9, atol=1e-12)


def transitions(problem: oracle.Problem) -> torch.Tensor:
    """The sweep's matrix over all label vectors, from the probabilities the fast code draws with."""
    labels = oracle.all_labels(problem.n_tasks)
    fast = chains([problem], copies=len(labels))
    states = torch.tensor(labels, dtype=torch.float64)
    total = torch.eye(len(labels), dtype=torch.float64)
    for colour in fast.schedule.colours:
        p = fast.conditional(colour, states.t()[fast.schedule.tasks]).t()  # [states, n]
        mine = fast.schedule.tasks[colour.tasks]
        others = [task for task in range(problem.n_tasks) if task not in mine.tolist()]
        same = (states[:, None, others] == states[None, :, others]).all(-1)
        after = states[None, :, mine]
        total = total @ (same * torch.where(after == 1, p[:, None], 1 - p[:, None]).prod(-1))
    return total


@GRAPHS
def test_a_sweep_keeps_the_exact_distribution_and_its_marginals(n_tasks, density):
    problem = oracle.random_problems(1, n_tasks, density, seed=n_tasks)[0]
    matrix, exact = transitions(problem), oracle.distribution(problem)
    order = Schedule.of(problem.edge_index, n_tasks).tasks.tolist()
    torch.testing.assert_close(matrix, oracle.sweep_matrix(problem, order), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(exact @ matrix, exact, rtol=1e-12, atol=1e-14)
    states = torch.tensor(oracle.all_labels(n_tasks), dtype=torch.float64)
    expected = torch.tensor(oracle.marginals(problem), dtype=torch.float64)
    torch.testing.assert_close((exact @ matrix) @ states, expected, rtol=1e-12, atol=1e-14)
    start = torch.full_like(exact, 1 / len(exact))
    torch.testing.assert_close(start @ torch.linalg.matrix_power(matrix, 200), exact, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("marginals", ["conditionals", "labels", "last"])
@pytest.mark.parametrize(("n_tasks", "density"), [(10, 0.35), (8, 1.0)])
def test_marginals_are_the_exact_ones_within_the_sampling_error(marginals, n_tasks, density):
    problem = oracle.random_problems(1, n_tasks, density, seed=11)[0]
    n = 3000
    options = settings(burn_in=20, sweeps=10, marginals=marginals)
    estimates = gibbs_marginals(
        chains([problem], copies=n), options, 7, torch.arange(n), torch.arange(n_tasks)
    )
    assert estimates.shape == (n, n_tasks)
    z = (estimates.mean(0) - torch.tensor(oracle.marginals(problem))) / (estimates.std(0) / n**0.5)
    assert z.abs().max() < 3.5  # of 10 independent normal numbers, 0.5 % of the time by chance
    prior = (estimates.mean(0) - torch.tensor(problem.backbone)) / (estimates.std(0) / n**0.5)
    assert prior.abs().max() > 20, "the backbone itself would pass"


def test_averaged_conditionals_vary_less_than_averaged_labels():
    problem = oracle.random_problems(1, 8, 0.5, seed=3)[0]
    spread = {}
    for marginals in ("conditionals", "labels"):
        options = settings(burn_in=5, sweeps=10, marginals=marginals)
        estimates = gibbs_marginals(
            chains([problem], copies=500), options, 7, torch.arange(500), torch.arange(8)
        )
        spread[marginals] = estimates.std(0)
    assert (spread["conditionals"] < spread["labels"]).all()
    assert spread["conditionals"].mean() < 0.7 * spread["labels"].mean()


@FORMS
def test_chains_start_from_the_backbone(form):
    problem = oracle.random_problems(1, 6, 0.5, seed=5)[0]
    fast = chains([problem], form, copies=4000)
    started = fast.start(uniforms(0, torch.arange(4000), torch.arange(6)[:, None])).mean(1)
    backbone = torch.tensor(problem.backbone)[fast.schedule.tasks]
    expected = (backbone > 0.5).double() if form == "released" else backbone
    torch.testing.assert_close(started, expected.double(), atol=0.03, rtol=0)


def test_the_released_score_is_the_conditional_of_the_last_of_two_sweeps():
    problem = oracle.random_problems(1, 5, 0.6, seed=2)[0]
    options = settings(gibbs="released", burn_in=0, sweeps=2, marginals="last")
    (scores,) = gibbs_marginals(
        chains([problem], "released"), options, 3, torch.tensor([17]), torch.arange(5)
    )
    order = Schedule.of(problem.edge_index, 5).tasks.tolist()
    y, seen = [int(q > 0.5) for q in problem.backbone], []
    for number in (1, 2):
        draws = uniforms(3, number, torch.tensor([17]), torch.arange(5))
        y, seen = oracle.sequential_sweep(problem, y, draws.tolist(), order, released=True)
    torch.testing.assert_close(scores, torch.tensor(seen, dtype=torch.float64))


@FORMS
@pytest.mark.parametrize("marginals", ["conditionals", "labels"])
def test_a_molecules_marginals_are_the_same_bytes_in_any_batch(form, marginals):
    problems = oracle.random_problems(150, 9, 0.4, seed=0)
    node, edge, edge_index, backbone = (
        x.float() if x.is_floating_point() else x for x in oracle.stacked(problems)
    )
    schedule, options = (
        Schedule.of(edge_index, 9),
        settings(gibbs=form, marginals=marginals, sweeps=5, burn_in=1),
    )
    numbers = torch.arange(1000, 1150)

    def estimate(rows: torch.Tensor) -> torch.Tensor:
        some = Chains(schedule, node[rows], edge[rows], edge_index, backbone[rows], options)
        return gibbs_marginals(some, options, 5, numbers[rows], torch.arange(9))

    together = estimate(torch.arange(150))
    for size in (1, 7, 64):
        parts = [estimate(rows) for rows in torch.arange(150).split(size)]
        assert torch.equal(torch.cat(parts), together)
    shuffled = torch.from_numpy(np.random.default_rng(0).permutation(150))
    assert torch.equal(estimate(shuffled), together[shuffled])
    another = Chains(schedule, node, edge, edge_index, backbone, options)
    assert not torch.equal(gibbs_marginals(another, options, 6, numbers, torch.arange(9)), together)


def test_extreme_factors_give_certain_labels_and_no_nan():
    problem = oracle.random_problems(1, 4, 1.0, seed=0, scale=500.0)[0]
    problem = replace(problem, backbone=(2.0**-24, 1 - 2.0**-24, 0.5, 0.5))
    marginals = gibbs_marginals(chains([problem]), settings(), 0, torch.zeros(1).long(), torch.arange(4))
    assert ((marginals >= 0) & (marginals <= 1)).all()


def test_colours_are_proper_deterministic_and_few():
    graph = nx.gnm_random_graph(382, 3571, seed=1)
    edge_index = torch.tensor(list(graph.edges)).t()
    colours = colour_tasks(edge_index, 382)
    assert (colours[edge_index[0]] != colours[edge_index[1]]).all()
    theirs = nx.greedy_color(graph, "largest_first")
    assert colours.unique().tolist() == list(range(int(colours.max()) + 1))
    assert int(colours.max()) <= max(theirs.values()) + 1
    assert torch.equal(colours, colour_tasks(edge_index.flip(1).flip(0), 382))


@pytest.mark.parametrize(
    ("edges", "n", "n_colours"),
    [
        ([], 3, 1),
        ([(0, 1)], 2, 2),
        ([(0, 2), (1, 2), (0, 1)], 3, 3),
        ([(0, 2), (2, 3), (3, 1)], 4, 2),  # 3 where the ends of the path are coloured first
    ],
)
def test_small_graphs_have_the_colours_they_need(edges, n, n_colours):
    edge_index = torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).t()
    assert len(colour_tasks(edge_index, n).unique()) == n_colours
    assert sum(len(colour.neighbours) for colour in Schedule.of(edge_index, n).colours) == 2 * len(edges)


def test_a_task_related_to_itself_is_refused():
    with pytest.raises(RelataskError, match=r"task 1 .* is related to itself"):
        colour_tasks(torch.tensor([[0, 1], [2, 1]]), 3)
