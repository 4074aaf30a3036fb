"""Times of files after the clock was set back.

Snakemake compares times: a result of yesterday's run that is dated tomorrow would pass for newer than
what it should be made from.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

from relatask.core.layout import JOURNAL, LOGS, WORKFLOW_FOLDERS

SKEW = 10.0  # seconds by which clocks of machines that share a file system may differ


def settle_times(results: Path) -> list[Path]:
    """Date files of `results` that are dated in the future to the present, in the same order; return them."""
    now = time.time()
    found = []
    for folder, folders, names in os.walk(results):
        folders[:] = [name for name in folders if _is_compared(Path(folder, name).relative_to(results).parts)]
        for name in names:
            path = Path(folder, name)
            with suppress(FileNotFoundError):  # a temporary file that is gone by now
                if (date := path.lstat().st_mtime) > now + SKEW:
                    found.append((date, path))
    found.sort()
    for place, (_, path) in enumerate(found):
        moment = now - 0.001 * (len(found) - place)
        with suppress(OSError):  # not ours to change: Snakemake will refuse what it makes from such a file
            os.utime(path, (moment, moment), follow_symlinks=False)
    return [path for _, path in found]


def _is_compared(folder: tuple[str, ...]) -> bool:
    """Whether Snakemake compares times of a folder: not of its logs, nor of the journal of a study.

    A study, or a raw source, may have the name of one of these.
    """
    if len(folder) == 2:
        return folder[0] in WORKFLOW_FOLDERS or folder[1] not in JOURNAL
    return len(folder) != 1 or folder[0] not in LOGS
