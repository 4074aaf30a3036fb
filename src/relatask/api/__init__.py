"""relatask from Python: models as estimators of scikit-learn, and the comparison of methods on a table."""

from relatask.api.estimators import MoleculeClassifier, MoleculeRegressor
from relatask.api.train import Trained, train

__all__ = ["MoleculeClassifier", "MoleculeRegressor", "Trained", "train"]
