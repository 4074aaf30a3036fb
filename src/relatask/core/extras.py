"""Packages that only some need: the extras of pyproject.toml, each called like the package that it brings."""

from importlib.util import find_spec

from relatask.core.errors import RelataskError


def require_extra(name: str, who: str) -> None:
    """Raise where the package of an extra is not installed; looks for it without importing it.

    Args:
        name: of the extra, and of its package.
        who: what needs it, for the message.
    """
    if find_spec(name) is None:
        raise RelataskError(
            f"{who} needs {name}, which is not installed; install it with pip install 'relatask[{name}]'."
        )
