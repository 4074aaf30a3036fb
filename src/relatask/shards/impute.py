"""Every cell without a label, filled by trained networks: what known results say of the others."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import torch

from relatask.core.tables import schema
from relatask.data.prepared import PreparedDataset
from relatask.models.trained_model import Predictor

ITEMS = 4096  # at a time; of all tasks that is what is in memory beside the data set


def impute(data: PreparedDataset, models: Sequence[Predictor]) -> Iterator[pa.RecordBatch]:
    """Yield rows of table "imputed": each missing cell of `data`, item by item.

    Args:
        data: M items with labels of T tasks.
        models: of one method, one for each seed.
    """
    tasks, wanted = pa.array(data.task_ids, pa.string()), schema("imputed")
    for rows in torch.arange(len(data.labels), device=data.labels.device).split(ITEMS):
        missing = data.labels[rows].isnan()
        scores = torch.stack([model(rows) for model in models])
        row, column = missing.nonzero(as_tuple=True)
        spread = scores.std(0) if len(models) > 1 else torch.full_like(scores[0], torch.nan)
        cells = {
            "item_id": data.item_ids[rows[row]],
            "score": scores.mean(0)[row, column],
            "spread": spread[row, column],  # NaN, hence null: one seed says nothing about it
            "n_known": (~missing).sum(1)[row],
        }
        arrays = {name: pa.array(value.cpu().numpy(), from_pandas=True) for name, value in cells.items()}
        codes = pa.array(column.to(torch.int32).cpu().numpy())
        arrays["task_id"] = pa.DictionaryArray.from_arrays(codes, tasks)
        yield pa.RecordBatch.from_arrays([arrays[name] for name in wanted.names], wanted.names)
