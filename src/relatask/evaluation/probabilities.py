"""Probabilities that are as often right as they say, from scores: beta calibration, or Platt's scaling.

The calibrated logit is a ln(s) - b ln(1 - s) + c of a score s (Kull, Silva Filho and Flach, 2017, eq. 7),
which rises where a and b are not negative. With few labels of the rarer class a = b, which is Platt's scaling
(1999) of the logit: docs/uncertainty.md has the numbers by which this was chosen.
"""

import numpy as np

LEAST = 10  # labels of each class, else a score is not calibrated
BETA = 30  # labels of each class from which on a and b differ


def fit_map(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float, float]:
    """Return a, b and c of the map, by logistic regression.

    Its targets are Platt's: (P + 1) / (P + 2) for P labels of 1 and 1 / (N + 2) for N labels of 0. Of two
    coefficients a negative one is left out, as Kull et al. do; where one alone is negative, scores say
    nothing, and the probability is that of the labels.

    Args:
        scores: float [n], from 0 to 1.
        labels: 0 and 1 [n], both there.
    """
    positives, n = float(labels.sum()), len(labels)
    targets = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (n - positives + 2))
    high, low = _terms(scores, n)
    if min(positives, n - positives) < BETA:
        (slope,), intercept = _regression([high + low], targets)
        found = (slope, slope, intercept)
    else:
        (a, b), intercept = _regression([high, low], targets)
        found = (a, b, intercept)
        if min(a, b) < 0 < max(a, b):
            (slope,), intercept = _regression([high if a > b else low], targets)
            found = (slope, 0.0, intercept) if a > b else (0.0, slope, intercept)
    if min(found[:2]) >= 0:
        return found
    mean = float(targets.mean())
    return 0.0, 0.0, float(np.log(mean / (1 - mean)))


def calibrated(scores: np.ndarray, coefficients: tuple[float, float, float], n: int) -> np.ndarray:
    """Return the calibrated probabilities of scores [m], float64 [m].

    Args:
        scores: from 0 to 1.
        coefficients: a, b and c.
        n: labels that these were fitted to; scores nearer to 0 or 1 than 1 / (2 n + 2) count as that.
    """
    a, b, c = coefficients
    high, low = _terms(scores, n)
    found: np.ndarray = 1 / (1 + np.exp(-(a * high + b * low + c)))
    return found


def _terms(scores: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ln(s) and -ln(1 - s) of scores; a forest of 100 trees says 0 and 1, of which there are none."""
    least = 1 / (2 * n + 2)
    inside = np.clip(np.asarray(scores, np.float64), least, 1 - least)
    return np.log(inside), -np.log1p(-inside)


def _regression(columns: list[np.ndarray], targets: np.ndarray) -> tuple[list[float], float]:
    """Return the coefficients and the intercept of a logistic regression on targets [n] from 0 to 1."""
    from sklearn.linear_model import LogisticRegression

    x = np.stack(columns, axis=1)
    model = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000)
    parts = np.repeat([1, 0], len(x))  # each label is a part 1 and a part 0
    model.fit(np.concatenate([x, x]), parts, sample_weight=np.concatenate([targets, 1 - targets]))
    return model.coef_[0].tolist(), float(model.intercept_[0])
