"""Which labels of an item are known to a method while others are predicted (MetaLink, sections 2 and 4.1).

The paper shows a random fifth of an item's labels and evaluates on the rest. Here an item is predicted in
ten passes: each predicts a tenth of its cells and knows a random share of the others, so that every labelled
cell is evaluated once, as for methods that know no labels, and a cell's own label is never an input of its
prediction.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from relatask.engine.problem import EVALUATED, Problem
from relatask.nn.draws import split_mix, unit_interval

PASSES = 10
NEW_SHARE = 0.5  # of the tasks of a training step of `relational_meta`, the others are auxiliary


@dataclass(frozen=True)
class Setting:
    """One of the four settings of section 2 for the T tasks of a run."""

    known_ratio: float  # of an item's other labels, 0 where none is known
    meta: bool
    unseen: Tensor  # bool [T]: held out at training time, the last ones as released

    @classmethod
    def of(cls, problem: Problem) -> "Setting":
        """Read the setting from the options of a run."""
        options, n_tasks = problem.spec.method.options, len(problem.columns)
        unseen = torch.zeros(n_tasks, dtype=torch.bool, device=problem.columns.device)
        meta = options["setting"] in {"meta", "relational_meta"}
        if meta:
            unseen[n_tasks - max(1, int(options["unseen"] * n_tasks)) :] = True
        relational = options["setting"] in {"relational", "relational_meta"}
        return cls(options["known_ratio"] if relational else 0.0, meta, unseen)

    def evaluated(self, fold: str) -> Tensor:
        """Tasks, bool [T], whose cells of a fold are evaluated: in a meta setting seen ones to validate."""
        if not self.meta:
            return torch.ones_like(self.unseen)
        return self.unseen if fold == "test" else ~self.unseen


@dataclass(frozen=True)
class Pass:
    """What is known and what is predicted in one pass over n items and T tasks."""

    known: Tensor  # bool [n, T]
    predicted: Tensor  # bool [n, T]
    from_support: Tensor  # bool [T]: tasks whose labels of the support are known
    new: Tensor | None = None  # bool [T]: tasks that start without weights
    about: Tensor | None = None  # bool [T]: each item of the support has a label in one; None: from_support
    number: int = 0  # of the pass, for its support


def passes(problem: Problem, setting: Setting, rows: Tensor) -> Iterator[Pass]:
    """Yield passes that predict every cell of the items at positions `rows` once.

    What is known depends on data, split, seed, item and task alone: not on labels, on the other items, or on
    the method's other options. Where cells are split, all training labels are known and all else is
    predicted, as when a table is filled.
    """
    labelled = ~problem.labels(rows).isnan()
    everything, every_task = torch.ones_like(labelled), torch.ones_like(setting.unseen)
    if problem.data.cell_folds is not None and setting.known_ratio:
        yield Pass(labelled, ~labelled, every_task)
        return
    if setting.meta:
        shown = draws(problem, rows, "known") < setting.known_ratio
        for number, (predicted, from_support, new) in enumerate(_meta_passes(setting)):
            known = shown & labelled & ~new
            yield Pass(known, everything & predicted, from_support, new, predicted, number)
    elif setting.known_ratio:
        part = (draws(problem, rows, "part") * PASSES).long()
        share = setting.known_ratio * PASSES / (PASSES - 1)
        for number in range(PASSES):
            known = (draws(problem, rows, f"known {number}") < share) & (part != number) & labelled
            yield Pass(known, part == number, every_task, number=number)
    else:
        yield Pass(~everything, everything, ~every_task)


def informed_passes(problem: Problem, setting: Setting, rows: Tensor) -> Iterator[Pass]:
    """Yield passes that predict every cell of the items at positions `rows` once and know all their labels.

    This is what a trained model is asked: nothing is hidden from it but labels of tasks that a pass takes for
    new ones. What it says of a cell whose own label is known is no prediction.
    """
    labelled = ~problem.labels(rows, None).isnan()
    everything, every_task = torch.ones_like(labelled), torch.ones_like(setting.unseen)
    if setting.meta:
        for number, (predicted, from_support, new) in enumerate(_meta_passes(setting)):
            known = labelled & ~new if setting.known_ratio else ~everything
            yield Pass(known, everything & predicted, from_support, new, predicted, number)
    elif setting.known_ratio:
        yield Pass(labelled, everything, every_task)
    else:
        yield Pass(~everything, everything, ~every_task)


def _meta_passes(setting: Setting) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield tasks that are predicted, tasks with known labels in the support, and new tasks, bool [T] each.

    The first pass is the test's. Those of validation know nothing of unseen tasks; where they need tasks to
    know, one predicts every other seen task, and the next the rest.
    """
    unseen, everything = setting.unseen, torch.ones_like(setting.unseen)
    if not setting.known_ratio:
        yield unseen, unseen, everything
        yield ~unseen, ~unseen, everything
        return
    yield unseen, everything, unseen
    even = torch.arange(len(unseen), device=unseen.device) % 2 == 0
    for half in (even & ~unseen, ~even & ~unseen):
        yield half, ~unseen, half | unseen


def labelled_in(problem: Problem, rows: Tensor, tasks: Tensor) -> Tensor:
    """Return those of `rows` with a label in one of the tasks, bool [T], that training may read."""
    return rows[~problem.labels(rows)[:, tasks].isnan().all(1)]


def support_rows(problem: Problem, setting: Setting, one: Pass) -> Tensor:
    """Return the training items that a pass reads, int64 [s]; they follow from data, split and seed alone."""
    if problem.support is not None:
        return problem.support[one.number]
    options = problem.spec.method.options
    wanted = options["shots"] if setting.meta else options.get("support", 0)
    rows = problem.rows("train")
    if not wanted or not one.from_support.any():
        return rows[:0]
    among = labelled_in(problem, rows, one.from_support if one.about is None else one.about)
    order = torch.Generator().manual_seed(problem.spec.data_seed("support"))
    return among[torch.randperm(len(among), generator=order)[:wanted].to(among.device)]


def support_by_pass(problem: Problem) -> tuple[Tensor, ...]:
    """Return the training items that each pass of a prediction reads, int64 [s] each."""
    setting = Setting.of(problem)
    first = problem.rows("train")[:0]
    return tuple(support_rows(problem, setting, one) for one in informed_passes(problem, setting, first))


def apart(asked: Tensor, support: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield which of the items `asked` [n] are predicted beside which of `support` [s]: none beside itself.

    An item of the support, which is asked where cells are split or a table is filled, is predicted beside the
    half that it is not in.

    Args:
        asked: int64 ids.
        support: int64 ids.
    """
    inside = torch.isin(asked, support)
    yield ~inside, torch.ones_like(support, dtype=torch.bool)
    if inside.any():
        half = torch.arange(len(support), device=support.device) % 2 == 0
        for mine in (half, ~half):
            yield torch.isin(asked, support[mine]), ~mine


def shown_in(problem: Problem, setting: Setting) -> dict[str, dict[str, Tensor]]:
    """Return for each pass which held-out cells it predicts and reads, and which cells of the support."""
    train = problem.rows("train")
    in_support = torch.zeros(len(train), len(problem.columns), dtype=torch.int16, device=train.device)
    for number, one in enumerate(passes(problem, setting, train[:0])):
        in_support += (
            torch.isin(train, support_rows(problem, setting, one))[:, None] & one.from_support
        ) * 2**number
    nothing = torch.full(in_support.shape, -1, dtype=torch.int8)
    found = {"train": {"predicted_in": nothing, "known_in": in_support.cpu()}}
    for fold in EVALUATED:
        rows = problem.rows(fold)
        shape, device = (len(rows), len(problem.columns)), rows.device
        predicted = torch.full(shape, -1, dtype=torch.int8, device=device)
        known = torch.zeros(shape, dtype=torch.int16, device=device)
        for number, one in enumerate(passes(problem, setting, rows)):
            predicted[one.predicted & setting.evaluated(fold)] = number
            known += one.known * 2**number
        found[fold] = {"predicted_in": predicted.cpu(), "known_in": known.cpu()}
    return found


def draws(problem: Problem, rows: Tensor, purpose: str) -> Tensor:
    """Return a uniform draw in [0, 1) for each cell, float64 [n, t], from its item and task alone."""
    tasks = torch.tensor(
        [problem.spec.data_seed(purpose, task) for task in problem.task_ids], device=rows.device
    )
    return unit_interval(split_mix(split_mix(problem.data.item_ids[rows])[:, None] ^ tasks))
