"""The files of a finished run in the journal, and whether they are still what was written.

Without torch, for commands and steps that must start quickly.
"""

from pathlib import Path

from relatask.errors import RelataskError
from relatask.files import read_json, sha256_of

FILES = ("run.json", "predictions.parquet", "history.parquet")  # model.pt only where it was kept


def damaged_file(entry: Path) -> Path | None:
    """Return the first file of an entry that is absent or not as it was written, None if all are.

    run.json, which is written last, names the files and their SHA-256.
    """
    record = entry / "run.json"
    try:
        digests = read_json(record)["files"]
        names = [*FILES[1:], *(name for name in digests if name not in FILES)]
        for name in names:
            if sha256_of(entry / name) != digests[name]:
                return entry / name
    except (RelataskError, KeyError, TypeError, AttributeError):
        return record
    except OSError:
        return entry / name
    return None
