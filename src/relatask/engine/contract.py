"""What the engine expects of a training loop, in a method's folder or in engine/loops."""

from typing import Any, Protocol


class Loop(Protocol):
    """A module with the literal `LOOP = {...}`, whose keys are in core.registry.LoopRecord.

    It trains by one of two:

    * `Training(problem)`, an `engine.epochs.EpochTraining`, of loops over epochs. Affinities of tasks (TAG)
      also need its `examples` and `task_losses`;
    * `train(problem, checkpoint, progress) -> TrainingResult` of any other, which trains a problem, from its
      checkpoint if there is one, and scores its held-out folds.

    What else it may have, and says in LOOP:

    * `predictor(problem, weights) -> Callable[[rows], scores [n, t]]`, for a trained model: the problem holds
      the items, their known labels and, as `support`, what the next says;
    * `support(problem) -> tuple[rows]`: training items whose labels each pass of a prediction reads;
    * `cells(problem, fold, result) -> DataFrame` where what is predicted is no cell of the labels' table;
      without it `engine.run.cells` is used.
    """

    LOOP: dict[str, Any]
