"""Cross-fitting: what a prior says of a training item comes from a network that did not see the item.

The training items of a split are cut into k parts. For each part a run like the prior's is trained without
it, and predicts it; these runs have entries of their own in the journal, and rows with the same prior share
them. Items of other folds, and new ones, are predicted by the prior itself, which never saw them.
"""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from relatask.core.layout import in_study
from relatask.data.prepared import PreparedDataset
from relatask.inputs.fitted import fitted
from relatask.journal.journal_entry import read_record
from relatask.plan.spec import RunSpec


def run_in_journal(run_id: str, study: Path) -> RunSpec:
    """Return a finished run, from its entry in the journal of a study's folder of results.

    Raises:
        RelataskError: it is not there, or damaged.
    """
    return RunSpec.from_json(read_record(study / in_study("runs") / run_id)["spec"])


def runs_without(spec: RunSpec, study: Path) -> list[RunSpec]:
    """Return the runs that predict the training items of a run with a prior, one for each part.

    Args:
        spec: the run; without `cross_fit` there are none.
        study: the study's folder of results, with the prior's run.
    """
    if spec.prior is None or not spec.cross_fit:
        return []
    prior = run_in_journal(spec.prior, study)
    return [replace(prior, left_out={"part": part, "of": spec.cross_fit}) for part in range(spec.cross_fit)]


def rows_of_part(data: PreparedDataset, spec: RunSpec) -> Tensor:
    """Return the positions of the training items that a run leaves out, int64 [n], in rising order."""
    assert spec.left_out is not None
    rows = data.folds["train"]
    generator = torch.Generator().manual_seed(spec.data_seed("cross_fit"))
    order = torch.randperm(len(rows), generator=generator).to(rows.device)
    return rows[order[spec.left_out["part"] :: spec.left_out["of"]]].sort().values


def without_left_out(data: PreparedDataset, spec: RunSpec) -> PreparedDataset:
    """Return the data set as a run sees it: without the training items that it leaves out, if it does.

    An input that learns from training items learns from those that stay.
    """
    if spec.left_out is None:
        return data
    rows = data.folds["train"]
    kept = rows[~torch.isin(rows, rows_of_part(data, spec))]
    return replace(data, folds={**data.folds, "train": kept}, inputs=fitted(data.inputs, kept))
