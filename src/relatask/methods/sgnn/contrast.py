"""How an energy-based method is trained by noise contrast and read out by Gibbs sampling: its options."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class ContrastSettings:
    """Options of SGNN-EBM beside its network; `sgnn_ebm.CAPABILITIES` has their defaults, choices and limits.

    The defaults follow the paper, then the authors' scripts.
    """

    edge_weight: float  # λ of eq. 9; the paper tries 0.1 and 1; 0: node factors alone
    degree_normalised: bool  # a relation's λ is divided by the root of the product of its tasks' degrees
    objective: str  # what is made small, see nce.py
    noise: str  # the backbone; or what `updated_noise` says; or one Gibbs run on every step's energies
    fixed_noise_epochs: int  # adaptive: epochs before the first update
    noise_every: int  # adaptive: epochs from one update to the next; 0: never
    noise_mixing: float  # adaptive: weight of the model's marginals in an update
    noise_samples: int  # K, for each item and step
    imputation: str  # missing labels: drawn from the backbone, its likelier label, or drawn as noise
    paired: bool  # the same uniform draws for imputation and noise: same expectation, less variance
    burn_in: int  # sweeps that are thrown away
    sweeps: int  # sweeps that count
    marginals: str  # see gibbs.py
    gibbs: str  # see gibbs.py

    @property
    def has_noise(self) -> bool:
        """Whether the objective has a term of label vectors that are drawn as noise."""
        return self.objective != "pseudo_likelihood"


class EnergyModel(Protocol):
    """What the contrastive loop trains; a `torch.nn.Module` with these."""

    contrast: ContrastSettings
    edge_index: Tensor  # int64 [2, E], each related pair with a factor once

    def energies(self, x: object) -> tuple[Tensor, Tensor]:
        """Return the factors f_i [B, T, 2] and f_ij [B, E, 2, 2] of eq. 11."""
        ...

    def log_z(self) -> Tensor | None:
        """Return the learned logarithm of the normalising constant Z, a scalar; None: Z is 1."""
        ...
