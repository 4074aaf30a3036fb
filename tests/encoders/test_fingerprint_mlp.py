"""The fingerprint MLP equals the layers it is made of."""

import pytest
import torch
import torch.nn.functional as F

from relatask.core.errors import RelataskError
from relatask.core.registry import capabilities
from relatask.encoders.fingerprint_mlp import FingerprintMLP, ReLUDropout, build


def bits(n: int = 16, seed: int = 0) -> torch.Tensor:
    return (torch.rand(n, 2048, generator=torch.Generator().manual_seed(seed)) < 0.025).float()


def encoder(dropout: float = 0.0, seed: int = 0) -> FingerprintMLP:
    torch.manual_seed(seed)
    return build(width=24, layers=2, dropout=dropout)


def test_outputs_and_gradients_equal_dense_layers():
    model, x = encoder(), bits()
    (second,) = model.layers
    y = torch.relu(second(torch.relu(F.linear(x, model.weight.t(), model.bias))))
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
    assert 0.45 < (model(x) == 0).float().mean() - (model.eval()(x) == 0).float().mean() / 2 < 0.55
    torch.testing.assert_close(model(x), model(x), atol=0, rtol=0)


def test_relu_and_dropout_scale_what_they_keep_and_its_gradient():
    torch.manual_seed(0)
    x = torch.randn(500, 40, requires_grad=True)
    y = ReLUDropout.apply(x, 0.25)
    kept = y > 0
    assert (kept.sum() / (x > 0).sum()).item() == pytest.approx(0.75, abs=0.01)
    torch.testing.assert_close(y[kept], x[kept] / 0.75)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(gradient, kept / 0.75)


@pytest.mark.parametrize("dropout", [1.0, -0.1])
def test_an_impossible_dropout_is_refused(dropout):
    with pytest.raises(RelataskError, match="at least 0 and below 1"):
        encoder(dropout)(bits())


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


def test_bf16_autocast_stays_near_fp32_and_returns_fp32():
    model, x = encoder(), bits()
    fp32 = model(x)
    with torch.autocast("cpu", torch.bfloat16):
        bf16 = model(x)
    assert bf16.dtype == torch.float32
    assert 0 < ((bf16 - fp32).norm() / fp32.norm()).item() < 0.02
    bf16.sum().backward()
    assert all(p.grad.dtype == torch.float32 for p in model.parameters())
