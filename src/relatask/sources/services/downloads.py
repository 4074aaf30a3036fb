"""Downloads that go on where they broke off, also after a kill."""

import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import requests
from tqdm import tqdm
from urllib3.exceptions import HTTPError

from relatask.core.errors import RelataskError
from relatask.core.files import write_text
from relatask.sources.services.http import Wait, retrying
from relatask.sources.services.http_deadline import Deadline, TooSlowError
from relatask.sources.services.http_request import (
    TIMEOUT,
    InterruptedAnswerError,
    Server,
    check_status,
    send,
    session_with,
)

ATTEMPTS = 6
BLOCK = 1 << 16  # bytes
PACE = Deadline(60.0, extended_by=BLOCK)  # 1 kB/s at least; a whole file may take hours
MOST_BYTES = 1 << 36  # of a file of unknown size
log = logging.getLogger(__name__)


def download(
    url: str,
    partial: Path,
    size: int | None = None,
    wait: Wait | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Fetch `url` into `partial`, going on from what is there, until all its bytes are.

    Args:
        url: where it is.
        partial: where it goes.
        size: bytes of the whole file if known; no more are taken.
        wait: tenacity's wait between attempts.
        pause: how to wait.

    Raises:
        RelataskError: the server refuses or sends too much, or the last of six attempts broke off.
    """
    try:
        with session_with(PACE) as session:
            retrying(url, ATTEMPTS, wait, pause)(_attempt, session, url, partial, size)
    except InterruptedAnswerError as error:
        raise RelataskError(
            f"{url} could not be downloaded in {ATTEMPTS} attempts: {error}; for a machine without network, "
            "relatask retrieve fills a folder elsewhere, which `mirror` of the config then names."
        ) from None


def remove_partial(partial: Path) -> None:
    """Remove a download and what is known of its version."""
    partial.unlink(missing_ok=True)
    _validator(partial).unlink(missing_ok=True)


def _validator(partial: Path) -> Path:
    """What the server called the version that `partial` is the beginning of."""
    return partial.with_name(f"{partial.name}.version")


def _attempt(session: requests.Session, url: str, partial: Path, size: int | None) -> None:
    have, version = 0, _validator(partial)
    if partial.exists() and version.exists():  # without a version, the rest could be of another file
        have = partial.stat().st_size
    server = Server(urlsplit(url).netloc or url, "config/datasets.tsv")
    headers = {"Accept-Encoding": "identity"}  # so that lengths count file bytes
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": version.read_text(encoding="utf-8")}
    with send(session, "GET", url, server, headers=headers, timeout=TIMEOUT) as answer:
        if answer.status_code == 416:
            if answer.headers.get("Content-Range", "") == f"bytes */{have}":
                return  # nothing is left
            partial.unlink(missing_ok=True)
            raise InterruptedAnswerError("it refused to go on where the download stopped")
        check_status(answer, server)
        going_on = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if answer.status_code == 206 and not going_on:
            partial.unlink(missing_ok=True)
            raise InterruptedAnswerError("it sent another part of the file than was asked for")
        if answer.status_code != 206:
            have = 0
            _note_version(answer, version)
        try:
            _store(answer, url, partial, have, size)
        except TooSlowError as error:
            raise InterruptedAnswerError(str(error)) from None
        except HTTPError as error:
            raise InterruptedAnswerError(type(error).__name__) from None


def _note_version(answer: requests.Response, version: Path) -> None:
    """Keep what If-Range needs: a strong ETag, or else the date (RFC 9110, 13.1.5)."""
    tag = answer.headers.get("ETag", "")
    name = tag if tag.startswith('"') else answer.headers.get("Last-Modified", "")
    if name:
        write_text(version, name)
    else:
        version.unlink(missing_ok=True)


def _store(answer: requests.Response, url: str, partial: Path, have: int, size: int | None) -> None:
    """Append the body to `partial` (or start it anew) and check its length."""
    length = answer.headers.get("Content-Length", "")
    total = have + int(length) if re.fullmatch(r"[0-9]{1,15}", length) else None
    _require_no_more(total or 0, url, partial, size)
    with (
        partial.open("ab" if have else "wb") as handle,
        tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=partial.name, disable=None) as bar,
    ):
        while block := answer.raw.read1(BLOCK, decode_content=False):  # the file as it is, also a packed one
            have += len(block)
            _require_no_more(have, url, partial, size)
            handle.write(block)
            bar.update(len(block))
    if total is not None and have != total:
        raise InterruptedAnswerError(f"{have} of {total} bytes arrived")


def _require_no_more(count: int, url: str, partial: Path, size: int | None) -> None:
    if count > (MOST_BYTES if size is None else size):
        remove_partial(partial)
        said = f"{MOST_BYTES:,} bytes" if size is None else f"the {size:,} bytes of config/datasets.tsv"
        raise RelataskError(
            f"{url} sends more than {said}; the file was changed, get it from elsewhere into a `mirror`, or "
            "correct config/datasets.tsv if the new file is meant."
        )
