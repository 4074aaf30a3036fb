"""A network of nodes reads its graph once per step and once per evaluation, whatever the number of nodes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from relatask.data.prepared import PreparedDataset
from relatask.engine import networks
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.loops import supervised
from relatask.engine.networks import Networks
from relatask.engine.problem import Problem, problems_of
from relatask.inputs.node_batch import NodeBatch
from relatask.nn.contract import MultiTaskModel
from relatask.nn.kinds import KindOutputs, TaskKinds
from tests.helpers.node_graphs import write_nodes
from tests.helpers.prepared_dataset import make_spec, write_dataset

N_NODES = 1400  # of which validation and test have more than a pass of molecules holds


class MeanOfNeighbours(MultiTaskModel):
    """A logit for each task from a node's number and the mean of its neighbours'; it counts its passes."""

    def __init__(self, n_tasks: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(N_NODES, 8)
        self.heads = nn.Linear(16, n_tasks)
        self.outputs = KindOutputs(TaskKinds.binary(n_tasks))
        self.passes: list[int] = []

    def forward(self, x: NodeBatch) -> Tensor:
        self.passes.append(len(x))
        node = torch.repeat_interleave(x.graph.degrees)
        own = self.embedding.weight
        total = torch.zeros_like(own).index_add(0, node, own[x.graph.neighbours])
        mean = total / x.graph.degrees.clamp(min=1)[:, None]
        logits: Tensor = self.heads(torch.cat([own, mean], 1)[x.rows])
        return logits

    def losses(self, outputs: Tensor, labels: Tensor) -> Tensor:
        return self.outputs.losses(outputs, labels)


@pytest.fixture
def problem(tmp_path: Path) -> Problem:
    write_nodes(tmp_path / "nodes", N_NODES, fractions=(0.2, 0.4, 0.4))
    data = PreparedDataset.load(tmp_path / "nodes", "random-0", inputs="node_graph")
    spec = make_spec(split="random", training={"epochs": 3, "batch_size": 200})
    return problems_of(spec, data, per_task=False)[0]


def test_a_run_passes_once_per_step_once_per_validation_and_once_per_fold(problem, monkeypatch, tmp_path):
    model = MeanOfNeighbours(3)
    monkeypatch.setattr(networks, "build_model", lambda problem: model)
    checkpoint = Checkpoint(tmp_path / "none.pt", "")
    supervised.Training(problem).fit(checkpoint, lambda share, text: None)
    assert model.passes == [200, 80, 560] * 3 + [560, 560]
    assert supervised.PREDICTION_BATCH < 560


def test_all_nodes_are_one_pass_and_score_as_each_alone(problem):
    model = MeanOfNeighbours(3)
    rows = torch.randperm(N_NODES, generator=torch.Generator().manual_seed(0))
    (together,) = supervised.predict_all(Networks([model]), [problem], rows)
    assert model.passes == [N_NODES]
    (none,) = supervised.predict_all(Networks([model]), [problem], rows[:0])
    assert none.shape == (0, 3)
    assert model.passes == [N_NODES]
    (alone,) = supervised.predict_all(Networks([model]), [problem], rows[5:6])
    torch.testing.assert_close(together[5:6], alone)


def test_items_that_do_not_read_each_other_are_passed_in_parts(tmp_path):
    write_dataset(tmp_path, np.ones((7, 1), np.float32))
    data = PreparedDataset.load(tmp_path, "scaffold-0", inputs="ecfp")
    rows = torch.arange(7)
    assert [len(part) for part in data.passes(rows, 3)] == [3, 3, 1]
    assert data.passes(rows[:0], 3) == ()
