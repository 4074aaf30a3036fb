"""Multi-task learning with task relations, above all for molecules measured in many assays."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relatask.api.train import Trained
    from relatask.models.ensemble import Ensemble
    from relatask.models.prediction import Model

__version__ = "0.1.0"


def load(path: str, device: str = "cpu") -> "Model | Ensemble":
    """Load a trained model, see `relatask.models.prediction.load`; torch is imported only then."""
    model: Model | Ensemble = import_module("relatask.models.prediction").load(path, device)
    return model


def train(*arguments: Any, **options: Any) -> "Trained":
    """Compare methods on a table in memory and keep the best one, see `relatask.api.train.train`."""
    found: Trained = import_module("relatask.api.train").train(*arguments, **options)
    return found
