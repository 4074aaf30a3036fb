"""Estimates of the gains of all task sets of a collection, by the estimator that a strategy names."""

from collections.abc import Iterator, Sequence
from types import ModuleType

import numpy as np

from relatask.config import StrategyConfig
from relatask.core.records import import_file
from relatask.grouping.contract import Answer, Estimate, Request
from relatask.grouping.drawn_sets import held_out_sets
from relatask.grouping.gains import GainTable
from relatask.plan.group_rows import NO_SEED


def load_estimator(strategy: StrategyConfig) -> ModuleType:
    """Import the estimator of a strategy; this is where torch comes in."""
    return import_file(strategy.record.file)


def request_of(
    strategy: StrategyConfig,
    gains: GainTable,
    seed: int,
    affinities: np.ndarray | None = None,
    relations: np.ndarray | None = None,
    answer: Answer | None = None,
    held_out: float = 0.0,
) -> Request:
    """Return what an estimator is asked for a strategy; the arguments are those of `Request`.

    `held_out` is the share of sets whose validation gains only an oracle may see.
    """
    hidden = held_out_sets(gains.sets, held_out, seed) if held_out else None
    return Request(
        label=strategy.label,
        gains=gains if hidden is None or strategy.record.oracle else gains.hiding(hidden),
        seed=seed,
        options=strategy.complete_options(),
        rounds=strategy.rounds_for(len(gains.tasks)),
        selection=strategy.selection,
        relations_as=strategy.relations,
        affinities=affinities,
        relations=relations,
        answer=answer,
        held_out=hidden,
    )


def estimate_gains(
    strategy: StrategyConfig,
    gains: GainTable,
    seeds: Sequence[int],
    affinities: np.ndarray | None = None,
    relations: np.ndarray | None = None,
    held_out: float = 0.0,
) -> Iterator[Estimate]:
    """Yield the estimates of a strategy, one for each seed and number of rounds where it has such.

    Args:
        strategy: how gains are estimated; nothing comes of one that chooses groups without estimates.
        gains: of the collection; only validation gains of the sets that the strategy trains are read.
        seeds: of strategies that draw.
        affinities: float64 [N, N], entry [t, b] is that of b onto t.
        relations: float64 [N, N], scores of the relation graph from 0 to 1.
        held_out: share of the sets that no strategy may ask for, see `held_out_sets`.

    Raises:
        RelataskError: affinities or relations are needed and absent.
    """
    if strategy.record.estimates:
        estimate = load_estimator(strategy).estimate
        for seed in seeds if strategy.record.draws else [NO_SEED]:
            yield from estimate(request_of(strategy, gains, seed, affinities, relations, held_out=held_out))
