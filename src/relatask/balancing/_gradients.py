"""Gradients of each task's loss with respect to what the trunk gives, without a backward pass per task.

The trunk is what all tasks share (`MultiTaskModel.trunk`), of most methods the encoder. A network whose
logits are ``heads(trunk(x))`` with one linear map says so by ``linear_heads = True``. As a task's loss
depends on its own logits alone, all dL_i/dlogit_bi come from one backward pass that ends at the logits, and
dL_i/dz_b = (dL_i/dlogit_bi) v_i with v_i the task's row of the map: 2 B w T operations for all
norms, 29 million at B = 128, w = 300, T = 382, of a step's 35 billion. Other networks take a backward pass
from each task to the trunk's output.
"""

import torch
from torch import Tensor, nn

from relatask.balancing._balancing import Step


def head_weights(model: nn.Module) -> Tensor | None:
    """Return the rows v_i [T, w] of the linear map from trunk to logits, None where there is none."""
    if not getattr(model, "linear_heads", False):
        return None
    heads = model.heads
    assert isinstance(heads, nn.Linear)
    return heads.weight.detach()


def logit_gradients(step: Step) -> Tensor:
    """Return dL_i/dlogit_bi [B, T]; the graph stays."""
    return torch.autograd.grad(step.losses.sum(), step.logits, retain_graph=True)[0]


def representation_gradients(step: Step, tasks: Tensor) -> Tensor:
    """Return dL_i/dz [n, B, .., w] of the n `tasks` (int64 positions); the graph stays."""
    assert step.representation is not None
    weights = head_weights(step.model)
    if weights is not None:
        gradients = torch.einsum("bi,iw->ibw", logit_gradients(step)[:, tasks], weights[tasks])
        return gradients.to(step.representation.dtype)
    return torch.stack([_one_gradient(step, task) for task in tasks.tolist()])


def shared_norms(step: Step) -> Tensor:
    """Return the norms [T] of dL_i/dW for a square W that ends the trunk, z_b = W z'_b, at W = identity.

    So every trunk has a last shared layer of weights, also one that ends in a batch norm or has none.
    dL_i/dW = sum_b (dL_i/dz_b) z_b', the outer product of v_i and Z' (dL_i/dlogit_i) for linear heads.
    """
    assert step.representation is not None
    z = step.representation.detach().flatten(0, -2)
    weights = head_weights(step.model)
    if weights is not None:
        return weights.norm(dim=1) * readout_norms(step)
    norms = torch.zeros_like(step.losses.detach())
    for task in step.present.nonzero().flatten().tolist():
        norms[task] = (_one_gradient(step, task).flatten(0, -2).T @ z).norm()
    return norms


def readout_norms(step: Step) -> Tensor:
    """Return the norms [T] of dL_i/dv_i, the gradient of each task's own row of the linear heads."""
    assert step.representation is not None
    gradients = logit_gradients(step)
    return (step.representation.detach().to(gradients.dtype).T @ gradients).norm(dim=0)


def _one_gradient(step: Step, task: int) -> Tensor:
    assert step.representation is not None
    return torch.autograd.grad(step.losses[task], step.representation, retain_graph=True)[0]
