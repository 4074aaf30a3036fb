"""Which task sets MTG-Net learns from: chosen one by one, those it expects to matter first (algorithm 1)."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from relatask.grouping.contract import Answer
from relatask.grouping.cross_validation import cross_validated_model
from relatask.grouping.mtg_net import MTGNetModel, MTGNetSettings


@dataclass(frozen=True)
class SelectionSettings:
    """How task sets are chosen."""

    alpha: float = 25.0  # preference for great expected gains or losses (section 4.1); 0: at random
    alpha_unit: str = "gain"  # of |G| times alpha; "spread": deviations of |G| over the task's open sets
    know_singles: bool = True  # a task alone has gain 0 by definition; learning from that costs no run
    warm: bool = False  # train on from the weights there are, where more gains came in; faster and worse
    relation_weight: float = 5.0  # of related tasks in a set, added to the log of its chance


@dataclass(frozen=True)
class Snapshot:
    """What is known after a round."""

    round: int  # K
    chosen: list[int]  # task sets trained so far, in their order; the first holds all tasks
    estimate: np.ndarray  # float64 [S, N]: predictions, and the gains of those that were trained
    model: MTGNetModel


@dataclass
class _Known:
    """Task sets whose gains are known, and the gains."""

    rows: list[int] = field(default_factory=list)
    gains: list[np.ndarray] = field(default_factory=list)

    def add(self, row: int, gains: np.ndarray) -> None:
        self.rows.append(row)
        self.gains.append(gains)


def select_sets(
    sets: np.ndarray,
    answer: Answer,
    rounds: Sequence[int],
    seed: int,
    network: MTGNetSettings | None = None,
    selection: SelectionSettings | None = None,
    pairs: np.ndarray | None = None,
    relations: np.ndarray | None = None,
    held_out: np.ndarray | None = None,
) -> Iterator[Snapshot]:
    """Yield what is known after each of `rounds`, asking for one task set per task and round.

    All draws derive from `seed`, so a selection that was broken off asks for the same sets again: `answer`
    may look them up or train them. What it returns for a set is all that is ever read of its gains.

    Args:
        sets: bool [S, N], the candidates; one of them holds all tasks.
        answer: is asked for the gains of a set once.
        rounds: ascending numbers K; there are K N + 1 answers after round K.
        seed: of the network's initial weights and of the choices.
        network: settings of MTG-Net.
        selection: how sets are chosen.
        pairs: float [N, N, F], features of pairs of tasks for the network.
        relations: float [N, N] scores from 0 to 1, for `relation_weight`.
        held_out: bool [S], sets that are not asked for.
    """
    selection, network = selection or SelectionSettings(), network or MTGNetSettings()
    validated = network.cross_validated_epochs > 0
    n_tasks, sizes = sets.shape[1], sets.sum(1)
    model = MTGNetModel(n_tasks, network, seed, pairs)
    rng = np.random.default_rng([seed, n_tasks])
    known, alone = _Known(), np.flatnonzero(sizes == 1)
    if selection.know_singles:
        for single in alone:
            known.add(int(single), np.where(sets[single], 0.0, np.nan))
    n_free = len(known.rows)
    everything = int(np.flatnonzero(sizes == n_tasks)[0])
    known.add(everything, answer(everything))
    liked = selection.relation_weight * _relatedness(sets, relations)
    open_ = sizes > 1
    open_[everything] = False
    if held_out is not None:
        open_ &= ~held_out
    predicted = _learn(model, sets, known, selection) if selection.alpha else np.zeros(sets.shape)
    for number in range(1, rounds[-1] + 1):
        for task in range(n_tasks):
            rows = np.flatnonzero(open_ & sets[:, task])
            if len(rows):
                chance = _preference(predicted[rows, task], selection) + liked[rows]
                row = int(rows[np.argmax(chance + rng.gumbel(size=len(rows)))])  # softmax(chance)
                known.add(row, answer(row))
                open_[row] = False
            early = len(known.rows) - n_free <= n_tasks + 1  # eta = 1, then N (section 4.1)
            last = task == n_tasks - 1
            asked_of = last and number in rounds and not validated
            if (selection.alpha and (early or last)) or asked_of:
                predicted = _learn(model, sets, known, selection)
        if number in rounds:
            told, teller = np.array(known.gains), model
            if validated:  # what is asked for next does not depend on it
                teller = cross_validated_model(sets[known.rows], told, network, seed, pairs)
            estimate = teller.predict(sets) if validated else predicted.copy()
            estimate[known.rows] = told
            yield Snapshot(number, known.rows[n_free:], estimate, copy.deepcopy(teller))


def _preference(predicted: np.ndarray, selection: SelectionSettings) -> np.ndarray:
    """Log of the chances of sets by their predicted gains, float64 [n], up to a constant."""
    size = np.abs(predicted)
    spread = size.std() if selection.alpha_unit == "spread" else 1.0
    return selection.alpha * size / spread if spread > 0 else np.zeros(len(size))


def _learn(model: MTGNetModel, sets: np.ndarray, known: _Known, selection: SelectionSettings) -> np.ndarray:
    """Train on all known gains and predict those of all sets, float64 [S, N]."""
    if not selection.warm:
        model.restart()
    model.fit(sets[known.rows], np.array(known.gains))
    return model.predict(sets)


def _relatedness(sets: np.ndarray, relations: np.ndarray | None) -> np.ndarray:
    """Mean relation score over the pairs of tasks in each set, float64 [S]; 0 without relations."""
    if relations is None:
        return np.zeros(len(sets))
    members = sets.astype(np.float64)
    scores = relations.astype(np.float64).copy()
    np.fill_diagonal(scores, 0.0)
    size = members.sum(1)
    return np.einsum("sn,nm,sm->s", members, scores, members, optimize=True) / np.maximum(
        size * (size - 1), 1
    )
