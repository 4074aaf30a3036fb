"""How an energy-based method is trained by noise contrast and read out by Gibbs sampling: its options."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from relatask.core.errors import RelataskError

CHOICES = {
    "objective": ("tilted", "untilted"),
    "noise": ("fixed", "adaptive", "gibbs"),
    "imputation": ("sampled", "thresholded", "noise"),
    "marginals": ("conditionals", "labels", "last"),
    "gibbs": ("paper", "released"),
}
LEAST = {"noise_samples": 1, "fixed_noise_epochs": 0, "noise_every": 0, "burn_in": 0, "sweeps": 1}


@dataclass(frozen=True)
class ContrastSettings:
    """Options of SGNN-EBM beside its network; the defaults follow the paper, then the authors' scripts.

    Raises:
        RelataskError: a value is none of those that exist, or too small.
    """

    edge_weight: float = 1.0  # λ of eq. 9; the paper tries 0.1 and 1
    objective: str = "tilted"  # the model that is contrasted: q exp(-E), or exp(-E) as the authors' code does
    noise: str = (
        "fixed"  # the backbone; or what `updated_noise` says; or one Gibbs run on every step's energies
    )
    fixed_noise_epochs: int = 0  # adaptive: epochs before the first update
    noise_every: int = 5  # adaptive: epochs from one update to the next; 0: never
    noise_mixing: float = 1.0  # adaptive: weight of the model's marginals in an update
    noise_samples: int = 1  # K, for each molecule and step
    imputation: str = (
        "sampled"  # missing labels: drawn from the backbone, its likelier label, or drawn as noise
    )
    paired: bool = True  # the same uniform draws for imputation and noise: same expectation, less variance
    burn_in: int = 5  # sweeps that are thrown away
    sweeps: int = 25  # sweeps that count
    marginals: str = "conditionals"  # see _gibbs.py
    gibbs: str = "paper"  # see _gibbs.py

    def __post_init__(self) -> None:
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise RelataskError(
                    f"option {name!r} is {getattr(self, name)!r}; it can be {', '.join(known)}."
                )
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                raise RelataskError(f"option {name!r} is {getattr(self, name)}; it must be at least {least}.")
        if not 0 < self.noise_mixing <= 1:
            raise RelataskError(
                f"option 'noise_mixing' is {self.noise_mixing}; it must be above 0, at most 1."
            )


class EnergyModel(Protocol):
    """What the contrastive loop trains; a `torch.nn.Module` with these."""

    contrast: ContrastSettings
    edge_index: Tensor  # int64 [2, E], each related pair once

    def energies(self, x: object) -> tuple[Tensor, Tensor]:
        """Return the factors f_i [B, T, 2] and f_ij [B, E, 2, 2] of eq. 11, after the log-softmax."""
        ...
