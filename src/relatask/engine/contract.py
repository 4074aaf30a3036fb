"""What the engine expects of a training loop, in a method's folder or in engine/loops."""

from typing import Any, Protocol

from relatask.engine.checkpoint import Checkpoint
from relatask.engine.unit import Progress, Unit, UnitResult


class Loop(Protocol):
    """A module with the literal `LOOP = {...}` (its keys: core.registry.LoopRecord) and these functions.

    What else it may have, and says in LOOP:

    * `imputer(unit, weights) -> Callable[[rows], scores [n, t]]` where LOOP has `imputes`;
    * `cells(unit, fold, result) -> DataFrame` where what is predicted is no cell of the labels' table;
      without it `engine.run.cells` is used;
    * `Training`, an `engine.epochs.EpochTraining`, of loops over epochs. Affinities of tasks (TAG) also need
      its `examples` and `task_losses`.
    """

    LOOP: dict[str, Any]

    def train(self, unit: Unit, checkpoint: Checkpoint, progress: Progress) -> UnitResult:
        """Train a unit, from its checkpoint if there is one, and score its held-out folds."""
        ...
