"""Pairs of nodes by index operations, against loops over graphs."""

from itertools import combinations

import pytest
import torch
from torch import Tensor

from relatask.inputs.node_pairs import EdgeSet, number_of, pair_of, ranks

SIZES = (1, 5, 2, 7, 3)


def some_graphs(seed: int) -> tuple[EdgeSet, list[list[tuple[int, int]]]]:
    """Return graphs of SIZES with about half of all edges, and what pairs of each have none, in order."""
    generator, ends, owner, others, start = torch.Generator().manual_seed(seed), [], [], [], 0
    for graph, size in enumerate(SIZES):
        pairs = [(start + i, start + j) for i, j in combinations(range(size), 2)]
        chosen = torch.rand(len(pairs), generator=generator) < 0.5
        ends += [pair for pair, own in zip(pairs, chosen, strict=True) if own]
        owner += [graph] * int(chosen.sum())
        others.append([pair for pair, own in zip(pairs, chosen, strict=True) if not own])
        start += size
    offsets = torch.tensor([0, *SIZES]).cumsum(0)
    return EdgeSet(torch.tensor(ends).view(-1, 2), torch.tensor(owner), offsets), others


@pytest.mark.parametrize("size", [2, 3, 10, 1000])
def test_numbers_of_pairs_are_those_of_counting(size: int) -> None:
    pairs = torch.combinations(torch.arange(size))
    sizes = torch.full((len(pairs),), size)
    assert torch.equal(number_of(pairs, sizes), torch.arange(len(pairs)))
    assert torch.equal(pair_of(torch.arange(len(pairs)), sizes), pairs)


def test_the_last_pair_of_a_large_graph_has_exact_ends() -> None:
    size = torch.tensor([3_000_000])
    last = size * (size - 1) // 2 - 1
    for number in (last, last - 1, last // 2, last * 0):
        pair = pair_of(number, size)
        assert torch.equal(number_of(pair, size), number)
        assert 0 <= int(pair[0, 0]) < int(pair[0, 1]) < int(size)


@pytest.mark.parametrize("seed", range(5))
def test_pairs_without_an_edge_are_found_by_their_place(seed: int) -> None:
    edges, others = some_graphs(seed)
    assert edges.other_counts.tolist() == [len(own) for own in others]
    graph = torch.repeat_interleave(edges.other_counts)
    place = ranks(graph)
    order = torch.randperm(len(graph))
    found = edges.others(graph[order], place[order])
    right = [others[g][p] for g, p in zip(graph[order].tolist(), place[order].tolist(), strict=True)]
    assert [tuple(pair) for pair in found.tolist()] == right


def test_drawn_pairs_have_no_edge_and_none_is_there_twice() -> None:
    edges, others = some_graphs(0)
    counts = torch.minimum(edges.other_counts, torch.tensor([0, 3, 1, 6, 1]))
    seen: set[tuple[int, ...]] = set()
    for seed in range(50):
        graph, ends = edges.drawn_others(counts, torch.Generator().manual_seed(seed))
        pairs = [tuple(pair) for pair in ends.tolist()]
        assert len(set(pairs)) == len(pairs) == int(counts.sum())
        assert all(pair in others[g] for g, pair in zip(graph.tolist(), pairs, strict=True))
        seen |= set(pairs)
    # Every pair can be drawn.
    assert seen == {pair for own, count in zip(others, counts.tolist(), strict=True) if count for pair in own}
    _, first = edges.drawn_others(counts, None)
    assert [tuple(pair) for pair in first.tolist()] == [
        pair for own, count in zip(others, counts.tolist(), strict=True) for pair in own[:count]
    ]


def loop_ranks(group: Tensor, key: Tensor) -> list[int]:
    """Return places within groups, one entry after the other."""
    return [
        sum(bool(group[j] == group[i] and key[j] < key[i]) for j in range(len(group)))
        for i in range(len(group))
    ]


def test_ranks_are_places_within_a_group() -> None:
    group, key = torch.tensor([2, 0, 2, 2, 1, 0]), torch.tensor([0.3, 0.9, 0.1, 0.2, 0.5, 0.4])
    assert ranks(group, key).tolist() == loop_ranks(group, key)
    assert ranks(group).tolist() == [0, 0, 1, 2, 0, 1]
