"""How errors grow where molecules are unlike those of training, and where a model is no better than a mean.

One curve serves all tasks of a kind: most have too few labels for one of their own. A task's error is its
own level times the curve (docs/uncertainty.md says what that costs and gains).
"""

from dataclasses import dataclass

import numpy as np

BINS, LEAST = 10, 50  # of the curve, and labels of each at least
TESTED = 20  # molecules; where fewer were tested that are as unlike training, nothing is known of the error


@dataclass(frozen=True)
class ErrorCurve:
    """Squared error at a similarity, relative to that of the task.

    Attributes:
        similarity: of the middle of each bin, rising, float64 [b].
        relative: falling, float64 [b].
        n: labels in each bin, int64 [b].
    """

    similarity: np.ndarray
    relative: np.ndarray
    n: np.ndarray

    def at(self, similarity: np.ndarray) -> np.ndarray:
        """Return the relative squared error at each similarity [m], float64 [m]: linear between the bins."""
        return np.interp(similarity, self.similarity, self.relative)


def fit_curve(similarity: np.ndarray, relative: np.ndarray) -> ErrorCurve:
    """Return the curve of errors [n] at similarities [n]: means of bins of as many labels, made falling.

    The bins are made falling by isotonic regression. No mean is below a hundredth of the whole, which keeps
    intervals from becoming points.
    """
    from sklearn.isotonic import IsotonicRegression

    place = _bins(similarity)
    n = np.bincount(place)
    middle, mean = np.bincount(place, similarity) / n, np.bincount(place, relative) / n
    falling = IsotonicRegression(increasing=False).fit_transform(middle, mean, sample_weight=n)
    return ErrorCurve(middle, np.maximum(falling, max(0.01 * float(relative.mean()), 1e-12)), n)


@dataclass(frozen=True)
class AgainstMean:
    """Squared errors over those of the task's mean (of classes, of its most frequent one), by similarity.

    Attributes:
        similarity: mean of each bin, rising, float64 [b].
        low: least of each bin, float64 [b].
        ratio: of the errors, float64 [b]; 1 is as the mean.
        n: labels in each bin, int64 [b].
    """

    similarity: np.ndarray
    low: np.ndarray
    ratio: np.ndarray
    n: np.ndarray


def against_mean(similarity: np.ndarray, error: np.ndarray, of_mean: np.ndarray) -> AgainstMean:
    """Return errors [n] over those of the mean [n], both relative to the task, by similarity [n]."""
    place = _bins(similarity)
    n = np.bincount(place)
    low = np.full(len(n), np.inf)
    np.minimum.at(low, place, similarity)
    ratio = np.bincount(place, error) / np.maximum(np.bincount(place, of_mean), 1e-12)
    return AgainstMean(np.bincount(place, similarity) / n, low, ratio, n)


def domain_limit(found: AgainstMean, of_items: np.ndarray) -> float:
    """Return the similarity to training from which on a molecule is in the domain of a model.

    There the error was measured, on 20 molecules as unlike training or more so, and is below that of the
    task's mean; ratios are made falling before they are compared.

    Args:
        found: the errors.
        of_items: similarities of the molecules that were predicted, each once.

    Returns:
        Infinity where the model is nowhere better than the mean.
    """
    from sklearn.isotonic import IsotonicRegression

    ratio = IsotonicRegression(increasing=False).fit_transform(
        found.similarity, found.ratio, sample_weight=found.n
    )
    good = np.flatnonzero(ratio < 1)
    if not len(good):
        return float("inf")
    tested = float(np.sort(of_items)[min(TESTED, len(of_items)) - 1])
    return tested if good[0] == 0 else max(tested, float(found.low[good[0]]))


def _bins(similarity: np.ndarray) -> np.ndarray:
    """Return the bin of each similarity, int64 [n], from 0 on: `BINS` or fewer, of as many labels each."""
    count = max(1, min(BINS, len(similarity) // LEAST))
    edges = np.quantile(similarity, np.arange(1, count) / count)
    return np.unique(np.searchsorted(edges, similarity, side="right"), return_inverse=True)[1].ravel()
