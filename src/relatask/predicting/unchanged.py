"""Files that predictions are made from, which must not change before these are made."""

from pathlib import Path

from relatask.core.errors import RelataskError
from relatask.core.files import is_file, seal_of, sha256_of


class Unchanged:
    """Files that are read more than once, perhaps for hours and by several processes."""

    def __init__(self, *paths: Path | None):
        """Look at files before they are read for the first time; None and absent files do not count."""
        self._seals = {path: seal_of(path) for path in paths if path is not None and is_file(path)}
        self._digests: dict[Path, str] = {}

    def digest(self, path: Path) -> str:
        """Return the SHA-256 of one of the files, which was read since.

        Raises:
            RelataskError: it changed meanwhile.
        """
        self._digests[path] = sha256_of(path)
        if seal_of(path) != self._seals[path]:
            raise _changed(path)
        return self._digests[path]

    def require(self) -> None:
        """Refuse files whose content is not that of the digest; a new date, name or mode changes none.

        Raises:
            RelataskError: one of them changed.
        """
        for path, digest in self._digests.items():
            if seal_of(path) != self._seals[path] and sha256_of(path) != digest:
                raise _changed(path)


def _changed(path: Path) -> RelataskError:
    return RelataskError(f"{path} changed while it was read; run the same command again.")
