"""The shuffled control keeps what it must and destroys what it must."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from relatask.engine.task_graph import swap_edges


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
