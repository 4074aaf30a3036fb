"""A file arrives whole and checked, from the mirror or its address, or not at all."""

import contextlib
import gzip
import hashlib
import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tenacity import wait_none

from relatask.__main__ import main
from relatask.core.errors import RelataskError
from relatask.sources import unpacked
from relatask.sources.services import downloads
from relatask.sources.services.http_deadline import Deadline
from relatask.sources.services.retrieval import Places, retrieve_file
from tests.helpers.faults import ENDLESS
from tests.helpers.service import Fault, Service

BODY = bytes(range(256)) * 4096  # 1 MiB
DIGEST = hashlib.sha256(BODY).hexdigest()


def entry_of(url: str = "-", sha256: str = DIGEST, size: str = "-") -> dict[str, Any]:
    decided = {"url": url, "sha256": sha256, "bytes": size, "unpacked_sha256": "-", "conversion": "-"}
    return {"file": "a.csv", "path": "folder/a.csv", **decided, "originals": {}}


def retrieve(entry: dict[str, Any], folder: Path, mirror: Path | None = None, **options) -> str:
    places = Places(mirror, folder / "originals", wait_none(), **options)
    return retrieve_file(entry, places, folder / "raw" / entry["file"])


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "raw").glob("*"))


@pytest.fixture
def served(service: Service) -> Service:
    service.files["/a.csv"] = (BODY, '"v1"')
    return service


@pytest.fixture
def mirrored(tmp_path: Path) -> Path:
    mirror = tmp_path / "mirror"
    (mirror / "folder").mkdir(parents=True)
    (mirror / "folder" / "a.csv").write_bytes(BODY)
    return mirror


def test_the_mirror_comes_first(served: Service, mirrored: Path, tmp_path: Path) -> None:
    assert retrieve(entry_of(f"{served.root}/a.csv"), tmp_path, mirrored) == DIGEST
    assert (tmp_path / "raw" / "a.csv").read_bytes() == BODY
    assert served.asked == []


def test_what_the_mirror_lacks_is_downloaded(served: Service, mirrored: Path, tmp_path: Path) -> None:
    (mirrored / "folder" / "a.csv").unlink()
    assert retrieve(entry_of(f"{served.root}/a.csv"), tmp_path, mirrored) == DIGEST
    assert left_in(tmp_path) == ["a.csv"]


@pytest.mark.parametrize("kind", ["truncated", "reset", "status"])
def test_a_download_that_fails_is_tried_again(served: Service, tmp_path: Path, kind: str) -> None:
    served.faults = [Fault(kind), Fault(kind)]
    retrieve(entry_of(f"{served.root}/a.csv"), tmp_path)
    assert (tmp_path / "raw" / "a.csv").read_bytes() == BODY
    assert len(served.asked) == 3
    assert left_in(tmp_path) == ["a.csv"]


def test_a_download_goes_on_where_it_broke_off(served: Service, tmp_path: Path) -> None:
    served.faults = [Fault("truncated"), Fault("truncated")]
    retrieve(entry_of(f"{served.root}/a.csv"), tmp_path)
    ranges = [asked.headers.get("Range") for asked in served.asked]
    assert ranges == [None, f"bytes={len(BODY) // 2}-", f"bytes={len(BODY) // 4 * 3}-"]


def test_a_killed_download_goes_on_where_it_stopped(served: Service, tmp_path: Path) -> None:
    served.faults = [Fault("truncated"), Fault("status", 403)]
    with pytest.raises(RelataskError, match="answered 403"):
        retrieve(entry_of(f"{served.root}/a.csv"), tmp_path)
    assert not (tmp_path / "raw" / "a.csv").exists()
    retrieve(entry_of(f"{served.root}/a.csv"), tmp_path)
    assert served.asked[-1].headers["Range"] == f"bytes={len(BODY) // 2}-"
    assert (tmp_path / "raw" / "a.csv").read_bytes() == BODY


def test_a_download_killed_at_its_end_is_only_checked(served: Service, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / ".a.csv.part").write_bytes(BODY)
    (tmp_path / "raw" / ".a.csv.part.version").write_text('"v1"')
    assert retrieve(entry_of(f"{served.root}/a.csv"), tmp_path) == DIGEST
    assert len(served.asked) == 1


@pytest.mark.parametrize("tags", [('"v1"', '"v2"'), (None, None), ('W/"v1"', 'W/"v1"')])
def test_halves_of_two_versions_are_never_joined(
    service: Service, tmp_path: Path, tags: tuple[str | None, str | None]
) -> None:
    service.files["/a.csv"] = (b"old " * 65536, tags[0])
    service.faults = [Fault("truncated"), Fault("status", 403)]
    with pytest.raises(RelataskError):
        retrieve(entry_of(f"{service.root}/a.csv", "-"), tmp_path)
    service.files["/a.csv"] = (b"new " * 65536, tags[1])
    retrieve(entry_of(f"{service.root}/a.csv", "-"), tmp_path)
    assert (tmp_path / "raw" / "a.csv").read_bytes() == b"new " * 65536


@pytest.mark.parametrize("more", [b"x", bytes(1000)])
def test_more_bytes_than_the_file_has_are_thrown_away(served: Service, tmp_path: Path, more: bytes) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / ".a.csv.part").write_bytes(BODY + more)
    (tmp_path / "raw" / ".a.csv.part.version").write_text('"v1"')
    assert retrieve(entry_of(f"{served.root}/a.csv"), tmp_path) == DIGEST
    assert len(served.asked) == 2


def test_a_server_without_ranges_sends_all_again(served: Service, tmp_path: Path) -> None:
    served.ranges = False
    served.faults = [Fault("truncated")]
    assert retrieve(entry_of(f"{served.root}/a.csv"), tmp_path) == DIGEST


def test_retry_after_is_honoured(served: Service, tmp_path: Path) -> None:
    served.faults = [Fault("status", 429, {"Retry-After": "7"})]
    pauses: list[float] = []
    retrieve(entry_of(f"{served.root}/a.csv"), tmp_path, pause=pauses.append)
    assert pauses == [7.0]


def test_a_download_that_never_succeeds_is_one_sentence(served: Service, tmp_path: Path) -> None:
    served.faults = [Fault("status", 500)] * 9
    said = r"could not be downloaded in 6 attempts: it answered 500.*relatask retrieve fills a folder"
    with pytest.raises(RelataskError, match=said):
        retrieve(entry_of(f"{served.root}/a.csv"), tmp_path)
    with pytest.raises(RelataskError, match="answered 404"):
        retrieve(entry_of(f"{served.root}/gone.csv"), tmp_path)


@pytest.fixture
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PACE", Deadline(0.3, extended_by=1 << 16))
    monkeypatch.setattr(downloads, "MOST_BYTES", 1 << 21)


@pytest.mark.parametrize("fault", ENDLESS.values(), ids=ENDLESS)
def test_a_download_without_end_ends(
    served: Service, tmp_path: Path, small_bounds: None, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr(downloads, "ATTEMPTS", 2)
    served.faults = [fault] * 99
    with pytest.raises(
        RelataskError, match=r"a\.csv (could not be downloaded in 2|sends more than|has SHA-256)"
    ):
        retrieve(entry_of(f"{served.root}/a.csv"), tmp_path)
    assert not (tmp_path / "raw" / "a.csv").exists()
    assert sum(path.stat().st_size for path in (tmp_path / "raw").iterdir()) <= 1 << 21


def test_a_download_that_drips_goes_on_where_it_was_cut(
    served: Service, tmp_path: Path, small_bounds: None
) -> None:
    head = b'HTTP/1.1 200 OK\r\nETag: "v1"\r\nContent-Length: %d\r\n\r\n' % len(BODY)
    served.faults = [Fault("raw", body=head + BODY[:100_000], more=BODY[100_000:100_001], seconds=9.0)]
    assert retrieve(entry_of(f"{served.root}/a.csv"), tmp_path) == DIGEST
    assert served.asked[1].headers["Range"] == "bytes=100001-"


def test_a_slow_download_that_keeps_its_pace_is_not_cut(
    served: Service, tmp_path: Path, small_bounds: None
) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    served.faults = [Fault("raw", body=head, more=b"10000\r\n" + bytes(1 << 16) + b"\r\n", seconds=0.05)]
    started = time.monotonic()
    with pytest.raises(RelataskError, match="sends more than 2,097,152 bytes"):
        retrieve(entry_of(f"{served.root}/a.csv"), tmp_path)
    assert time.monotonic() - started > 1.0  # longer than the time that 64 KiB may take
    assert len(served.asked) == 1


@pytest.mark.parametrize("announced", [True, False])
def test_no_more_bytes_are_taken_than_the_sheet_says(
    served: Service, tmp_path: Path, announced: bool
) -> None:
    if not announced:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        served.faults = [Fault("raw", body=head, more=b"1000\r\n" + bytes(4096) + b"\r\n", seconds=0.0)]
    entry = entry_of(f"{served.root}/a.csv", size="1000000")
    with pytest.raises(
        RelataskError,
        match=r"a\.csv sends more than the 1,000,000 bytes of config/datasets.tsv; the file was changed, get",
    ):
        retrieve(entry, tmp_path)
    assert len(served.asked) == 1
    assert list((tmp_path / "raw").iterdir()) == []


def test_a_file_of_the_size_of_the_sheet_is_taken(served: Service, tmp_path: Path) -> None:
    assert retrieve(entry_of(f"{served.root}/a.csv", size=str(len(BODY))), tmp_path) == DIGEST


def test_what_a_server_calls_compressed_is_kept_as_it_is(served: Service, tmp_path: Path) -> None:
    """Servers say so of a file that ends in .gz, whose digest is that of the compressed bytes."""
    body = gzip.compress(BODY)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    served.faults = [Fault("raw", body=head + body)]
    digest = hashlib.sha256(body).hexdigest()
    assert retrieve(entry_of(f"{served.root}/a.csv", digest), tmp_path) == digest


@pytest.mark.parametrize("length", [b"many", b"-5", b"9" * 5000])
def test_an_odd_length_is_no_traceback(served: Service, tmp_path: Path, length: bytes) -> None:
    served.faults = [
        Fault("raw", body=b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\n" + BODY)
    ] * 6
    with contextlib.suppress(RelataskError):
        assert retrieve(entry_of(f"{served.root}/a.csv"), tmp_path) == DIGEST
    assert 1 <= len(served.asked) <= 6


def test_a_download_is_sent_on_to_where_the_file_is(served: Service, tmp_path: Path) -> None:
    served.faults = [Fault("status", 302, {"Location": "/a.csv"})]
    assert retrieve(entry_of(f"{served.root}/old.csv"), tmp_path) == DIGEST
    assert [asked.path for asked in served.asked] == ["/old.csv", "/a.csv"]


@pytest.mark.parametrize(
    ("place", "said", "requests"),
    [
        (
            "file:///etc/passwd",
            "leads to 'file:///etc/passwd', which is no address of http or https; correct",
            1,
        ),
        (
            "ftp://127.0.0.1/a.csv",
            "which is no address of http or https; correct the address in config/data",
            1,
        ),
        (
            "?again",
            "leads on more than 5 times, .*; put the address where it ends into config/datasets.tsv",
            6,
        ),
    ],
)
def test_a_download_is_not_sent_anywhere(
    served: Service, tmp_path: Path, place: str, said: str, requests: int
) -> None:
    served.faults = [Fault("status", 302, {"Location": place})] * 99
    with pytest.raises(RelataskError, match=rf"^127\.0\.0\.1:\d+: {served.root}/a\.csv.* {said}"):
        retrieve(entry_of(f"{served.root}/a.csv"), tmp_path)
    assert len(served.asked) == requests
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("mirrors", [True, False])
def test_a_digest_that_was_changed_in_the_sheet_is_told_and_the_old_file_stays(
    served: Service, mirrored: Path, tmp_path: Path, mirrors: bool
) -> None:
    mirror = mirrored if mirrors else None
    retrieve(entry_of(f"{served.root}/a.csv"), tmp_path, mirror)
    with pytest.raises(RelataskError) as caught:
        retrieve(entry_of(f"{served.root}/a.csv", "1" * 64), tmp_path, mirror)
    origin = mirrored / "folder" / "a.csv" if mirrors else f"{served.root}/a.csv"
    assert str(caught.value) == (
        f"{origin} has SHA-256 {DIGEST} instead of {'1' * 64}; the file was changed or damaged, "
        "get it again, or correct config/datasets.tsv if the new file is meant."
    )
    assert (tmp_path / "raw" / "a.csv").read_bytes() == BODY
    assert left_in(tmp_path) == ["a.csv"]


def test_wrong_bytes_are_refused_and_do_not_stay(served: Service, mirrored: Path, tmp_path: Path) -> None:
    wrong = entry_of(f"{served.root}/a.csv", "0" * 64)
    for mirror, origin in ((None, served.root), (mirrored, str(mirrored))):
        with pytest.raises(RelataskError, match=rf"{origin}.* has SHA-256 {DIGEST} instead of 0000"):
            retrieve(wrong, tmp_path, mirror)
    assert left_in(tmp_path) == []
    assert [path.name for path in (tmp_path / "raw").glob(".*")] == []


def test_an_unknown_digest_is_recorded_once_and_checked_afterwards(served: Service, tmp_path: Path) -> None:
    entry = entry_of(f"{served.root}/a.csv", "-")
    assert retrieve(entry, tmp_path) == DIGEST
    assert json.loads((tmp_path / "raw" / ".a.csv.sha256.json").read_text()) == {"sha256": DIGEST}
    served.files["/a.csv"] = (BODY[:-1], '"v2"')
    with pytest.raises(
        RelataskError, match=rf"instead of {DIGEST}.*delete .*\.a\.csv\.sha256\.json if the new"
    ):
        retrieve(entry, tmp_path)
    assert (tmp_path / "raw" / "a.csv").read_bytes() == BODY
    (tmp_path / "raw" / ".a.csv.sha256.json").unlink()
    assert retrieve(entry, tmp_path) == hashlib.sha256(BODY[:-1]).hexdigest()


def archive(*names: str) -> bytes:
    handle = io.BytesIO()
    with zipfile.ZipFile(handle, "w", zipfile.ZIP_DEFLATED) as content:
        for name in names:
            content.writestr(name, BODY)
    return handle.getvalue()


@pytest.mark.parametrize("name", ["a.csv", "data/deep/a.csv", "../../a.csv", "/etc/a.csv"])
def test_one_file_of_an_archive_is_taken_and_nothing_else_is_written(
    service: Service, tmp_path: Path, name: str
) -> None:
    service.files["/all.zip"] = (archive(name, "../evil.csv", "data/ba.csv"), '"v1"')
    before = {path for path in tmp_path.parent.rglob("*") if path.is_file()}
    assert retrieve(entry_of(f"{service.root}/all.zip#a.csv"), tmp_path) == DIGEST
    written = {path for path in tmp_path.parent.rglob("*") if path.is_file()} - before
    assert written == {tmp_path / "raw" / "a.csv"}


def damaged(body: bytes, position: int) -> bytes:
    return body[:position] + bytes([body[position] ^ 255]) + body[position + 1 :]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (archive("b.csv"), "all.zip holds 0 files 'a.csv', expected one"),
        (archive("x/a.csv", "y/a.csv"), "all.zip holds 2 files 'a.csv', expected one"),
        (b"no archive", "all.zip is no ZIP archive"),
        (archive("a.csv")[:-30], "all.zip is no ZIP archive"),
        (damaged(archive("a.csv"), 36), "all.zip is no ZIP archive"),  # where the bytes begin: unreadable
        (damaged(archive("a.csv"), 300), "all.zip is no ZIP archive"),  # in their midst: another checksum
    ],
)
def test_a_wrong_archive_is_told(service: Service, tmp_path: Path, body: bytes, message: str) -> None:
    service.files["/all.zip"] = (body, None)
    with pytest.raises(RelataskError, match=message):
        retrieve(entry_of(f"{service.root}/all.zip#a.csv"), tmp_path)
    assert list((tmp_path / "raw").iterdir()) == []


def test_an_archive_that_would_fill_the_disk_is_refused(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacked, "LARGE", 1 << 20)
    handle = io.BytesIO()
    with zipfile.ZipFile(handle, "w", zipfile.ZIP_DEFLATED) as content:
        content.writestr("a.csv", bytes(1 << 24))
    service.files["/all.zip"] = (handle.getvalue(), None)
    with pytest.raises(RelataskError, match=r"a\.csv would unpack to 16,777,216 bytes"):
        retrieve(entry_of(f"{service.root}/all.zip#a.csv"), tmp_path)
    assert list((tmp_path / "raw").iterdir()) == []


def test_a_file_that_nobody_serves_needs_a_mirror(mirrored: Path, tmp_path: Path) -> None:
    with pytest.raises(
        RelataskError, match=r"no mirror is configured; put the file into a folder as folder/a"
    ):
        retrieve(entry_of(), tmp_path)
    (mirrored / "folder" / "a.csv").unlink()
    with pytest.raises(RelataskError, match=r"mirror/folder/a.csv does not exist"):
        retrieve(entry_of(), tmp_path, mirrored)
    with pytest.raises(RelataskError, match="mirror: there is no folder"):
        retrieve(entry_of(), tmp_path, tmp_path / "nowhere")


def test_the_step_retrieves_a_file_of_the_sheet(
    mirrored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--originals", str(tmp_path / "originals"), "--out", str(tmp_path / "raw" / "a.csv")]
    step = ["retrieve_files", "--entry", json.dumps(entry_of()), *out]
    assert main([*step, "--mirror", str(mirrored)]) == 0
    assert f"1048576 bytes, SHA-256 {DIGEST}" in capsys.readouterr().err
    assert main([*step, "--mirror", ""]) == 2
    assert "no mirror is configured" in capsys.readouterr().err


def test_the_real_files_are_retrieved(root: Path, mirror: Path, tmp_path: Path) -> None:
    from relatask.sources.dataset_sheet import read_sheet, retrieval_of

    entry = retrieval_of(read_sheet(root / "config" / "datasets.tsv"), "sider", "sider.csv")
    out = tmp_path / "sider.csv"
    assert retrieve_file(entry, Places(mirror, tmp_path / "originals"), out) == entry["sha256"]
    assert out.read_text().count("\n") == 1428
