"""What networks start from: seeds of encoders and heads by name, and no two parameters alike."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from relatask.core.registry import capabilities, catalogue
from relatask.data.prepared import PreparedDataset
from relatask.engine.network import Encoders, build_model
from relatask.engine.problem import Problem, problems_of
from relatask.engine.run import inputs_of
from relatask.nn.contract import TaskContext, task_linear
from tests.helpers.level_graphs import on_levels, write_levels
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset

# What is not trained has no network that `build_model` could build.
NETWORKS = [name for name, one in catalogue("methods").items() if one.uses_encoder and one.loop != "frozen"]
ENCODER_OF = {"forecaster": "series_mlp", "prototypes": "resnet"}  # others read fingerprints


def problem_of(folder: Path, method: str = "shared_bottom") -> Problem:
    if capabilities("methods", method).form == "graph_parts":
        levels = PreparedDataset.load(folder / "levels", "random-0", inputs="graph_parts")
        return problems_of(on_levels(method), levels, False)[0]
    encoder = ENCODER_OF.get(method, "fingerprint_mlp")
    spec = make_spec(method, encoder)
    inputs = inputs_of(spec) if encoder == "fingerprint_mlp" else "none"
    data = PreparedDataset.load(folder, "scaffold-0", inputs=inputs)
    return problems_of(spec, data, catalogue("methods")[method].per_task)[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_dataset(tmp_path_factory.mktemp("small"), random_labels(40, 4))
    write_levels(folder / "levels", 10)
    return folder


def drawn(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters that are not constant: those were drawn."""
    for name, value in model.named_parameters():
        if value.numel() > 1 and value.min() < value.max():
            yield name, value.detach()


@pytest.mark.parametrize("method", NETWORKS)
def test_no_two_parameters_of_a_method_start_equal(method: str, folder: Path) -> None:
    found = list(drawn(build_model(problem_of(folder, method))))
    assert len(found) >= 2
    for (first, one), (second, other) in combinations(found, 2):
        if one.shape == other.shape:
            assert not torch.equal(one, other), (first, second)


@pytest.mark.parametrize("method", NETWORKS)
def test_rows_of_tasks_start_differently(method: str, folder: Path) -> None:
    """Of maps to tasks, which are drawn row by row."""
    for name, value in drawn(build_model(problem_of(folder, method))):
        if "head" in name and value.dim() == 2 and len(value) > 1:
            assert len(value.unique(dim=0)) == len(value), name


def test_the_shared_encoder_continues_the_generator_and_others_disturb_nothing(folder: Path) -> None:
    problem = problem_of(folder)
    encoders = Encoders(problem)
    torch.manual_seed(7)
    shared, after = encoders(), torch.rand(3)
    again = Encoders(problem)
    torch.manual_seed(7)
    first = again("task0")
    same, same_after = again(), torch.rand(3)
    assert torch.equal(after, same_after)
    assert all(torch.equal(*pair) for pair in zip(shared.parameters(), same.parameters(), strict=True))
    assert again("task0") is first
    assert again() is same
    weights = [next(encoder.parameters()) for encoder in (same, first, again("task1"))]
    assert not any(torch.equal(one, other) for one, other in combinations(weights, 2))
    torch.manual_seed(99)
    assert torch.equal(next(Encoders(problem)("task0").parameters()), weights[1])


def test_encoders_together_are_those_of_their_names(folder: Path) -> None:
    """Read in one pass, in any order and number, each gives what it gives alone."""
    problem = problem_of(folder)
    x = problem.data.x(problem.rows("train"))
    alone = [Encoders(problem)(name).eval()(x) for name in ("a", "b")]
    together = Encoders(problem).together(["b", "a", "c"]).eval()
    found = together(x)
    assert found.shape == (len(x), 3, together.width)
    assert torch.equal(found[:, 1], alone[0])
    assert torch.equal(found[:, 0], alone[1])
    states = together.states(x, lambda layer, states: states.flip(1))
    assert torch.equal(together.pool(states, x)[:, 1], alone[0])  # the middle one stays where it is
    assert torch.equal(together.pool(states, x)[:, 2], alone[1])


def test_maps_to_tasks_of_other_names_start_from_other_weights() -> None:
    graph = torch.zeros(2, 0, dtype=torch.int64), torch.zeros(0)
    context = TaskContext(["a", "b"], *graph, lambda task, purpose="head": len(purpose) * 1000 + ord(task))
    head, again, gate = (
        task_linear(5, context),
        task_linear(5, context),
        task_linear(5, context, name="gates"),
    )
    assert torch.equal(head.weight, again.weight)
    assert not torch.equal(head.weight, gate.weight)
    alone = TaskContext(["b"], *graph, context.seed_of)
    assert torch.equal(task_linear(5, alone, name="gates").weight[0], gate.weight[1])
