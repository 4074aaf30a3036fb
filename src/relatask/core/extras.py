"""Packages that only some need: the extras of pyproject.toml, each called like a package that it brings."""

from importlib.util import find_spec

from relatask.core.errors import RelataskError


def require_extra(name: str, who: str, *further: str) -> None:
    """Raise where a package of an extra is not installed; looks for it without importing it.

    Args:
        name: of the extra, and of its package.
        who: what needs it, for the message.
        further: packages of the extra that are needed too.
    """
    if missing := [package for package in (name, *further) if find_spec(package) is None]:
        raise RelataskError(
            f"{who} needs {missing[0]}, which is not installed; install it with pip install "
            f"'relatask[{name}]'."
        )
