"""What L2T-MITTEN saves: the general dependency, and what tasks take from each other for held-out items."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from relatask.core.registry import capabilities
from relatask.data.prepared import PreparedDataset
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.network import trained_model
from relatask.engine.problem import Problem, TrainingResult, problems_of
from relatask.methods.mitten import recorded
from relatask.methods.mitten.mitten import Mitten
from tests.helpers.node_graphs import write_nodes
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset

T = 3
ENCODERS = {"gcn": {"width": 8, "layers": 1, "steps": 1}, "node_gcn": {"width": 8, "layers": 1}}


def trained(folder: Path, encoder: str, items: int) -> tuple[Problem, TrainingResult]:
    """A MITTEN that drops states in training, and whose second task starts by taking much from its first."""
    if encoder == "gcn":
        data = PreparedDataset.load(write_dataset(folder, random_labels(30, T)), "scaffold-0", inputs="graph")
    else:
        write_nodes(folder, 40, T)
        data = PreparedDataset.load(folder, "random-0", inputs="node_graph")
    options = {**capabilities("methods", "mitten").options, "recorded_items": items}
    defaults = capabilities("encoders", encoder).options
    spec = make_spec(
        "mitten",
        encoder,
        options=options,
        encoder_options={**defaults, **ENCODERS[encoder], "dropout": 0.5},
        training={"epochs": 1},
    )
    (problem,) = problems_of(spec, data, per_task=False)
    training = recorded.Training(problem)
    with torch.no_grad():
        training.model.transfer.dependency[0, 1] = 3.0
    return problem, training.fit(Checkpoint(folder / "none.pt", ""), lambda share, text: None)


def grid(rows: pd.DataFrame, tasks: list[str]) -> np.ndarray:
    """Weights [source, target] of a table's rows."""
    named = rows.astype({"source": str, "target": str})
    wide = named.pivot(index="source", columns="target", values="weight")
    return wide.loc[tasks, tasks].to_numpy(float)


def model_of(problem: Problem, result: TrainingResult) -> Mitten:
    assert result.weights is not None
    model = trained_model(problem, result.weights).eval()
    assert isinstance(model, Mitten)
    return model


@pytest.mark.parametrize("encoder", list(ENCODERS))
def test_attention_of_an_item_is_the_mean_over_its_positions_without_dropout(
    encoder: str, tmp_path: Path
) -> None:
    problem, result = trained(tmp_path, encoder, items=4)
    model, table, tasks = model_of(problem, result), result.saved["item_dependency"], problem.data.task_ids
    rows = problem.rows("test")[:4]
    assert [*table["item_id"].unique()] == problem.data.item_ids[rows].tolist()
    found: list[Tensor] = []
    for row in rows.split(1):
        with torch.no_grad():
            attention = model.attention(problem.data.x(row))
        assert (len(attention) > 1) == (encoder == "gcn")  # atoms; a node is one position
        found.append(attention.mean(0))
        own = table[table["item_id"] == int(problem.data.item_ids[row])]
        np.testing.assert_allclose(grid(own, tasks), found[-1], atol=1e-6)
    assert (found[0] - found[1]).abs().max() > 1e-3, "items are alike: the test shows nothing"
    assert (found[0] - found[0].T).abs().max() > 1e-2, "it does not tell source from target"


def test_the_general_dependency_names_source_and_target(tmp_path: Path) -> None:
    problem, result = trained(tmp_path, "gcn", items=0)
    assert result.weights is not None
    learned = result.weights["transfer.dependency"].double()
    tasks = problem.data.task_ids
    found = grid(result.saved["dependency"], tasks)
    for source in range(T):
        for target in range(T):
            powers = [float(learned[one, target].exp()) for one in range(T)]
            assert found[source, target] == pytest.approx(powers[source] / sum(powers), rel=1e-5)
    assert found[0, 1] > 0.8
    assert found[1, 0] < 0.5
    assert result.saved["item_dependency"].empty


def test_one_held_out_node_is_recorded_as_all_are(tmp_path: Path) -> None:
    problem, result = trained(tmp_path, "node_gcn", items=1)
    with torch.no_grad():
        every = model_of(problem, result).attention(problem.data.x(problem.rows("test")))
    np.testing.assert_allclose(
        grid(result.saved["item_dependency"], problem.data.task_ids), every[0], atol=1e-6
    )


def test_of_many_tasks_fewer_items_are_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recorded, "MOST_ROWS", 3 * T**2 - 1)
    with caplog.at_level("INFO"):
        _, result = trained(tmp_path, "gcn", items=4)
    assert result.saved["item_dependency"]["item_id"].nunique() == 2
    assert "2 of 4 items are recorded" in caplog.text
