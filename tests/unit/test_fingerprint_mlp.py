"""The fingerprint MLP equals the layers it is made of."""

import torch
import torch.nn.functional as F

from relatask.encoders.fingerprint_mlp import FingerprintMLP, build
from relatask.registry import capabilities


def bits(n: int = 16, seed: int = 0) -> torch.Tensor:
    return (torch.rand(n, 2048, generator=torch.Generator().manual_seed(seed)) < 0.025).float()


def encoder(dropout: float = 0.0, seed: int = 0) -> FingerprintMLP:
    torch.manual_seed(seed)
    return build(width=24, layers=2, dropout=dropout)


def test_outputs_and_gradients_equal_dense_layers():
    model, x = encoder(), bits()
    first, second = model.layers
    y = torch.relu(F.linear(torch.relu(F.linear(x, first.weight, first.bias)), second.weight, second.bias))
    torch.testing.assert_close(model(x), y, atol=1e-5, rtol=1e-5)
    weights = torch.arange(y.numel()).view(y.shape).cos()
    for mine, other in zip(
        torch.autograd.grad((model(x) * weights).sum(), list(model.parameters())),
        torch.autograd.grad((y * weights).sum(), list(model.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=1e-5)


def test_dropout_acts_in_training_only():
    model, x = encoder(dropout=0.5), bits(200)
    trained = model(x)
    model.eval()
    evaluated = model(x)
    positive = evaluated > 0
    torch.testing.assert_close(model(x), evaluated)
    assert 0.45 < (trained[positive] == 0).float().mean() < 0.75


def test_a_molecule_without_bits_has_an_embedding():
    model = encoder().eval()
    assert model(torch.zeros(2, 2048)).isfinite().all()
    assert model(torch.zeros(2, 2048)).abs().sum() > 0


def test_the_same_seed_gives_the_same_bytes():
    def trained() -> list[torch.Tensor]:
        model = encoder(dropout=0.2, seed=5)
        optimiser = torch.optim.Adam(model.parameters(), 1e-2)
        for _ in range(3):
            optimiser.zero_grad()
            model(bits()).square().mean().backward()
            optimiser.step()
        return list(model.state_dict().values())

    assert all(torch.equal(one, two) for one, two in zip(trained(), trained(), strict=True))


def test_options_default_to_the_documented_ones():
    assert capabilities("encoders", "fingerprint_mlp").options == {"width": 512, "layers": 2, "dropout": 0.2}
    assert build().width == 512
