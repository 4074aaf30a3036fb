"""MetaLink equals its equations; without layers it is the plain network."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from relatask.data.prepared import PreparedDataset
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.run import train_run
from relatask.methods.metalink import knowledge_graph as _knowledge_graph
from relatask.methods.metalink.knowledge_graph import KnownLabels, PairSum
from relatask.methods.metalink.metalink import MetaLink
from relatask.nn.contract import TaskContext
from relatask.plan.spec import RunSpec
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset
from tests.oracles.metalink import metalink

B, T, WIDTH = 5, 4, 6


class Given(nn.Module):
    """An encoder whose output is its input."""

    width = WIDTH

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


CONTEXT = TaskContext(
    [f"task{j}" for j in range(T)], torch.zeros(2, 0), torch.zeros(0), lambda task: int(task[-1])
)


def model_of(layers: int, predictor: str, shared: bool) -> MetaLink:
    torch.manual_seed(0)
    return MetaLink(Given(), CONTEXT, layers, predictor, shared).double()


def known_labels() -> torch.Tensor:
    """Labels with gaps; item 4 and task 3 have none at all."""
    labels = (torch.rand(B, T) < 0.5).double()
    labels[torch.rand(B, T) < 0.4] = torch.nan
    labels[4], labels[:, 3] = torch.nan, torch.nan
    return labels


def gradients(model: nn.Module, output: torch.Tensor) -> dict[str, torch.Tensor]:
    weights = torch.linspace(-1, 1, output.numel()).double().view(output.shape).cos()
    output.mul(weights).sum().backward()
    found = {name: value.grad.clone() for name, value in model.named_parameters() if value.grad is not None}
    model.zero_grad()
    return found


@pytest.mark.parametrize("predictor", ["dot", "mlp"])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("layers", [0, 1, 2, 3])
@pytest.mark.parametrize(("new", "n_query"), [((), 0), ((1, 3), 0), ((1,), 2)])
def test_logits_and_gradients_equal_the_equations(monkeypatch, predictor, shared, layers, new, n_query):
    monkeypatch.setattr(_knowledge_graph, "PAIRS", 2 * T * WIDTH)  # several parts of the pairs
    model, labels = model_of(layers, predictor, shared), known_labels()
    items = torch.randn(B, WIDTH).double()
    edges = {(i, j): float(labels[i, j]) for i, j in torch.nonzero(~labels.isnan()).tolist()}
    parts = KnownLabels.of(labels)
    known = KnownLabels(parts.negative.double(), parts.positive.double(), n_query)
    is_new = torch.tensor([task in new for task in range(T)])
    output = model.relate(items, known, is_new if new else None)
    expected = metalink(dict(model.named_parameters()), items, edges, layers, new, n_query)
    torch.testing.assert_close(output, expected, atol=1e-10, rtol=1e-10)
    ours, theirs = gradients(model, output), gradients(model, expected)
    assert ours.keys() == theirs.keys()
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, theirs[name], atol=1e-10, rtol=1e-8, msg=name)


def test_pairs_are_scored_with_the_derivatives_of_the_sum():
    a, b, v = (torch.randn(*shape).double().requires_grad_() for shape in ((5, 3), (4, 3), (3,)))
    assert torch.autograd.gradcheck(PairSum.apply, (a, b, v))


def test_weights_are_shared_by_the_directions_or_not():
    shared, distinct = model_of(2, "dot", True), model_of(2, "dot", False)
    one_map = WIDTH * WIDTH + WIDTH
    sizes = [sum(value.numel() for value in model.parameters()) for model in (shared, distinct)]
    assert sizes[1] - sizes[0] == 2 * one_map


@pytest.mark.parametrize("encoder", ["fingerprint_mlp", "gin", "graphsage"])
@pytest.mark.parametrize("setting", ["standard", "relational"])
def test_without_layers_it_is_the_plain_network(tmp_path: Path, monkeypatch, encoder, setting):
    monkeypatch.setattr(RunSpec, "random_seed", RunSpec.data_seed)  # the same draws for both methods
    folder = write_dataset(tmp_path / "small", random_labels(60, 3))
    inputs = "ecfp" if encoder == "fingerprint_mlp" else "graph"
    data = PreparedDataset.load(folder, "scaffold-0", inputs=inputs)
    plain = make_spec("shared_bottom", encoder, label="SAME")
    options = {
        **make_spec("metalink").method.options,
        "layers": 0,
        "setting": setting,
        "known_ratio": 0.0,
        "support": 0,
    }
    linked = make_spec("metalink", encoder, label="SAME", options=options)
    results = []
    for spec in (plain, linked):
        checkpoint = Checkpoint(tmp_path / f"{spec.method.name}.pt", "")
        results.append(train_run(spec, data, checkpoint, lambda share, text: None, keep_weights=True))
    first, second = results
    assert first.weights.keys() == second.weights.keys()
    np.testing.assert_allclose(first.predictions["score"], second.predictions["score"], rtol=1e-6)
