"""Files of a data set, from the mirror or from their official address, checked by SHA-256."""

import logging
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import requests
from tqdm import tqdm
from urllib3.exceptions import HTTPError

from relatask.core.atomic import atomic_path
from relatask.core.errors import RelataskError
from relatask.core.files import read_fields, sha256_of, write_json, write_text
from relatask.sources.archives import opened_zip
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

UNKNOWN = "-"
ATTEMPTS = 6
BLOCK = 1 << 16  # bytes
PACE = Deadline(60.0, extended_by=BLOCK)  # 1 kB/s at least; a whole file may take hours
MOST_BYTES = 1 << 36  # of a file of unknown size
LARGE = 1 << 28  # bytes; a file of an archive may be as large whatever it was packed to
MOST_RATIO = 100  # of packing; zeros reach 1,000, numbers and text 3 to 30
log = logging.getLogger(__name__)


def retrieve_file(
    entry: dict[str, str],
    mirror: Path | None,
    out: Path,
    wait: Wait | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> str:
    """Put one file at `out`: from the mirror if it is there, else from its address.

    A download that broke off goes on where it stopped, also after a kill. A digest the sheet does not know
    is recorded beside the file, and checked when the file is retrieved again.

    Args:
        entry: path (below the mirror), url, sha256 and bytes of the sheet. ``https://…/a.zip#b`` is the
            file `b` of an archive, in whichever folder of it.
        mirror: local folder with the same files, or None.
        out: where the file shall be.
        wait: tenacity's wait between attempts; tests pass a short one.
        pause: how to wait.

    Returns:
        The SHA-256 of the file.

    Raises:
        RelataskError: it is nowhere to be had, or its digest is wrong.
    """
    local = mirror / entry["path"] if mirror else None
    if mirror is not None and not mirror.is_dir():
        raise RelataskError(
            f"mirror: there is no folder {mirror}; correct `mirror` in the config or remove it."
        )
    if local is not None and local.is_file():
        digest = _check(local, entry, out, str(local))
        with atomic_path(out) as temporary:
            shutil.copyfile(local, temporary)
    elif entry["url"] != UNKNOWN:
        url, _, member = entry["url"].partition("#")
        partial = out.with_name(f".{out.name}.part")
        out.parent.mkdir(parents=True, exist_ok=True)
        size = UNKNOWN if member else entry["bytes"]  # that of the archive is not known
        download(url, partial, None if size == UNKNOWN else int(size), wait, pause)
        digest = _install(partial, url, member, entry, out)
    else:
        searched = f"{local} does not exist" if local else "no mirror is configured"
        raise RelataskError(
            f"{entry['file']} has no public address that serves these bytes, and {searched}; put the file "
            f"into a folder as {entry['path']} and set `mirror` in the config to that folder."
        )
    if entry["sha256"] == UNKNOWN:
        write_json(_record(out), {"sha256": digest})
    return digest


def _install(partial: Path, url: str, member: str, entry: dict[str, str], out: Path) -> str:
    """Move a download, or one file of a downloaded archive, to `out`; a wrong one does not survive."""
    try:
        if not member:
            digest = _check(partial, entry, out, entry["url"])
            partial.replace(out)
            return digest
        with atomic_path(out) as temporary:
            _extract(partial, member, temporary, url)
            return _check(temporary, entry, out, entry["url"])
    finally:
        _remove(partial)


def _extract(archive: Path, member: str, out: Path, url: str) -> None:
    """Copy the one file called `member` out of a ZIP archive; nothing else of it is written anywhere."""
    with opened_zip(archive, url, "; get it again") as content:
        found = [info for info in content.infolist() if f"/{info.filename}".endswith(f"/{member}")]
        if len(found) != 1:
            raise RelataskError(f"{url} holds {len(found)} files {member!r}, expected one.")
        if found[0].file_size > max(LARGE, MOST_RATIO * found[0].compress_size):
            raise RelataskError(
                f"{url}: {member} would unpack to {found[0].file_size:,} bytes from "
                f"{found[0].compress_size:,}; it is no data, get another file."
            )
        with content.open(found[0]) as source, out.open("wb") as target:
            shutil.copyfileobj(source, target, BLOCK)


def _record(out: Path) -> Path:
    return out.with_name(f".{out.name}.sha256.json")


def _check(path: Path, entry: dict[str, str], out: Path, origin: str) -> str:
    """Return the digest of `path`; one that differs from the sheet's or the recorded one is an error."""
    digest, expected, remedy = sha256_of(path), entry["sha256"], "correct config/datasets.tsv"
    if expected == UNKNOWN and _record(out).exists():
        expected, remedy = read_fields(_record(out), sha256=str)["sha256"], f"delete {_record(out)}"
    if expected not in (UNKNOWN, digest):
        raise RelataskError(
            f"{origin} has SHA-256 {digest} instead of {expected}; the file was changed or damaged, get it "
            f"again, or {remedy} if the new file is meant."
        )
    return digest


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
        raise RelataskError(f"{url} could not be downloaded in {ATTEMPTS} attempts: {error}.") from None


def _remove(partial: Path) -> None:
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
        _remove(partial)
        said = f"{MOST_BYTES:,} bytes" if size is None else f"the {size:,} bytes of config/datasets.tsv"
        raise RelataskError(
            f"{url} sends more than {said}; the file was changed, get it from elsewhere into a `mirror`, or "
            "correct config/datasets.tsv if the new file is meant."
        )
