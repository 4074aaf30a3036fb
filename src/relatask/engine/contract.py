"""What the engine expects of a training loop, in a method's folder or in engine/loops."""

from typing import Any, Protocol

from relatask.engine.checkpoint import Checkpoint
from relatask.engine.problem import Problem, Progress, TrainingResult


class Loop(Protocol):
    """A module with the literal `LOOP = {...}` (its keys: core.registry.LoopRecord) and these functions.

    What else it may have, and says in LOOP:

    * `predictor(problem, weights) -> Callable[[rows], scores [n, t]]`, for a trained model: the problem holds
      the items, their known labels and, as `support`, what the next says;
    * `support(problem) -> tuple[rows]`: training items whose labels each pass of a prediction reads;
    * `cells(problem, fold, result) -> DataFrame` where what is predicted is no cell of the labels' table;
      without it `engine.run.cells` is used;
    * `Training`, an `engine.epochs.EpochTraining`, of loops over epochs. Affinities of tasks (TAG) also need
      its `examples` and `task_losses`.
    """

    LOOP: dict[str, Any]

    def train(self, problem: Problem, checkpoint: Checkpoint, progress: Progress) -> TrainingResult:
        """Train a problem, from its checkpoint if there is one, and score its held-out folds."""
        ...
