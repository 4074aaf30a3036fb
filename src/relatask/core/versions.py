"""Versions of installed packages, read from their metadata and without importing them."""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

TRAINING_LIBRARIES = ("numpy", "scikit-learn", "torch")  # they decide the numbers of a trained run


def installed_versions(names: Iterable[str]) -> dict[str, str]:
    """Return name -> version of those packages that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
