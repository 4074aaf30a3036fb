"""What bf16 may change of a network."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def assert_bf16_stays_near_fp32(network: nn.Module, embeddings: Callable[[], Tensor]) -> None:
    """Compare embeddings, and the gradients of their squares, with and without autocast to bf16."""

    def embeddings_and_gradients() -> tuple[Tensor, list[Tensor]]:
        found = embeddings()
        return found, list(torch.autograd.grad(found.square().sum(), list(network.parameters())))

    fp32, gradients = embeddings_and_gradients()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        bf16, rounded = embeddings_and_gradients()
    assert bf16.dtype == torch.float32
    assert 0 < ((bf16 - fp32).norm() / fp32.norm()).item() < 0.02
    for mine, right in zip(rounded, gradients, strict=True):
        assert mine.dtype == torch.float32
        assert torch.cosine_similarity(mine.flatten(), right.flatten(), 0) > 0.98
