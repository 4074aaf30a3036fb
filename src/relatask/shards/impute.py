"""Every cell without a label, filled by trained networks: what known results say of the others."""

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import torch
from torch import Tensor

from relatask.core.registry import load_loop
from relatask.core.tables import schema
from relatask.data.prepared import PreparedDataset
from relatask.engine.unit import units_of
from relatask.plan.spec import RunSpec

ITEMS = 4096  # at a time; of all tasks that is what is in memory beside the data set
Imputer = Callable[[Tensor], Tensor]


def imputer_of(spec: RunSpec, weights: dict[str, Tensor], data: PreparedDataset) -> Imputer:
    """Return what gives the probabilities [n, T] of items at given rows by a finished run.

    Args:
        spec: the run, of one model for all T tasks.
        weights: its weights, as the journal keeps them; empty for methods without any.
        data: the data set with the run's kind of input, under its split.

    Raises:
        RelataskError: the weights do not fit the network that the spec describes.
    """
    (unit,) = units_of(spec, data, per_task=False)
    found: Imputer = load_loop(spec.method).imputer(unit, weights)
    return found


def impute(data: PreparedDataset, imputers: Sequence[Imputer]) -> Iterator[pa.RecordBatch]:
    """Yield rows of table "imputed": each missing cell of `data`, item by item.

    Args:
        data: M items with labels of T tasks.
        imputers: of the runs of one method, one for each seed.
    """
    tasks, wanted = pa.array(data.task_ids, pa.string()), schema("imputed")
    for rows in torch.arange(len(data.labels), device=data.labels.device).split(ITEMS):
        missing = data.labels[rows].isnan()
        scores = torch.stack([imputer(rows) for imputer in imputers])
        row, column = missing.nonzero(as_tuple=True)
        spread = scores.std(0, correction=0) if len(imputers) > 1 else torch.full_like(scores[0], torch.nan)
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
