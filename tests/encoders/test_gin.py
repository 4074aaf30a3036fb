"""The GIN equals its equations, an independent implementation, and itself."""

import pytest
import torch

from relatask.core.registry import capabilities
from relatask.encoders.gin import GIN, build
from relatask.inputs.graph_batch import GraphBatch, MoleculeGraphs
from relatask.nn import gin_layer as _gin_layer
from relatask.nn import kernels as _kernels
from tests.oracles.gin_oracle import Molecule, as_arrays, gin, random_molecules

SIZES = [7, 1, 12, 3, 1, 9]
WIDTH, LAYERS = 12, 3


def encoder(dropout: float = 0.0, seed: int = 0) -> GIN:
    torch.manual_seed(seed)
    return build(width=WIDTH, layers=LAYERS, dropout=dropout)


def batch(molecules: list[Molecule]) -> GraphBatch:
    return MoleculeGraphs.from_arrays(**as_arrays(molecules)).batch(torch.arange(len(molecules)))


def gradients(model: torch.nn.Module, output: torch.Tensor) -> dict[str, torch.Tensor]:
    weights = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).view(output.shape).cos()
    names, values = zip(*model.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad((weights * output).sum() / len(output), values), strict=True))


@pytest.mark.parametrize("sizes", [SIZES, [1, 1, 1], [2], [40]])
def test_outputs_and_gradients_equal_the_equations(sizes):
    molecules, model = random_molecules(sizes), encoder()
    double = encoder().double()
    expected = gin(dict(double.named_parameters()), LAYERS, molecules)
    output = model(batch(molecules))
    torch.testing.assert_close(output, expected.float(), atol=1e-5, rtol=1e-5)
    wanted = gradients(double, expected)
    for name, gradient in gradients(model, output).items():
        torch.testing.assert_close(gradient, wanted[name].float(), atol=1e-5, rtol=1e-4, msg=name)


def test_outputs_and_gradients_equal_torch_geometric():
    from torch_geometric.nn import MessagePassing, global_mean_pool
    from torch_geometric.utils import add_self_loops

    class Convolution(MessagePassing):
        def __init__(self, layer):
            super().__init__(aggr="add")
            self.layer, self.norm = layer, torch.nn.BatchNorm1d(WIDTH)
            self.mlp = torch.nn.Sequential(layer.up, torch.nn.ReLU(), layer.down)

        def forward(self, x, edge_index, bonds):
            edge_index, bonds = add_self_loops(edge_index, bonds, torch.tensor([4, 0]), len(x))
            embedded = self.layer.bonds[bonds[:, 0]] + self.layer.bonds[6 + bonds[:, 1]]
            return self.norm(self.mlp(self.propagate(edge_index, x=x, e=embedded)))

        def message(self, x_j, e):
            return x_j + e

    molecules, model = random_molecules(SIZES, seed=3), encoder(seed=1)
    arrays = {name: torch.from_numpy(array).long() for name, array in as_arrays(molecules).items()}
    owner = torch.repeat_interleave(arrays["atom_offsets"].diff())
    start = torch.repeat_interleave(arrays["atom_offsets"][:-1], arrays["bond_offsets"].diff())
    edges = (arrays["bond_index"] + start[:, None]).t()
    z = model.atoms[arrays["atoms"][:, 0]] + model.atoms[120 + arrays["atoms"][:, 1]]
    for k, layer in enumerate(model.layers):
        z = Convolution(layer)(z, edges, arrays["bonds"])
        z = torch.relu(z) if k < LAYERS - 1 else z
    theirs = global_mean_pool(z, owner)
    ours = model(batch(molecules))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    z_weights = torch.arange(ours.numel()).view(ours.shape).cos()
    shared = [p for name, p in model.named_parameters() if "norm" not in name]
    for mine, other in zip(
        torch.autograd.grad((ours * z_weights).sum() / 10, shared),
        torch.autograd.grad((theirs * z_weights).sum() / 10, shared),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=1e-4)


def test_running_statistics_are_those_of_torchs_batch_norm():
    states = torch.randn(50, WIDTH) * 3 + 1
    reference, layer = torch.nn.BatchNorm1d(WIDTH), encoder().layers[0]
    for _ in range(3):
        expected = reference(states)
        given = (layer.norm_weight, layer.norm_bias, layer.running_mean, layer.running_var)
        torch.testing.assert_close(
            _gin_layer.NormDropout.apply(states, 50, *given, True, False, 0.0), expected
        )
    torch.testing.assert_close(layer.running_mean, reference.running_mean)
    torch.testing.assert_close(layer.running_var, reference.running_var)


def test_in_evaluation_a_molecule_does_not_depend_on_its_batch():
    molecules, model = random_molecules(SIZES), encoder(dropout=0.5)
    model(batch(molecules))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.eval()
    together = model(batch(molecules))
    for position, molecule in enumerate(molecules):
        torch.testing.assert_close(model(batch([molecule]))[0], together[position], atol=1e-6, rtol=1e-5)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_batch_of_one_atom_leaves_running_statistics_finite():
    model = encoder()
    assert model(batch(random_molecules([1]))).isfinite().all()
    assert all(value.isfinite().all() for value in model.state_dict().values())


@pytest.mark.parametrize("relu", [True, False])
def test_dropout_keeps_the_rate_the_mean_and_its_gradient(relu):
    torch.manual_seed(0)
    x = torch.randn(4000, 50, requires_grad=True)
    weight, bias = torch.ones(50), torch.full((50,), 4.0)
    running = (torch.zeros(50), torch.ones(50))
    y = _gin_layer.NormDropout.apply(x, 4000, weight, bias, *running, True, relu, 0.2)
    dropped = y == 0
    assert dropped.float().mean().item() == pytest.approx(0.2, abs=0.005)
    assert y.mean().item() == pytest.approx(4.0, abs=0.02)
    plain = torch.nn.functional.batch_norm(x, None, None, weight, bias, True)
    plain = (torch.relu(plain) if relu else plain) * ~dropped / 0.8
    torch.testing.assert_close(y, plain, atol=1e-4, rtol=1e-4)
    upstream = torch.randn_like(y)
    mine, other = (torch.autograd.grad((out * upstream).sum(), x)[0] for out in (y, plain))
    torch.testing.assert_close(mine, other, atol=1e-4, rtol=1e-3)


def test_the_same_seed_gives_the_same_bytes():
    def trained() -> list[torch.Tensor]:
        model = encoder(dropout=0.2, seed=5)
        optimiser = torch.optim.Adam(model.parameters(), 1e-2)
        for _ in range(3):
            optimiser.zero_grad()
            model(batch(random_molecules(SIZES))).square().mean().backward()
            optimiser.step()
        return list(model.state_dict().values())

    assert all(torch.equal(one, two) for one, two in zip(trained(), trained(), strict=True))
    other = encoder(seed=6).state_dict().values()
    assert not all(torch.equal(one, two) for one, two in zip(trained(), other, strict=True))


def test_bf16_autocast_stays_near_fp32_and_returns_fp32():
    molecules, model = random_molecules([20] * 30), encoder()
    fp32 = model(batch(molecules))
    with torch.autocast("cpu", torch.bfloat16):
        bf16 = model(batch(molecules))
    assert bf16.dtype == torch.float32
    difference = (bf16 - fp32).norm() / fp32.norm()
    assert 0 < difference.item() < 0.02
    reference, rounded = gradients(model, fp32), gradients(model, bf16)
    assert all(gradient.dtype == torch.float32 for gradient in rounded.values())
    for name, gradient in rounded.items():
        assert torch.nn.functional.cosine_similarity(gradient.flatten(), reference[name].flatten(), 0) > 0.98


def test_the_kernel_of_onednn_changes_nothing(monkeypatch):
    molecules, model = random_molecules(SIZES), encoder()
    fast = model(batch(molecules))
    monkeypatch.setattr(_kernels, "_ONEDNN", False)
    torch.testing.assert_close(model(batch(molecules)), fast, atol=1e-6, rtol=1e-5)


def test_by_default_it_has_the_parameters_of_the_paper_and_embeddings_start_xavier_uniform():
    model = build(**capabilities("encoders", "gin").options)
    width, layers = 300, 5  # SGNN-EBM, appendix B
    of_layer = (6 + 3) * width  # types and directions of bonds
    of_layer += width * 2 * width + 2 * width + 2 * width * width  # MLP, the second map without a bias
    of_layer += 2 * width  # batch norm
    expected = (120 + 4) * width + layers * of_layer  # atomic numbers and chiralities
    assert sum(parameter.numel() for parameter in model.parameters()) == expected
    assert model.dropout == 0.2
    for table, start, stop in [(model.atoms, 0, 120), (model.atoms, 120, 124), (model.layers[2].bonds, 0, 6)]:
        bound = (6 / (stop - start + 300)) ** 0.5
        assert 0.97 * bound < table[start:stop].abs().max() <= bound
