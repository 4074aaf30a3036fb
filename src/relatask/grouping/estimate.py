"""Each strategy's estimates of the gains of all task sets of a collection."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from relatask.config import StrategyConfig
from relatask.core.errors import RelataskError
from relatask.core.records import suggest
from relatask.grouping.active import Answer, SelectionSettings, Snapshot, select_sets
from relatask.grouping.averages import average_over_partners
from relatask.grouping.gains import GainTable
from relatask.grouping.mtg_net import MTGNetSettings
from relatask.plan.group_rows import NO_SEED


@dataclass(frozen=True)
class Estimate:
    """What a strategy makes of a collection."""

    rounds: int | None  # K of MTG-Net
    seed: int
    table: np.ndarray  # float64 [S, N], NaN outside the sets and where the strategy knows nothing
    trained: np.ndarray  # bool [S], the sets whose gains it was told


def estimate_gains(
    strategy: StrategyConfig,
    gains: GainTable,
    seeds: Sequence[int],
    affinities: np.ndarray | None = None,
    relations: np.ndarray | None = None,
) -> Iterator[Estimate]:
    """Yield the estimates of a strategy, one for each seed and number of rounds where it has such.

    Args:
        strategy: how gains are estimated; "random" estimates nothing.
        gains: of the collection; only validation gains of the sets that the strategy trains are read.
        seeds: of strategies that draw.
        affinities: float64 [N, N] of TAG, entry [t, b] is that of b onto t.
        relations: float64 [N, N], scores of the relation graph from 0 to 1.

    Raises:
        RelataskError: affinities or relations are needed and absent, or an option is unknown.
    """
    if strategy.estimator == "oracle":
        yield Estimate(None, NO_SEED, gains.valid, np.ones(len(gains.sets), bool))
    elif strategy.estimator == "hoa":
        pairs = gains.pair_gains()
        if np.isnan(pairs).sum() > len(gains.tasks):  # more than the diagonal
            raise RelataskError(f"strategy {strategy.label}: HOA needs all pairs; set task_sets.pairs: true.")
        yield Estimate(None, NO_SEED, average_over_partners(pairs, gains.sets), gains.sizes == 2)
    elif strategy.estimator == "tag":
        if affinities is None:
            raise RelataskError(f"strategy {strategy.label}: there are no affinities of tasks; leave it out.")
        table = average_over_partners(affinities, gains.sets)
        yield Estimate(None, NO_SEED, table, gains.sizes == len(gains.tasks))
    elif strategy.estimator == "mtg_net":
        for seed in seeds:
            yield from as_estimates(snapshots_of(strategy, gains, seed, relations), seed)


def snapshots_of(
    strategy: StrategyConfig,
    gains: GainTable,
    seed: int,
    relations: np.ndarray | None,
    answer: Answer | None = None,
) -> Iterator[Snapshot]:
    """Yield what MTG-Net knows after each number of rounds of a strategy.

    Args:
        strategy: with estimator "mtg_net".
        gains: the task sets it may ask for; their gains are replayed where there is no `answer`.
        seed: of its draws.
        relations: float64 [N, N], scores of the relation graph from 0 to 1.
        answer: trains the set at a position and returns its validation gains.

    Raises:
        RelataskError: relations are needed and absent, or an option is unknown.
    """
    if strategy.relations != "none" and relations is None:
        raise RelataskError(f"strategy {strategy.label}: the data set has no relation graph; leave it out.")
    network, selection = _settings(strategy)
    yield from select_sets(
        gains.sets,
        answer or (lambda row: gains.valid[row]),
        strategy.rounds_for(len(gains.tasks)),
        seed,
        network,
        selection,
        pairs=relations[..., None] if strategy.relations == "features" and relations is not None else None,
        relations=relations if strategy.relations == "neighbours" else None,
    )


def as_estimates(snapshots: Iterable[Snapshot], seed: int) -> Iterator[Estimate]:
    """Yield each snapshot of one selection as an estimate."""
    for snapshot in snapshots:
        trained = np.zeros(len(snapshot.estimate), bool)
        trained[snapshot.chosen] = True
        yield Estimate(snapshot.round, seed, snapshot.estimate, trained)


def _settings(strategy: StrategyConfig) -> tuple[MTGNetSettings, SelectionSettings]:
    """Split a strategy's options into those of the network and those of the selection."""
    known: dict[str, type] = {}
    for settings in (MTGNetSettings, SelectionSettings):
        known |= {entry.name: settings for entry in fields(settings)}
    for name, value in strategy.options.items():
        if name not in known:
            raise RelataskError(
                f"strategy {strategy.label}: there is no option {name!r}.{suggest(name, known)}"
            )
        default = getattr(known[name](), name)
        number = isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool)
        if type(value) is not type(default) and not number:
            raise RelataskError(
                f"strategy {strategy.label}: option {name!r} must be {type(default).__name__}, not {value!r}."
            )
    chosen = {
        settings: {name: value for name, value in strategy.options.items() if known[name] is settings}
        for settings in (MTGNetSettings, SelectionSettings)
    }
    if strategy.selection == "random":
        chosen[SelectionSettings]["alpha"] = 0.0
    if strategy.relations == "neighbours":
        chosen[SelectionSettings].setdefault("relation_weight", 5.0)
    return MTGNetSettings(**chosen[MTGNetSettings]), SelectionSettings(**chosen[SelectionSettings])
