"""Files of a data set: from the mirror, from an official address, or converted from public originals."""

import logging
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from relatask.core.atomic import atomic_path
from relatask.core.errors import RelataskError
from relatask.core.files import read_fields, sha256_of, write_json
from relatask.sources.archives import opened_zip
from relatask.sources.dataset_sheet import UNKNOWN
from relatask.sources.services.conversion import write_converted
from relatask.sources.services.downloads import BLOCK, download, remove_partial
from relatask.sources.services.http import Wait
from relatask.sources.unpacked import is_gzip, require_reasonable, unpacked_blocks, unpacked_sha256

Entry = Mapping[str, Any]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Places:
    """Where files come from and are put besides their place in the end.

    Attributes:
        mirror: local folder with the files of the sheet, or None.
        originals: folder for originals that files are converted from, which are kept for the next.
        wait: tenacity's wait between attempts; tests pass a short one.
        pause: how to wait.
    """

    mirror: Path | None
    originals: Path
    wait: Wait | None = None
    pause: Callable[[float], None] = time.sleep


def retrieve_file(entry: Entry, places: Places, out: Path) -> str:
    """Put one file at `out`: from the mirror if it is there, else from its address, else converted.

    A download that broke off goes on where it stopped, also after a kill. A digest the sheet does not know
    is recorded beside the file, and checked when the file is retrieved again.

    Args:
        entry: path (below the mirror), url, sha256, bytes, unpacked_sha256 and conversion of the sheet, and
            `originals`, DATA_SET/FILE -> entry of what it is converted from. Several addresses are tried in
            turn. ``https://…/a.zip#b`` is the file `b` of an archive, in whichever folder of it.
        places: the mirror, and where originals are put.
        out: where the file shall be.

    Returns:
        The SHA-256 of the file.

    Raises:
        RelataskError: it is nowhere to be had, or its digest is wrong.
    """
    mirror = places.mirror
    local = _in_mirror(mirror, entry["path"]) if mirror else None
    if mirror is not None and not mirror.is_dir():
        raise RelataskError(
            f"mirror: there is no folder {mirror}; correct `mirror` in the config or remove it."
        )
    if local is not None and local.is_file():
        digest = _check(local, entry, out, str(local))
        _copy(local, out)
    elif entry["url"] != UNKNOWN:
        digest = _from_addresses(entry, places, out)
    elif entry["conversion"] != UNKNOWN:
        originals = {name: _original(name, row, places) for name, row in entry["originals"].items()}
        with atomic_path(out) as temporary:
            write_converted(entry["conversion"], originals, temporary, packed=out.suffix == ".gz")
            digest = _check(temporary, entry, out, f"{entry['file']}, as {entry['conversion']} converted it,")
    else:
        searched = f"{local} does not exist" if local else "no mirror is configured"
        raise RelataskError(
            f"{entry['file']} has no public address that serves these bytes, and {searched}; put the file "
            f"into a folder as {entry['path']} and set `mirror` in the config to that folder."
        )
    if entry["sha256"] == entry["unpacked_sha256"] == UNKNOWN:
        write_json(_record(out), {"sha256": digest})
    return digest


def _in_mirror(mirror: Path, path: str) -> Path:
    """Return where a file is in the mirror, or where it should be; it may be there packed, as path.gz."""
    packed = mirror / f"{path}.gz"
    return packed if packed.is_file() and not (mirror / path).exists() else mirror / path


def _copy(local: Path, out: Path) -> None:
    """Copy a file of the mirror, unpacked where it is packed and the sheet calls it by a name that is not."""
    with atomic_path(out) as temporary:
        if local.suffix == ".gz" != out.suffix and is_gzip(local):
            with temporary.open("wb") as target:
                target.writelines(unpacked_blocks(local))
        else:
            shutil.copyfile(local, temporary)


def _from_addresses(entry: Entry, places: Places, out: Path) -> str:
    """Download a file from the first of its addresses that serves it."""
    *others, last = entry["url"].split()
    for address in others:
        try:
            return _from_address(address, entry, places, out)
        except RelataskError as error:
            log.warning("%s The next address is tried.", error)
    return _from_address(last, entry, places, out)


def _from_address(address: str, entry: Entry, places: Places, out: Path) -> str:
    url, _, member = address.partition("#")
    partial = out.with_name(f".{out.name}.part")
    out.parent.mkdir(parents=True, exist_ok=True)
    size = UNKNOWN if member else entry["bytes"]  # that of the archive is not known
    download(url, partial, None if size == UNKNOWN else int(size), places.wait, places.pause)
    try:
        if not member:
            digest = _check(partial, entry, out, address)
            partial.replace(out)
            return digest
        with atomic_path(out) as temporary:
            _extract(partial, member, temporary, url)
            return _check(temporary, entry, out, address)
    finally:
        remove_partial(partial)  # a wrong one does not survive


def _extract(archive: Path, member: str, out: Path, url: str) -> None:
    """Copy the one file called `member` out of a ZIP archive; nothing else of it is written anywhere."""
    with opened_zip(archive, url, "; get it again") as content:
        found = [info for info in content.infolist() if f"/{info.filename}".endswith(f"/{member}")]
        if len(found) != 1:
            raise RelataskError(f"{url} holds {len(found)} files {member!r}, expected one.")
        require_reasonable(found[0], url)
        with content.open(found[0]) as source, out.open("wb") as target:
            shutil.copyfileobj(source, target, BLOCK)


def _original(name: str, entry: Entry, places: Places) -> Path:
    """Return where an original is, which several files may be converted from at the same time."""
    place = places.originals / name
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_name(f".{place.name}.lock")):
        if not place.is_file() or not is_as_expected(place, entry):
            retrieve_file(entry, places, place)
    return place


def _record(out: Path) -> Path:
    return out.with_name(f".{out.name}.sha256.json")


def is_as_expected(path: Path, entry: Entry) -> bool:
    """Whether a file that was retrieved is as the sheet says, or as once recorded."""
    try:
        _check(path, entry, path, str(path))
    except RelataskError:
        return False
    return True


def _check(path: Path, entry: Entry, out: Path, origin: str) -> str:
    """Return the digest of `path`, whose bytes or content are as the sheet says or as once recorded.

    Raises:
        RelataskError: neither is.
    """
    digest, expected, remedy = sha256_of(path), entry["sha256"], "correct config/datasets.tsv"
    content = entry["unpacked_sha256"]
    if digest == expected or (content != UNKNOWN and unpacked_sha256(path) == content):
        return digest
    if expected == UNKNOWN:
        expected = content
    if expected == UNKNOWN and _record(out).exists():
        expected, remedy = read_fields(_record(out), sha256=str)["sha256"], f"delete {_record(out)}"
    if expected not in (UNKNOWN, digest):
        what = "unpacked " if expected == content else ""
        found = unpacked_sha256(path) if what else digest
        raise RelataskError(
            f"{origin} has {what}SHA-256 {found} instead of {expected}; the file was changed or damaged, get "
            f"it again, or {remedy} if the new file is meant."
        )
    return digest
