"""Task embeddings that are trained to tell related tasks from others, before the network is.

The paper says nothing of it; the authors' code does so by default, for 100 epochs with 5 negatives for each
edge, drawn by degree to the power of 0.75 as in word2vec (Mikolov et al., 2013). The loss of skip-grams is

    - log σ(z_i · z_j) - Σ_k log σ(-z_i · z_k),

for each direction (i, j) of a related pair, with negatives k that are drawn anew in every epoch.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from relatask.engine.adam import Adam

NEGATIVES = 5
POWER = 0.75
LEARNING_RATE = 0.01


def link_loss(embedding: Tensor, owner: Tensor, other: Tensor, negatives: Tensor) -> Tensor:
    """Return the mean over directions of the loss of skip-grams with negatives, a scalar.

    Args:
        embedding: z [T, d].
        owner: i of each direction of a related pair, int64 [D].
        other: j, int64 [D].
        negatives: tasks k, int64 [D, n].
    """
    from_task = embedding[owner]
    related = (from_task * embedding[other]).sum(1)
    drawn = torch.einsum("dw,dnw->dn", from_task, embedding[negatives])
    return (F.softplus(-related) + F.softplus(drawn).sum(1)).mean()


@torch.enable_grad()
def pretrained(embedding: Tensor, owner: Tensor, other: Tensor, epochs: int, seed: int) -> Tensor:
    """Return embeddings [T, d] after some epochs; a task without relations keeps its own.

    Args:
        embedding: at the start, [T, d].
        owner: as of `link_loss`.
        other: as of `link_loss`.
        epochs: steps of Adam on all directions.
        seed: of the negatives, whose draws disturb no others.
    """
    trained = embedding.detach().clone().requires_grad_()
    if not len(owner):
        return trained.detach()
    generator = torch.Generator().manual_seed(seed)
    share = torch.bincount(owner, minlength=len(embedding)).double() ** POWER
    optimiser = Adam([trained], LEARNING_RATE, 0.0)
    for _ in range(epochs):
        drawn = torch.multinomial(share, len(owner) * NEGATIVES, replacement=True, generator=generator)
        optimiser.clear()
        link_loss(trained, owner, other, drawn.view(-1, NEGATIVES)).backward()
        optimiser.step()
    return trained.detach()
