"""Densification: items and tasks with too few labels are removed until nothing changes."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from relatask.config import DensifyConfig

if TYPE_CHECKING:
    import numpy as np

# without a `densify` block: what cannot be learned or evaluated goes, all else stays
LEARNABLE = DensifyConfig(tau=1, min_positives=1, min_negatives=1, drop_isolated=False)
ISOLATED = "isolated: no relation to another task"
UNNAMED = "not among densify.tasks"


@dataclass
class Kept:
    """What densification leaves; every removed item and task has its reason, kept ones have ""."""

    item_reasons: "np.ndarray"  # str objects [M]
    task_reasons: "np.ndarray"  # str objects [T]
    cells: "np.ndarray"  # positions of the labels that stay, ascending
    rounds: list[dict[str, int]] = field(default_factory=list)  # sizes after each round

    @property
    def items(self) -> "np.ndarray":
        """Mask [M] of the items that stay."""
        return self.item_reasons == ""

    @property
    def tasks(self) -> "np.ndarray":
        """Mask [T] of the tasks that stay."""
        return self.task_reasons == ""

    def note_sizes(self) -> None:
        """Add what is left now to the rounds."""
        sizes = [int(self.items.sum()), int(self.tasks.sum()), len(self.cells)]
        self.rounds.append(dict(zip(("items", "tasks", "labels"), sizes, strict=True)))


def densify(
    item: "np.ndarray",
    task: "np.ndarray",
    active: "np.ndarray",
    shape: tuple[int, int],
    config: DensifyConfig = LEARNABLE,
    related: "np.ndarray | None" = None,
    binary: "np.ndarray | None" = None,
) -> Kept:
    """Remove sparse items and tasks until a round removes nothing (SGNN-EBM, A.3).

    First the tasks without a relation; then, in each round, items with fewer than `tau` labels,
    and on what is left tasks with fewer than `tau` labels, `min_positives` or `min_negatives`, the order
    of the authors' code. What stays is the largest table that meets all the bounds, so the order changes
    the reasons but not the result. Tasks are not checked for relations again, as in the paper.

    Args:
        item: int [N], position of each label's item.
        task: int [N], position of each label's task.
        active: bool [N], the label.
        shape: numbers of items M and tasks T.
        config: the bounds.
        related: bool [T], tasks that have a relation; None leaves isolated tasks in.
        binary: bool [T], tasks whose labels are 0 and 1, for which alone positives and negatives count; None:
            all.
    """
    import numpy as np

    n_items, n_tasks = shape
    item_reasons = np.full(n_items, "", dtype=object)
    task_reasons = np.full(n_tasks, "", dtype=object)
    if config.drop_isolated and related is not None:
        task_reasons[~related] = ISOLATED
    cells = np.flatnonzero((task_reasons == "")[task])
    kept = Kept(item_reasons, task_reasons, cells)
    while True:
        kept.note_sizes()
        removed = _remove_items(kept, item, config) + _remove_tasks(kept, task, active, config, binary)
        if not removed:
            return kept


def everything(shape: tuple[int, int], n_labels: int) -> Kept:
    """Return what is kept where nothing is removed."""
    import numpy as np

    items, tasks = (np.full(n, "", dtype=object) for n in shape)
    kept = Kept(items, tasks, np.arange(n_labels))
    kept.note_sizes()
    return kept


def keep_only(kept: Kept, named: "np.ndarray", item: "np.ndarray", task: "np.ndarray") -> None:
    """Remove what is left of tasks that are not named, and items without a label in those that are.

    Args:
        kept: what densification left; it is changed.
        named: bool [T].
        item: int [N], position of each label's item.
        task: int [N], position of each label's task.
    """
    import numpy as np

    kept.task_reasons[kept.tasks & ~named] = UNNAMED
    kept.cells = kept.cells[named[task[kept.cells]]]
    labels = np.bincount(item[kept.cells], minlength=len(kept.item_reasons))
    kept.item_reasons[kept.items & (labels == 0)] = "no label in densify.tasks"
    kept.note_sizes()


def _remove_items(kept: Kept, item: "np.ndarray", config: DensifyConfig) -> int:
    """Remove items with too few labels; return how many."""
    import numpy as np

    labels = np.bincount(item[kept.cells], minlength=len(kept.item_reasons))
    sparse = kept.items & (labels < config.tau)
    kept.item_reasons[sparse] = _too_few(config.tau, "label")
    kept.cells = kept.cells[~sparse[item[kept.cells]]]
    return int(sparse.sum())


def _remove_tasks(
    kept: Kept,
    task: "np.ndarray",
    active: "np.ndarray",
    config: DensifyConfig,
    binary: "np.ndarray | None",
) -> int:
    """Remove tasks with too few labels or too few of one class; return how many."""
    import numpy as np

    columns = task[kept.cells]
    labels = np.bincount(columns, minlength=len(kept.task_reasons))
    positives = np.bincount(columns[active[kept.cells]], minlength=len(kept.task_reasons))
    before = kept.tasks
    every = np.ones(len(before), bool)
    binary = every if binary is None else binary
    for counts, least, what, which in (
        (labels, config.tau, "label", every),
        (positives, config.min_positives, "positive label", binary),
        (labels - positives, config.min_negatives, "negative label", binary),
    ):
        kept.task_reasons[kept.tasks & which & (counts < least)] = _too_few(least, what)
    removed = before & ~kept.tasks
    kept.cells = kept.cells[~removed[columns]]
    return int(removed.sum())


def _too_few(least: int, what: str) -> str:
    """Return the reason for leaving something out."""
    return f"no {what}" if least == 1 else f"fewer than {least} {what}s"
