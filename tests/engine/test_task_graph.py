"""The shuffled control keeps what it must and destroys what it must."""

from dataclasses import replace
from pathlib import Path

import torch
from hypothesis import given
from hypothesis import strategies as st

from relatask.data.prepared import PreparedDataset
from relatask.engine.problem import problems_of
from relatask.engine.task_graph import swap_edges, task_graph
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset


def degrees(edges: torch.Tensor) -> list[int]:
    return torch.bincount(edges.flatten(), minlength=100).tolist()


@given(st.integers(0, 2**31), st.integers(0, 150))
def test_a_swap_keeps_degrees_and_makes_no_loop_or_double_edge(seed: int, n_edges: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    pairs = torch.combinations(torch.arange(20))
    edges = pairs[torch.randperm(len(pairs), generator=generator)[:n_edges]].T
    swapped = swap_edges(edges, generator)
    assert degrees(swapped) == degrees(edges)
    assert len({tuple(pair) for pair in swapped.T.tolist()}) == n_edges
    assert (swapped[0] < swapped[1]).all()


def test_few_partners_stay() -> None:
    """Families of 10 tasks, all related: a random partner is in the same family once in eleven times."""
    family = torch.combinations(torch.arange(10))
    edges = torch.cat([family + 10 * number for number in range(10)]).T
    swapped = swap_edges(edges, torch.Generator().manual_seed(0))
    within = (swapped[0] // 10 == swapped[1] // 10).float().mean()
    assert within < 0.2
    again = swap_edges(edges, torch.Generator().manual_seed(0))
    assert torch.equal(swapped, again)


def test_every_row_of_a_study_sees_the_same_shuffled_graph(tmp_path: Path) -> None:
    """A control and the prior it starts from differ in method and options; so do the rows of a group."""
    folder = write_dataset(tmp_path, random_labels(40, 12))
    data = PreparedDataset.load(folder, "scaffold-0", inputs="ecfp")
    energy = make_spec("sgnn_ebm", graph="shuffled")
    narrow = make_spec("sgnn", graph="shuffled")
    narrow = replace(narrow, method=narrow.method.with_options(state_width=8))
    edges, scores = task_graph(problems_of(energy, data, per_task=False)[0])
    same_edges, same_scores = task_graph(problems_of(narrow, data, per_task=False)[0])
    assert torch.equal(edges, same_edges)
    assert torch.equal(scores, same_scores)
    true = task_graph(problems_of(replace(energy, graph="true"), data, per_task=False)[0])[0]
    assert not torch.equal(edges, true)
    assert torch.equal(torch.bincount(edges.flatten()), torch.bincount(true.flatten()))
    other = task_graph(problems_of(replace(energy, seed=1), data, per_task=False)[0])[0]
    assert not torch.equal(edges, other)
    drawn = {
        graph: task_graph(problems_of(replace(energy, graph=graph), data, per_task=False)[0])[0]
        for graph in ("shuffled", "shuffled_1", "shuffled_2", "none")
    }
    assert torch.equal(drawn["shuffled"], edges)
    assert len({tuple(graph.flatten().tolist()) for graph in drawn.values()}) == 4
    assert torch.equal(torch.bincount(drawn["shuffled_2"].flatten()), torch.bincount(true.flatten()))
    assert drawn["none"].shape == (2, 0)
    some = replace(energy, tasks=tuple(data.task_ids[:8]))
    kept = (edges < 8).all(0)
    assert torch.equal(task_graph(problems_of(some, data, per_task=False)[0])[0], edges[:, kept])
