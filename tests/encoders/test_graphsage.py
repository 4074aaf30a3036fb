"""GraphSAGE equals its equations."""

import pytest
import torch

from relatask.encoders.graphsage import build
from relatask.inputs.graph_batch import MoleculeGraphs
from tests.oracles.gin_oracle import as_arrays, random_molecules
from tests.oracles.graphsage import graphsage


@pytest.mark.parametrize(("normalise", "aggregation"), [(True, "sum"), (False, "sum"), (True, "mean")])
@pytest.mark.parametrize("sizes", [[7, 1, 12, 3, 1, 9], [1, 1, 1], [40]])
def test_outputs_and_gradients_equal_the_equations(sizes, normalise, aggregation):
    molecules = random_molecules(sizes)
    torch.manual_seed(0)
    model = build(width=12, layers=3, normalise=normalise, aggregation=aggregation)
    double = build(width=12, layers=3, normalise=normalise, aggregation=aggregation).double()
    double.load_state_dict(model.state_dict())
    expected = graphsage(dict(double.named_parameters()), 3, molecules, normalise, aggregation)
    output = model(MoleculeGraphs.from_arrays(**as_arrays(molecules)).batch(torch.arange(len(molecules))))
    torch.testing.assert_close(output, expected.float(), atol=1e-5, rtol=1e-5)
    weights = torch.linspace(-1, 1, output.numel(), dtype=torch.float64).view(output.shape).cos()
    output.mul(weights.float()).sum().backward()
    expected.mul(weights).sum().backward()
    for (name, ours), theirs in zip(model.named_parameters(), double.parameters(), strict=True):
        wanted = torch.zeros_like(ours) if theirs.grad is None else theirs.grad.float()  # None: no bond
        torch.testing.assert_close(ours.grad, wanted, atol=1e-4, rtol=1e-3, msg=name)
