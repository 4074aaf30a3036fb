"""The supervised loop, which also records what tasks take from each other for some held-out items."""

from collections.abc import Callable
from typing import cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from relatask.engine.checkpoint import Checkpoint
from relatask.engine.epochs import fit
from relatask.engine.loops import supervised
from relatask.engine.network import autocast
from relatask.engine.problem import Problem, Progress, TrainingResult
from relatask.methods.mitten.mitten import Mitten

LOOP = {"balances": True, "imputes": True}
ITEMS = 20  # in memory at a time


def train(problem: Problem, checkpoint: Checkpoint, progress: Progress) -> TrainingResult:
    """Train the problem's network from its checkpoint, if there is one, and score the held-out folds."""
    return fit(Training(problem), checkpoint, progress)


def predictor(problem: Problem, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """Return what gives the scores [n, t] of items at some rows, by a trained network."""
    return supervised.predictor(problem, weights)


class Training(supervised.Training):
    """The training of one L2T-MITTEN."""

    def saved(self) -> dict[str, pd.DataFrame]:
        """Return the general dependency, and that of the first held-out items, mean over positions."""
        model = cast(Mitten, self.model)
        rows = self.problem.rows("test")[: model.recorded_items]
        tables = [self._of_items(model, own) for own in rows.split(ITEMS)] if len(rows) else []
        own = pd.concat(tables) if tables else model.pairs(torch.zeros(0)).assign(item_id=np.int32())
        return {**model.saved(), "item_dependency": own}

    def _of_items(self, model: Mitten, rows: Tensor) -> pd.DataFrame:
        model.eval()
        with torch.inference_mode(), autocast(self.problem):
            weights = model.attention(self.problem.data.x(rows))
            if len(weights) != len(rows):  # items of many positions: the mean of each
                each = (model.attention(self.problem.data.x(row)).mean(0) for row in rows.split(1))
                weights = torch.stack([*each])
        items = self.problem.data.item_ids[rows].cpu().numpy().astype(np.int32)
        return model.pairs(weights).assign(item_id=np.repeat(items, len(model.task_ids) ** 2))
