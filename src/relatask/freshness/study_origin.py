"""Which file the study of some results is of: two files of one name must not write into one folder.

Editing a file, or moving it, is no other study, and neither is a copy while it is the same. The note is a
path from the working folder where the file is inside of it, so that a copied folder is the same.
"""

from pathlib import Path

from relatask.core.errors import RelataskError
from relatask.core.files import write_text


def origin_of(study: str, root: Path) -> str:
    """Return how the results note a study: the name of one of the project, else the path of its file.

    Args:
        study: as config.yaml names it.
        root: folder of the project, where `config/studies/` is.
    """
    path, own = Path(study), root / "config" / "studies"
    if path.suffix not in {".yaml", ".yml"}:
        return study
    file, here = path.resolve(), Path.cwd().resolve()
    if file.parent == own.resolve():
        return file.stem
    return str(file.relative_to(here) if file.is_relative_to(here) else file)


def require_own(note: Path, study: str, root: Path) -> None:
    """Refuse a study that would replace the results of another one, whose file is still there.

    Args:
        note: the file of the results that names their study; absent in results of old.
        study: as config.yaml names it.
        root: as of `origin_of`.

    Raises:
        RelataskError: it would.
    """
    if not note.is_file():
        return
    known, own = _noted(note), origin_of(study, root)
    first, second = (_file_of(origin, root) for origin in (known, own))
    if known != own and first.is_file() and first.read_bytes() != second.read_bytes():
        raise RelataskError(
            f"{note.parent} holds the results of the study {known}, and {own} has the same name and would "
            f"replace them; rename {own}, or start it in another folder."
        )


def note_origin(note: Path, study: str, root: Path) -> None:
    """Write whose results these are; they stay those of the noted file while it is there."""
    if not (note.is_file() and _file_of(_noted(note), root).is_file()):
        write_text(note, f"{origin_of(study, root)}\n")


def _noted(note: Path) -> str:
    return note.read_text(encoding="utf-8").rstrip("\n")


def _file_of(origin: str, root: Path) -> Path:
    return Path(origin) if Path(origin).suffix else root / "config" / "studies" / f"{origin}.yaml"
