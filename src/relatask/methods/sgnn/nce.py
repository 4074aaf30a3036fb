"""Noise-contrastive training of the energy (SGNN-EBM, section 5.4.1, eqs. 12, 13 and 21).

With G(y) = log p(y|x) - log p_n(y|x), eq. 12 is E_noise[log σ(-G)] + E_data[log σ(G)], to be made large. The
model p is the tilted q exp(-E) with Z = 1, so G = log q - E - log p_n; where the noise is the backbone, G is
exactly -E: that is eq. 13, the objective ``paper``. Others, of which docs/sgnn_ebm_objective.md says more:

* ``untilted``: p is exp(-E), without q, as the authors' code has it;
* ``pseudo_likelihood``: E of the data alone. Factors of eq. 11 are logarithms of probabilities, so that is
  the sum of the cross entropies of nodes and, times λ, of edges: what ``paper`` amounts to;
* ``nce_log_z``: p is q exp(-E) / Z, and log Z is a number that is learned (section 5.4.1);
* ``nce_unnormalised``: p is q exp(-E), and factors are any numbers, without the log-softmax of eq. 11.

Missing labels of an example are filled in from the backbone (section 5.4.1). The adaptive noise starts as
the backbone and is replaced, or mixed, every few epochs by the marginals of the latest model; its labels are
independent, so that its density is known, where the paper leaves open what replaces it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from relatask.methods.sgnn.contrast import ContrastSettings
from relatask.methods.sgnn.energy import edge_weights, energies, inside, log_bernoulli
from relatask.nn.draws import uniforms

NOISE, IMPUTATION = 0, 1  # numbers of two independent sets of draws


def nce_loss(data: Tensor, noise: Tensor) -> Tensor:
    """Return minus eq. 12 for each item, [B], its expectations estimated by means over K label vectors.

    Args:
        data: G of completed labels, [B, K].
        noise: G of noise, [B, K].
    """
    return F.softplus(-data).mean(1) + F.softplus(noise).mean(1)


def bernoulli(probability: Tensor, draws: Tensor) -> Tensor:
    """Return labels [B, K, T] of independent tasks with `probability` [B, T] of 1, from uniform `draws`."""
    return (draws < probability[:, None]).to(probability.dtype)


def completed(
    labels: Tensor, backbone: Tensor, noise: Tensor, draws: Tensor, settings: ContrastSettings
) -> Tensor:
    """Return K copies [B, K, T] of `labels` [B, T], NaN where missing, with missing ones filled in.

    Args:
        labels: 0, 1 or NaN.
        backbone: q(y_i = 1 | x) [B, T].
        noise: p_n(y_i = 1 | x) [B, T].
        draws: uniform [B, K, T].
        settings: `imputation` is read.
    """
    if settings.imputation == "thresholded":
        draws = torch.full_like(draws, 0.5)
    filled = bernoulli(noise if settings.imputation == "noise" else backbone, draws)
    return torch.where(labels.isnan()[:, None], filled, labels[:, None].to(filled.dtype))


def label_vectors(
    labels: Tensor,
    backbone: Tensor,
    noise: Tensor,
    settings: ContrastSettings,
    seed: int,
    items: Tensor,
    tasks: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return the K completed label vectors and the K noise vectors of each item, both [B, K, T].

    An objective without noise has none of the latter: [B, 0, T].

    Args:
        labels: [B, T], 0, 1 or NaN where missing.
        backbone: q(y_i = 1 | x) [B, T].
        noise: p_n(y_i = 1 | x) [B, T].
        settings: `objective`, `noise_samples`, `imputation` and `paired` are read.
        seed: of the draws, different in every epoch.
        items: int64 [B], a number that belongs to each item.
        tasks: int64 [T], a number that belongs to each task.
    """
    samples = torch.arange(settings.noise_samples, device=labels.device)[:, None]
    keys = (items[:, None, None], samples, tasks)
    of_noise = uniforms(seed, NOISE, *keys)
    of_data = of_noise if settings.paired else uniforms(seed, IMPUTATION, *keys)
    data = completed(labels, backbone, noise, of_data, settings)
    return data, bernoulli(noise, of_noise) if settings.has_noise else data[:, :0]


def contrast(
    node: Tensor,
    edge: Tensor,
    edge_index: Tensor,
    data: Tensor,
    noisy: Tensor,
    backbone: Tensor,
    noise: Tensor,
    settings: ContrastSettings,
    log_z: Tensor | None = None,
) -> Tensor:
    """Return the loss [B] of each item.

    Args:
        node: f_i [B, T, 2].
        edge: f_ij [B, E, 2, 2].
        edge_index: int64 [2, E].
        data: completed labels [B, K, T].
        noisy: labels [B, K, T] drawn from the noise; `pseudo_likelihood` reads none.
        backbone: q(y_i = 1 | x) [B, T], inside (0, 1).
        noise: p_n(y_i = 1 | x) [B, T], inside (0, 1).
        settings: `edge_weight`, `degree_normalised` and `objective` are read.
        log_z: log Z, a scalar; None: 0.
    """
    if not settings.has_noise:
        weight = edge_weights(node, edge_index, settings.edge_weight, settings.degree_normalised)
        return energies(node, edge, edge_index, data, weight).mean(1)
    y = torch.cat([data, noisy], 1)
    return nce_loss(*log_ratio(node, edge, edge_index, y, backbone, noise, settings, log_z).chunk(2, 1))


def log_ratio(
    node: Tensor,
    edge: Tensor,
    edge_index: Tensor,
    y: Tensor,
    backbone: Tensor,
    noise: Tensor,
    settings: ContrastSettings,
    log_z: Tensor | None,
) -> Tensor:
    """Return G = log p(y|x) - log p_n(y|x) of label vectors `y` [B, K, T], [B, K]; the rest as of `contrast`.

    In the gradient of eq. 12 the energy of noise weighs σ(G), and that of data σ(-G).
    """
    weight = edge_weights(node, edge_index, settings.edge_weight, settings.degree_normalised)
    tilt = -log_bernoulli(y, noise)
    if settings.objective != "untilted":
        tilt += log_bernoulli(y, backbone)
    if log_z is not None:
        tilt = tilt - log_z
    return tilt - energies(node, edge, edge_index, y, weight)


def noise_is_due(epoch: int, settings: ContrastSettings) -> bool:
    """Whether the noise is updated once `epoch` epochs are done."""
    since = epoch - settings.fixed_noise_epochs
    if settings.noise != "adaptive" or settings.noise_every == 0 or since < 0:
        return False
    return since % settings.noise_every == 0


def updated_noise(noise: Tensor, marginals: Tensor, mixing: float) -> Tensor:
    """Return the next noise distribution: (1 - mixing) of the old one and `mixing` of the model's marginals.

    Args:
        noise: p_n(y_i = 1 | x) [B, T].
        marginals: of the latest model, [B, T].
        mixing: 1 replaces the noise, as the paper does; less updates it more gradually.
    """
    return inside(torch.lerp(noise, marginals, mixing))
