"""How many positives stand first: what counts where few of many molecules are tested.

Rows of one score stand in no order, so each has the mean over the places that they take together.
"""

import numpy as np

from relatask.evaluation.groups import Groups

ALPHA = 20.0  # of BEDROC: four fifths of it come from the first 8 % (Truchon and Bayly, 2007)


def bedroc(groups: Groups) -> np.ndarray:
    """Boltzmann-enhanced discrimination of ROC of each group (Truchon and Bayly, 2007, equation 36).

    RIE R sinh(alpha / 2) / (cosh(alpha / 2) - cosh(alpha / 2 - alpha R)) + 1 / (1 - exp(alpha (1 - R))) with
    the share of positives R, and RIE the mean of exp(-alpha rank / n) of positives over that of all rows.
    Between 0 and 1; NaN where a class is absent.
    """
    n = groups.n[groups.group]
    rank = n - (np.arange(len(groups.score)) - groups.starts[groups.group])  # 1 has the greatest score
    weight = np.exp(-ALPHA * rank / n)
    positive = groups.sum(_tied(groups, weight) * groups.label)
    share = groups.n_pos / groups.n
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (1 - np.exp(-ALPHA)) / (groups.n * np.expm1(ALPHA / groups.n))
        found = positive / groups.n_pos / mean * share * np.sinh(ALPHA / 2)
        found /= np.cosh(ALPHA / 2) - np.cosh(ALPHA / 2 - ALPHA * share)
        return np.where((share > 0) & (share < 1), found + 1 / (1 - np.exp(ALPHA * (1 - share))), np.nan)


def enrichment(groups: Groups, share: float) -> np.ndarray:
    """Enrichment factor: positives among the first rows of each group over what a random order has there.

    Args:
        groups: of labels 0 and 1.
        share: of the rows that count, rounded up to whole ones.

    Returns:
        float64 [G], NaN without a positive; at most 1 / share.
    """
    first = np.ceil(share * groups.n)
    rank = groups.n[groups.group] - 1 - (np.arange(len(groups.score)) - groups.starts[groups.group])
    counted = (rank < first[groups.group]).astype(np.float64)
    positive = groups.sum(_tied(groups, counted) * groups.label)
    with np.errstate(invalid="ignore", divide="ignore"):
        return positive / first / (groups.n_pos / groups.n)


def _tied(groups: Groups, values: np.ndarray) -> np.ndarray:
    """Return the mean of values [N] over the rows of a group with one score, [N]."""
    begins, _ = groups.ties()
    sizes = np.diff(np.append(begins, len(values)))
    return np.repeat(np.add.reduceat(values, begins) / sizes, sizes)
