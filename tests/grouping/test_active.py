"""Active selection: what it asks for, what it may read, and that a break changes nothing."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from sklearn.model_selection import KFold

from relatask.grouping.active import SelectionSettings, Snapshot, select_sets
from relatask.grouping.cross_validation import cross_validated_model
from relatask.grouping.mtg_net import MTGNetModel, MTGNetSettings
from tests.oracles.mtg_net import chances

N = 5
SETS = np.array(
    [
        [task in chosen for task in range(N)]
        for size in range(1, N + 1)
        for chosen in combinations(range(N), size)
    ]
)
GAINS = np.where(SETS, np.random.default_rng(3).normal(0, 0.2, SETS.shape), np.nan)
GAINS[:N] = np.where(SETS[:N], 0.0, np.nan)
NETWORK = MTGNetSettings(width=8, layers=1, epochs=20)


class Table:
    """Answers from a table, and remembers what was asked."""

    def __init__(self, gains: np.ndarray = GAINS):
        self.gains, self.asked = gains, []

    def __call__(self, row: int) -> np.ndarray:
        self.asked.append(row)
        return self.gains[row]


def run(table: Table, rounds: list[int], seed: int = 0, **settings: object) -> list[Snapshot]:
    return list(select_sets(SETS, table, rounds, seed, NETWORK, SelectionSettings(**settings)))


@pytest.mark.parametrize("alpha", [0.0, 25.0])
def test_each_round_asks_for_one_set_of_each_task_and_none_twice(alpha: float) -> None:
    table = Table()
    snapshots = run(table, [1, 3], alpha=alpha)
    assert [snapshot.round for snapshot in snapshots] == [1, 3]
    assert table.asked[0] == len(SETS) - 1
    assert len(set(table.asked)) == len(table.asked) == 3 * N + 1
    for number, row in enumerate(table.asked[1:]):
        assert SETS[row, number % N]
        assert SETS[row].sum() > 1
    assert snapshots[0].chosen == table.asked[: N + 1]
    assert snapshots[1].chosen == table.asked


def test_a_smaller_number_of_rounds_is_a_prefix() -> None:
    table, other = Table(), Table()
    first = run(table, [1, 2])[0]
    only = run(other, [1])[0]
    assert only.chosen == first.chosen
    np.testing.assert_array_equal(only.estimate, first.estimate)


def test_gains_of_sets_that_were_not_chosen_move_nothing() -> None:
    table = Table()
    before = run(table, [2])[0]
    secret = GAINS.copy()
    unseen = np.setdiff1d(np.arange(len(SETS)), table.asked)
    secret[unseen] += 5.0
    after = run(Table(secret), [2])[0]
    assert after.chosen == before.chosen
    np.testing.assert_array_equal(after.estimate, before.estimate)


def test_what_was_trained_is_known_and_the_rest_is_predicted() -> None:
    snapshot = run(Table(), [2])[0]
    np.testing.assert_array_equal(snapshot.estimate[snapshot.chosen], GAINS[snapshot.chosen])
    others = np.setdiff1d(np.arange(N, len(SETS)), snapshot.chosen)
    predicted = snapshot.model.predict(SETS[others])
    np.testing.assert_allclose(snapshot.estimate[others], predicted, atol=1e-6)  # of other batches
    assert (np.isnan(snapshot.estimate) == ~SETS).all()


def test_all_sets_are_asked_for_in_the_end_and_no_more() -> None:
    table = Table()
    snapshot = run(table, [20])[0]
    assert sorted(snapshot.chosen) == sorted(table.asked) == list(range(N, len(SETS)))


def test_the_same_seed_chooses_the_same_and_others_choose_others() -> None:
    tables = [Table() for _ in range(3)]
    for table, seed in zip(tables, (0, 0, 1), strict=True):
        run(table, [2], seed)
    assert tables[0].asked == tables[1].asked != tables[2].asked


def test_a_set_is_drawn_with_the_chance_of_the_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first draw after the set of all tasks, many times, against exp(alpha |G|) of the predictions."""
    rows = np.flatnonzero(SETS[:, 0] & (SETS.sum(1) > 1))[:-1]
    predictions = {}

    def learn(model, sets, known, selection):  # the network of one seed, whatever the seed
        predictions.setdefault("table", np.where(SETS, 0.05 * np.arange(len(SETS))[:, None] / len(SETS), 0.0))
        return predictions["table"]

    monkeypatch.setattr("relatask.grouping.active._learn", learn)
    first = []
    for seed in range(4000):
        table = Table()
        next(select_sets(SETS, table, [1], seed, NETWORK, SelectionSettings(alpha=25.0)))
        first.append(table.asked[1])
    expected = chances(list(predictions["table"][rows, 0]), 25.0)
    found = np.array([first.count(row) for row in rows]) / len(first)
    np.testing.assert_allclose(found, expected, atol=4 * np.sqrt(expected.max() / len(first)))
    assert expected.max() > 2 * expected.min()


def test_the_spread_as_unit_of_alpha_asks_for_the_same_whatever_the_scale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def asked(unit: str, scale: float) -> list[int]:
        table = np.where(SETS, scale * GAINS, 0.0)
        monkeypatch.setattr("relatask.grouping.active._learn", lambda *_: table)
        answers = Table()
        settings = SelectionSettings(alpha=3.0, alpha_unit=unit)
        next(select_sets(SETS, answers, [1], 0, NETWORK, settings))
        return answers.asked

    assert asked("spread", 1.0) == asked("spread", 0.01) != asked("gain", 0.01)
    assert asked("spread", 0.0) == asked("gain", 0.0)  # no spread, no preference


def test_epochs_by_cross_validation_are_those_with_least_error_on_sets_left_out() -> None:
    """Against a training of each number of epochs on each fold, and nothing else that is asked for."""
    most, rows = 6, [*range(N), len(SETS) - 1, 7, 12, 19, 23, 28]
    settings = MTGNetSettings(width=8, layers=1, epochs=3, cross_validated_epochs=most)
    sets, gains = SETS[rows], GAINS[rows]

    def trained(epochs: int, known: np.ndarray) -> MTGNetModel:
        model = MTGNetModel(N, replace(settings, epochs=epochs), 2)
        model.fit(sets[known], gains[known])
        return model

    errors = np.zeros(most)
    for _, left in KFold(5, shuffle=True, random_state=2).split(sets[N:]):
        left = left + N
        known = np.array([row for row in range(len(rows)) if row not in left])
        for epochs in range(1, most + 1):
            said = trained(epochs, known).predict(sets[left])
            errors[epochs - 1] += ((said - gains[left])[sets[left]] ** 2).sum()
    expected = trained(1 + int(errors.argmin()), np.arange(len(rows))).predict(SETS)
    found = cross_validated_model(sets, gains, settings, 2).predict(SETS)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    fixed, validated = Table(), Table()
    for table, network in ((fixed, replace(settings, cross_validated_epochs=0)), (validated, settings)):
        list(select_sets(SETS, table, [1, 2], 0, network))
    assert fixed.asked == validated.asked


def test_huge_predictions_do_not_overflow() -> None:
    snapshot = run(Table(1e4 * GAINS), [2], alpha=1e6)[0]
    assert len(snapshot.chosen) == 2 * N + 1


def test_related_tasks_come_first_where_relations_weigh() -> None:
    relations = np.zeros((N, N))
    relations[0, 1] = relations[1, 0] = 1.0
    table = Table()
    list(
        select_sets(SETS, table, [1], 0, NETWORK, SelectionSettings(relation_weight=1e4), relations=relations)
    )
    assert SETS[table.asked[1]].tolist() == [True, True, False, False, False]
