"""The files of a finished run in the journal, and whether they are still what was written.

Without torch, for commands and steps that must start quickly.
"""

from pathlib import Path
from typing import Any

from relatask.core.errors import RelataskError
from relatask.core.files import read_fields, sha256_of
from relatask.plan.spec import RunSpec

FILES = ("run.json", "predictions.parquet", "history.parquet")  # and a model where it was kept
LONGEST = 1e9  # seconds, about 30 years; a run that took longer was measured by a broken clock


def saved_file(name: str) -> str:
    """Return the file of a table that a method declares in `saves`."""
    return f"saved-{name}.parquet"


def read_record(entry: Path) -> dict[str, Any]:
    """Return what run.json says of a finished run: spec, digests, measured, files.

    Raises:
        RelataskError: it is absent, broken, or not as the journal writes it.
    """
    record = read_fields(entry / "run.json", spec=dict, digests=dict, measured=dict, files=dict)
    seconds = record["measured"].get("seconds")
    fits = type(seconds) in {int, float} and 0 <= seconds < LONGEST
    libraries = record["measured"].get("libraries", {})
    texts = [record["digests"], record["files"], libraries]
    if not fits or not all(isinstance(part, dict) and _all_texts(part) for part in texts):
        raise RelataskError(f"{entry / 'run.json'} is not the record of a run; delete {entry} and run again.")
    return record


def is_of_run(record: dict[str, Any], run_id: str) -> bool:
    """Whether a record is of this run, and not of one that was put in its place; labels do not count."""
    try:
        return RunSpec.from_json(record["spec"]).run_id == run_id
    except TypeError:  # a spec of other fields
        return False


def _all_texts(part: dict[str, Any]) -> bool:
    return all(isinstance(value, str) for value in part.values())


def damaged_file(entry: Path) -> Path | None:
    """Return the first file of an entry that is absent or not as it was written, None if all are.

    run.json, which is written last, names the files and their SHA-256.
    """
    record = entry / "run.json"
    try:
        digests = read_record(entry)["files"]
        names = [*FILES[1:], *(name for name in digests if name not in FILES)]
        for name in names:
            if sha256_of(entry / name) != digests[name]:
                return entry / name
    except (RelataskError, KeyError, TypeError, AttributeError):
        return record
    except OSError:
        return entry / name
    return None
