"""What two trainings are compared by: what was learned, what was chosen, what is predicted."""

import pandas as pd

from relatask.engine.checkpoint import tensor_bytes
from relatask.engine.run import RunResult


def learned(result: RunResult) -> tuple[bytes, bytes]:
    """Weights and the course of losses and validations, every bit of them."""
    course = result.history[["epoch", "train_loss", "valid_metric"]]
    return tensor_bytes(result.weights), course.to_numpy(float).tobytes()


def scores(result: RunResult, fold: str) -> pd.Series:
    """Scores of a fold by item and task."""
    cells = result.predictions.query("fold == @fold")
    return cells.set_index(["item_id", "task_id"])["score"]


def without_seconds(history: list[dict]) -> list[dict[str, str]]:
    return [{k: repr(v) for k, v in row.items() if "second" not in k} for row in history]


class Killed(BaseException):
    """Stands for a kill signal."""
