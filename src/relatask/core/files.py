"""Text, JSON and digests of files."""

import hashlib
import json
import math
import reprlib
from pathlib import Path
from typing import Any

from relatask.core.atomic import atomic_path
from relatask.core.errors import RelataskError

_KINDS = {str: "a text", float: "a number", int: "a whole number", dict: "an object", list: "a list"}


def is_file(path: str | Path) -> bool:
    """Whether there is such a file; there is none of a name that is too long or holds a null character."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | Path, content: str) -> None:
    """Write UTF-8 `content` to `path`, whole or not at all."""
    write_bytes(path, content.encode())


def canonical_json(value: Any) -> str:
    """One text for one value: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON with sorted keys, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Return the value of a JSON file; a missing or broken one is a `RelataskError`."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RelataskError(f"{path} does not exist; run the step that writes it first.") from None
    except (ValueError, RecursionError) as error:  # also other bytes than UTF-8, and numbers of 5,000 digits
        raise RelataskError(f"{path} is not valid JSON ({error}); delete it and run again.") from None


def json_option(text: str, option: str) -> Any:
    """Return the value of an option that holds JSON, or that names a place in a JSON file.

    A command line holds at most 128 KiB in one piece, and a study may be longer, so rules name the place of a
    block, e.g. ``results/demo/study.json#/study/sources/planted`` (RFC 6901 without its escapes).

    Raises:
        RelataskError: it is neither, or there is no such file or place.
    """
    path, mark, place = text.partition("#/")
    if mark and not text.lstrip().startswith(("{", "[", '"')):
        value = read_json(path)
        for key in place.split("/"):
            if not isinstance(value, dict) or key not in value:
                raise RelataskError(f"{option}: {path} holds no {key!r} at {place!r}; name another place.")
            value = value[key]
        return value
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RelataskError(f"{option} is not JSON ({error}); quote it for the shell.") from None


def read_fields(path: str | Path, **kinds: type) -> dict[str, Any]:
    """Return the object that a JSON file holds, with these fields of these kinds.

    Raises:
        RelataskError: it is missing, broken or no object, or a field is absent or of another kind.
    """
    value = read_json(path)
    if not isinstance(value, dict):
        raise RelataskError(f"{path} holds no JSON object; delete it and run again.")
    for name, kind in kinds.items():
        found = value.get(name)
        fits = type(found) in ({int, float} if kind is float else {kind})  # True is no number
        if not fits or (isinstance(found, float) and not math.isfinite(found)):
            said = f"is {reprlib.repr(found)}" if name in value else "is absent"
            raise RelataskError(f"{path}: {name!r} {said}, expected {_KINDS[kind]}; delete it and run again.")
    return value


def seal_of(path: Path) -> str:
    """Return what changes whenever a file is written or replaced: size, inode, and times of change.

    The last of these nobody sets back, unlike the date of a file, which cp -p, unzip and rsync restore.

    Raises:
        FileNotFoundError: there is no such file.
    """
    stat = path.stat()
    return f"{stat.st_size} {stat.st_ino} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def sha256_of(*paths: str | Path) -> str:
    """SHA-256 (hex) of the bytes of the files, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        with Path(path).open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def digests_of(*files: Path) -> dict[str, str]:
    """Return the SHA-256 of each file by its name, for `files` of the record beside them."""
    return {file.name: sha256_of(file) for file in files}


def require_recorded(record: Path, *files: Path) -> None:
    """Refuse files that are not those which `files` of a record was made of, such as of another version.

    A file that neither exists nor is named passes.

    Raises:
        RelataskError: a file differs, is absent or is not named, or the record names none.
    """
    recorded = read_fields(record, files=dict)["files"]
    for file in files:
        if not file.exists():
            if file.name in recorded:
                raise RelataskError(
                    f"{file} does not exist, but {record} names it; run the workflow again, or copy the "
                    "whole folder again."
                )
        elif sha256_of(file) != recorded.get(file.name):
            raise RelataskError(
                f"{file} is not the file that {record} describes; delete it and run the workflow again, or "
                "copy the whole folder again."
            )


def source_digest(*parts: str) -> str:
    """Digest (16 hex digits) of the package's own source below `parts`, e.g. ``("data", "config.py")``.

    Snakemake does not see imported code, so each rule passes this digest as a param. Blank lines and
    lines that hold only a comment do not count: touching a comment must not retrain anything. The text
    is compared, not the syntax tree, so that every Python version computes the same digest.
    """
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for part in sorted(set(parts)):
        path = root / part
        files = [path] if path.suffix == ".py" else sorted(path.rglob("*.py"))
        if not files:
            raise ValueError(f"no source below {path}")
        for file in files:
            digest.update(file.relative_to(root).as_posix().encode())
            for line in file.read_text(encoding="utf-8").splitlines():
                if line.strip() and not line.lstrip().startswith("#"):
                    digest.update(line.rstrip().encode() + b"\n")
    return digest.hexdigest()[:16]
