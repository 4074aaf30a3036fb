"""Simple estimators: against literal regressions, on planted gains, and on the authors' of MIMIC-III."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from relatask.config import StrategyConfig
from relatask.core.errors import RelataskError
from relatask.core.estimators import estimators
from relatask.grouping.active import SelectionSettings, select_sets
from relatask.grouping.additive import additive_gains
from relatask.grouping.averages import average_over_partners
from relatask.grouping.contract import Estimate
from relatask.grouping.drawn_sets import held_out_sets, random_rounds
from relatask.grouping.estimate import estimate_gains
from relatask.grouping.gains import GainTable
from relatask.grouping.mtg_net import MTGNetSettings
from relatask.grouping.published_gains import read_published
from tests.oracles.grouping import penalised_regression

N = 6
SETS = np.array(
    [
        [task in chosen for task in range(N)]
        for size in range(1, N + 1)
        for chosen in combinations(range(N), size)
    ]
)
RNG = np.random.default_rng(5)
PAIRS = RNG.normal(0, 0.1, (N, N))
OWN = RNG.normal(0, 0.1, N)
TOGETHER = SETS.sum(1) > 1


def table_of(values: np.ndarray) -> GainTable:
    """A table of these gains, of which a task alone has none."""
    gains = np.where(SETS, np.where(TOGETHER[:, None], values, 0.0), np.nan)
    return GainTable(list("abcdef"), SETS, gains, gains)


def additive() -> GainTable:
    """Gains that are sums over partners."""
    weights = PAIRS - np.diag(np.diag(PAIRS))
    return table_of(OWN + SETS.astype(float) @ weights.T)


def run(
    gains: GainTable, estimator: str, share: float = 0.0, seeds: tuple[int, ...] = (0, 1), **values: object
) -> list[Estimate]:
    chosen = {"rounds": [1, 2]} if "rounds" in estimators()[estimator].keys else {}
    strategy = StrategyConfig.model_validate({"label": "S", "estimator": estimator, **chosen, **values})
    options = {"affinities": PAIRS} if "affinities" in estimators()[estimator].reads else {}
    return list(estimate_gains(strategy, gains, seeds, held_out=share, **options))


def test_the_mean_of_a_task_is_that_of_the_sets_that_were_drawn() -> None:
    gains = additive()
    for found in run(gains, "task_mean"):
        assert found.trained.sum() == found.rounds * N + 1
        others = TOGETHER & ~found.trained
        for task in range(N):
            known = [gains.valid[s, task] for s in range(len(SETS)) if found.trained[s] and SETS[s, task]]
            rest = found.table[others & SETS[:, task], task]
            np.testing.assert_allclose(rest, sum(known) / len(known))
        np.testing.assert_array_equal(found.table[found.trained], gains.valid[found.trained])
        np.testing.assert_array_equal(found.table[:N], gains.valid[:N])


def test_the_regression_is_the_penalised_one_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    gains = additive()
    noisy = gains.valid + RNG.normal(0, 0.05, SETS.shape)
    rows = np.flatnonzero(TOGETHER)[::3]
    for penalty in (0.1, 10.0):
        monkeypatch.setattr("relatask.grouping.additive.PENALTIES", np.array([penalty]))
        found = additive_gains(SETS[rows], noisy[rows], SETS, seed=0)
        expected = penalised_regression(SETS[rows], noisy[rows], SETS, penalty)
        np.testing.assert_allclose(found[SETS], expected[SETS], atol=1e-9)


def test_the_penalty_is_small_where_partners_tell_and_great_where_they_do_not() -> None:
    gains = additive()
    rows = np.flatnonzero(TOGETHER)[::2]
    found = additive_gains(SETS[rows], gains.valid[rows], SETS, seed=0)
    assert np.abs(found - gains.valid)[SETS & TOGETHER[:, None]].mean() < 0.01
    noise = np.where(SETS, np.random.default_rng(0).normal(0.3, 0.1, SETS.shape), np.nan)
    flat = additive_gains(SETS[rows], noise[rows], SETS, seed=0)
    means = np.broadcast_to(np.nanmean(noise[rows], 0), SETS.shape)
    np.testing.assert_allclose(flat[SETS], means[SETS], atol=0.01)
    one = additive_gains(SETS[-1:], noise[-1:], SETS, seed=0)  # nothing to validate on
    np.testing.assert_allclose(one[SETS], np.broadcast_to(noise[-1], SETS.shape)[SETS])


def test_hoa_gets_the_slope_and_offset_of_greater_sets() -> None:
    pairs = PAIRS.copy()
    means = average_over_partners(pairs, SETS)
    gains = table_of(np.where((SETS.sum(1) > 2)[:, None], 0.3 - 2.0 * means, means))
    for found in run(gains, "hoa_recalibrated"):
        np.testing.assert_allclose(found.table, gains.valid, atol=1e-9)
        assert found.trained[SETS.sum(1) == 2].all()
    keep = np.flatnonzero((SETS.sum(1) != 2) | (np.arange(len(SETS)) % 2 == 0))
    fewer = GainTable(gains.tasks, SETS[keep], gains.valid[keep], gains.test[keep])
    with pytest.raises(RelataskError, match="HOA needs all pairs"):
        run(fewer, "hoa_recalibrated")


def test_etap_bends_affinities_and_adds_what_tasks_say() -> None:
    means = average_over_partners(PAIRS, SETS)
    gains = table_of(40 * means**2 + OWN)
    found = run(gains, "etap")[1]
    cells = SETS & (TOGETHER & ~found.trained)[:, None]
    bent, straight = (np.corrcoef(table[cells], gains.valid[cells])[0, 1] for table in (found.table, means))
    assert bent > 0.8 > 0.4 > straight
    strategy = StrategyConfig(label="S", estimator="etap", rounds=[1])
    with pytest.raises(RelataskError, match="there are no affinities of tasks"):
        list(estimate_gains(strategy, gains, [0]))


def test_the_sets_are_those_of_mtg_net_with_random_selection() -> None:
    held_out, gains = held_out_sets(SETS, 0.3, 1), additive().valid
    drawn = list(random_rounds(SETS, [1, 3], 4, held_out))
    network, selection = MTGNetSettings(width=8, layers=1, epochs=1), SelectionSettings(alpha=0.0)
    found = select_sets(SETS, lambda row: gains[row], [1, 3], 4, network, selection, held_out=held_out)
    assert drawn == [(one.round, one.chosen) for one in found]


def test_sets_are_held_out_by_seed_and_neither_pairs_nor_all() -> None:
    lists = [held_out_sets(SETS, 0.25, seed) for seed in (0, 0, 1)]
    candidates = (SETS.sum(1) > 2) & (SETS.sum(1) < N)
    assert all(chosen.sum() == round(0.25 * candidates.sum()) for chosen in lists)
    assert not any((chosen & ~candidates).any() for chosen in lists)
    assert (lists[0] == lists[1]).all()
    assert (lists[0] != lists[2]).any()
    assert not held_out_sets(SETS, 0.0, 0).any()
    with pytest.raises(RelataskError, match="no task set has three tasks or more, but not all"):
        held_out_sets(SETS[:, :3][SETS[:, 3:].sum(1) == 0], 0.5, 0)


@pytest.mark.parametrize(
    "name", [name for name, record in estimators().items() if record.estimates and not record.oracle]
)
def test_no_estimator_asks_for_or_sees_what_is_held_out(name: str) -> None:
    """Held-out gains are changed beyond all measure, and no estimate moves."""
    gains, options = additive(), {"options": {"epochs": 2}} if name == "mtg_net" else {}
    held_out, secret = held_out_sets(SETS, 0.3, 0), gains.valid.copy()
    secret[held_out] += 9.0
    changed = GainTable(gains.tasks, SETS, secret, gains.test)
    before, after = (run(table, name, 0.3, seeds=(0,), **options) for table in (gains, changed))
    for found, again in zip(before, after, strict=True):
        assert not (found.trained & held_out).any()
        np.testing.assert_array_equal(again.table, found.table)
        assert np.isfinite(found.table[SETS]).all()


def test_the_oracle_knows_what_is_held_out() -> None:
    gains = additive()
    (found,) = run(gains, "oracle", 0.3)
    np.testing.assert_array_equal(found.table, gains.valid)


@pytest.mark.parametrize(
    ("estimator", "error", "correlation"), [("task_mean", 0.056, 0.655), ("ridge", 0.0432, 0.807)]
)
def test_what_simple_estimators_say_of_mimic(
    mirror: Path, estimator: str, error: float, correlation: float
) -> None:
    """352 sets, all others judged: where MTG-Net has an error of 0.059 and HOA of 0.081."""
    gains, _ = read_published(mirror / "mtg", "mimic")
    strategy = StrategyConfig(label="S", estimator=estimator, rounds=["pairs"])
    (found,) = estimate_gains(strategy, gains, [0])
    assert found.trained.sum() == 352
    cells = gains.sets & (~found.trained & (gains.sizes > 1))[:, None]
    said, true = found.table[cells], gains.valid[cells]
    assert np.abs(said - true).mean() == pytest.approx(error, abs=5e-4)
    assert np.corrcoef(said, true)[0, 1] == pytest.approx(correlation, abs=5e-3)
