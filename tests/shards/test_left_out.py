"""Cross-fitting: no training item's prior comes from a network that saw the item."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from relatask.shards.left_out import rows_of_part, runs_without, without_left_out
from relatask.shards.shard import Shard, ShardData
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset

PRIOR = make_spec("shared_bottom")
SPEC = make_spec("sgnn_ebm", prior=PRIOR.run_id, cross_fit=3, training={"epochs": 1})


def trained(folder: Path, labels: np.ndarray) -> Shard:
    """The shard that trained the prior, and then the row that starts from it."""
    write_dataset(folder / "small", labels)
    shard = Shard("00000", folder / "study", ShardData(folder / "small", torch.device("cpu")), "all")
    shard.train([PRIOR])
    shard.train([SPEC])
    return shard


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Shard:
    return trained(tmp_path_factory.mktemp("before"), random_labels(60, 3))


def test_parts_are_all_training_items_once_and_a_run_sees_the_others(shard):
    data = shard.data.get("scaffold-0", "ecfp")
    runs = runs_without(SPEC, shard.journal.folder)
    parts = [rows_of_part(data, run) for run in runs]
    assert torch.equal(torch.cat(parts).sort().values, data.folds["train"])
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    for run, part in zip(runs, parts, strict=True):
        seen = without_left_out(data, run).folds
        assert torch.equal(torch.cat([seen["train"], part]).sort().values, data.folds["train"])
        assert torch.equal(seen["valid"], data.folds["valid"])
        assert replace(run, left_out=None).run_id == PRIOR.run_id
        assert run.random_seed("initialisation") == PRIOR.random_seed("initialisation")
        assert shard.journal.holds(run, shard._digests(run))
    assert runs_without(replace(SPEC, cross_fit=0), shard.journal.folder) == []


def test_no_training_items_prior_depends_on_its_own_labels(shard, tmp_path):
    """Turn all labels of one part around: what its networks say of it stays, what the prior says moves."""
    run = runs_without(SPEC, shard.journal.folder)[1]
    data = shard.data.get("scaffold-0", "ecfp")
    part = rows_of_part(data, run)
    labels = random_labels(60, 3)
    labels[part] = 1 - labels[part]
    other = trained(tmp_path, labels)
    before, after = (one._prior_scores(SPEC) for one in (shard, other))
    assert torch.equal(before[part], after[part])
    rest = data.folds["train"][~torch.isin(data.folds["train"], part)]
    assert (before[rest] != after[rest]).any(1).all()
    seen = [one._prior_scores(replace(SPEC, cross_fit=0)) for one in (shard, other)]
    assert (seen[0][part] != seen[1][part]).any(1).all()
    held_out = torch.cat([data.folds["valid"], data.folds["test"]])
    assert torch.equal(before[held_out], seen[0][held_out])
