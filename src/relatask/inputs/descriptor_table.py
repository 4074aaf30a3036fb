"""Descriptors of molecules on one scale: each as the share of training molecules that have less of it.

Ranges of descriptors differ by thirty powers of ten, and many are skewed, so means and deviations would leave
one molecule to rule a column. As in Descriptastorus' normalised descriptors a value becomes that of a
distribution function, from 0 to 1; theirs are fitted curves of a large data set, ours is the empirical one of
the training items (scikit-learn's QuantileTransformer). A value that RDKit does not define becomes 0.5, and
one beyond those of training 0 or 1.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.inputs.fitted import FittedInput

if TYPE_CHECKING:
    from sklearn.preprocessing import QuantileTransformer

QUANTILES = 65  # of a descriptor that are remembered
UNDEFINED = 0.5


@dataclass(frozen=True)
class Descriptors(FittedInput):
    """The d descriptors of n molecules."""

    raw: np.ndarray  # float32 [n, d], NaN where undefined
    names: tuple[str, ...]
    rdkit: str  # version that made them
    device: "torch.device | str" = "cpu"
    quantiles: np.ndarray | None = None  # float64 [q, d], of training items; None: not fitted yet
    values: Tensor | None = None  # float32 [n, d], from 0 to 1

    def __len__(self) -> int:
        """Number of molecules."""
        return len(self.raw)

    @property
    def n_columns(self) -> int:
        """Number of descriptors."""
        return len(self.names)

    def batch(self, rows: Tensor) -> Tensor:
        """Return the descriptors of the molecules at positions `rows`, float32 [B, d] from 0 to 1."""
        assert self.values is not None, "descriptors have a scale once they are fitted"
        return self.values[rows]

    def fitted(self, rows: Tensor) -> "Descriptors":
        """Return the descriptors on the scale of the molecules at positions `rows`."""
        known = self.raw[rows.cpu().numpy()].astype(np.float64)
        known = np.where(np.isnan(known).all(0), 0.0, known) if len(known) else np.zeros((1, self.n_columns))
        from sklearn.preprocessing import QuantileTransformer

        steps = min(QUANTILES, len(known))
        return self._on(QuantileTransformer(n_quantiles=steps, subsample=None).fit(known).quantiles_)

    @property
    def learned(self) -> dict[str, Any]:
        """Names of the descriptors, the version of RDKit, and quantiles of each among training molecules."""
        assert self.quantiles is not None, "descriptors have a scale once they are fitted"
        return {"names": list(self.names), "rdkit": self.rdkit, "quantiles": self.quantiles.T.tolist()}

    def with_learned(self, learned: dict[str, Any]) -> "Descriptors":
        """Return the descriptors on a scale that was learned elsewhere.

        Raises:
            RelataskError: it is of other descriptors, as another version of RDKit has.
        """
        if learned.get("names") != list(self.names):
            raise RelataskError(
                f"the model reads the descriptors of RDKit {learned.get('rdkit')}, and those of RDKit "
                f"{self.rdkit} are others; install rdkit=={learned.get('rdkit')}, or train the model again."
            )
        quantiles = np.array(learned.get("quantiles"), np.float64)
        if quantiles.ndim != 2 or len(quantiles) != self.n_columns or not np.isfinite(quantiles).all():
            raise RelataskError("the quantiles of the model's descriptors are damaged; get the model anew.")
        return self._on(quantiles.T)

    def _on(self, quantiles: np.ndarray) -> "Descriptors":
        """Return the descriptors on a scale, float64 [q, d]."""
        values = np.full(self.raw.shape, UNDEFINED, np.float32)
        if len(values):
            shares = _transformer(quantiles).transform(self.raw.astype(np.float64))
            values = np.where(np.isnan(shares), UNDEFINED, shares).astype(np.float32)
        return replace(self, quantiles=quantiles, values=torch.from_numpy(values).to(self.device))


def _transformer(quantiles: np.ndarray) -> "QuantileTransformer":
    """Return what was fitted to quantiles, float64 [q, d]."""
    from sklearn.preprocessing import QuantileTransformer

    found = QuantileTransformer(n_quantiles=len(quantiles), subsample=None)
    found.quantiles_, found.references_ = quantiles, np.linspace(0, 1, len(quantiles))
    found.n_quantiles_, found.n_features_in_ = quantiles.shape
    return found
