"""The supervised loop, which also records what tasks take from each other for some held-out items."""

import logging
from typing import cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from relatask.engine.loops import supervised
from relatask.engine.network import autocast
from relatask.methods.mitten.mitten import Mitten

LOOP = {"balances": True, "imputes": True}
MOST_ROWS = 500_000  # of table `item_dependency` for a run; an item has a row for each pair of tasks
log = logging.getLogger(__name__)
predictor = supervised.predictor


class Training(supervised.Training):
    """The training of one L2T-MITTEN."""

    def saved(self) -> dict[str, pd.DataFrame]:
        """Return the general dependency, and that of the first held-out items, mean over positions.

        Of many tasks fewer items are recorded, so that the rows stay below `MOST_ROWS`.
        """
        model = cast(Mitten, self.model)
        rows = self.problem.rows("test")[: model.recorded_items]
        most = MOST_ROWS // len(model.task_ids) ** 2
        if len(rows) > most:
            log.info(
                "%s: %d of %d items are recorded, each has a row for each pair of tasks.",
                self.problem.title,
                most,
                len(rows),
            )
        rows = rows[:most]
        taken = (
            self._of_items(model, rows)
            if len(rows)
            else model.pairs(torch.zeros(0)).assign(item_id=np.int32())
        )
        return {**model.saved(), "item_dependency": taken}

    def _of_items(self, model: Mitten, rows: Tensor) -> pd.DataFrame:
        model.eval()
        with torch.inference_mode(), autocast(self.problem):
            each = [self._of_pass(model, read) for read in self.problem.data.passes(rows, 1)]
        weights = torch.cat(each)
        items = self.problem.data.item_ids[rows].cpu().numpy().astype(np.int32)
        return model.pairs(weights).assign(item_id=np.repeat(items, len(model.task_ids) ** 2))

    def _of_pass(self, model: Mitten, rows: Tensor) -> Tensor:
        """Return the weights [n, T, T] of one item, the mean over its positions, or of nodes of a graph."""
        weights = model.attention(self.problem.data.x(rows))
        return weights.mean(0, keepdim=True) if len(rows) == 1 else weights
