"""Files of a data set, from the mirror or from their official address, checked by SHA-256."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter
from tqdm import tqdm

from relatask.errors import RelataskError
from relatask.files import atomic_path, read_json, sha256_of, write_json

UNKNOWN = "-"
ATTEMPTS = 6
BLOCK = 1 << 20
TIMEOUT = (10, 60)  # seconds to connect, and without a byte
log = logging.getLogger(__name__)


class InterruptedDownloadError(Exception):
    """A download that may succeed when it is tried again."""


def retrieve_file(
    entry: dict[str, str], mirror: Path | None, out: Path, wait: Callable[..., float] | None = None
) -> str:
    """Put one file at `out`: from the mirror if it is there, else from its address.

    A download that broke off goes on where it stopped, also after a kill. A digest the sheet does not know
    is recorded beside the file, and checked when the file is retrieved again.

    Args:
        entry: path (below the mirror), url and sha256 of the sheet.
        mirror: local folder with the same files, or None.
        out: where the file shall be.
        wait: tenacity's wait between attempts; tests pass a short one.

    Returns:
        The SHA-256 of the file.

    Raises:
        RelataskError: it is nowhere to be had, or its digest is wrong.
    """
    local = mirror / entry["path"] if mirror else None
    if local is not None and not mirror.is_dir():  # type: ignore[union-attr]
        raise RelataskError(
            f"mirror: there is no folder {mirror}; correct `mirror` in the config or remove it."
        )
    if local is not None and local.is_file():
        digest = _check(local, entry, out, str(local))
        with atomic_path(out) as temporary:
            shutil.copyfile(local, temporary)
    elif entry["url"] != UNKNOWN:
        partial = out.with_name(f".{out.name}.part")
        out.parent.mkdir(parents=True, exist_ok=True)
        download(entry["url"], partial, wait)
        digest = _check(partial, entry, out, entry["url"], delete=True)
        partial.replace(out)
    else:
        searched = f"{local} does not exist" if local else "no mirror is configured"
        raise RelataskError(
            f"{entry['file']} has no public address that serves these bytes, and {searched}; put the file "
            f"into a folder as {entry['path']} and set `mirror` in the config to that folder."
        )
    if entry["sha256"] == UNKNOWN:
        write_json(_record(out), {"sha256": digest})
    return digest


def _record(out: Path) -> Path:
    return out.with_name(f".{out.name}.sha256.json")


def _check(path: Path, entry: dict[str, str], out: Path, origin: str, delete: bool = False) -> str:
    """Return the digest of `path`; one that differs from the sheet's or the recorded one is an error."""
    digest, expected = sha256_of(path), entry["sha256"]
    if expected == UNKNOWN and _record(out).exists():
        expected = read_json(_record(out))["sha256"]
    if expected not in (UNKNOWN, digest):
        if delete:
            path.unlink()
        raise RelataskError(
            f"{origin} has SHA-256 {digest} instead of {expected}; the file was changed or damaged, get it "
            "again, or correct config/datasets.tsv if the new file is meant."
        )
    return digest


def download(url: str, partial: Path, wait: Callable[..., float] | None = None) -> None:
    """Fetch `url` into `partial`, going on from what is there, until all its bytes are.

    Raises:
        RelataskError: the server refuses, or the last of six attempts broke off.
    """
    retrying = Retrying(
        retry=retry_if_exception_type(InterruptedDownloadError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait or wait_exponential_jitter(initial=1, max=60),
        reraise=True,
    )
    try:
        retrying(_attempt, url, partial)
    except InterruptedDownloadError as error:
        raise RelataskError(f"{url} could not be downloaded in {ATTEMPTS} attempts: {error}.") from None


def _attempt(url: str, partial: Path) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    headers["Accept-Encoding"] = "identity"  # so that Content-Length counts the file's bytes
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            if answer.status_code == 416:  # nothing is left, or the file changed: start over
                partial.unlink(missing_ok=True)
                raise InterruptedDownloadError("the server refused to go on where the download stopped")
            if answer.status_code == 429 or answer.status_code >= 500:
                raise InterruptedDownloadError(f"the server answered {answer.status_code}")
            if answer.status_code >= 400:
                raise RelataskError(f"{url}: the server answered {answer.status_code}; is the address right?")
            _store(answer, partial, have if answer.status_code == 206 else 0)
    except requests.RequestException as error:
        raise InterruptedDownloadError(type(error).__name__) from None


def _store(answer: requests.Response, partial: Path, have: int) -> None:
    """Append the body to `partial` (or start it anew) and check its length."""
    length: Any = answer.headers.get("Content-Length")
    total = have + int(length) if length is not None else None
    with (
        partial.open("ab" if have else "wb") as handle,
        tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=partial.name, disable=None) as bar,
    ):
        for block in answer.iter_content(BLOCK):
            handle.write(block)
            bar.update(len(block))
    size = partial.stat().st_size
    if total is not None and size != total:
        raise InterruptedDownloadError(f"{size} of {total} bytes arrived")
