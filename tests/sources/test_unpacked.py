"""The digest of what a file holds does not depend on how and when it was packed."""

import gzip
import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from relatask.core.errors import RelataskError
from relatask.sources import unpacked
from relatask.sources.unpacked import unpacked_sha256

BODY = b"a,b\n1,2\n" * 1000


def digest_of(folder: Path, content: bytes) -> str:
    (folder / "file").write_bytes(content)
    return unpacked_sha256(folder / "file")


def test_gzip_headers_and_levels_do_not_count(tmp_path: Path) -> None:
    expected = hashlib.sha256(BODY).hexdigest()
    for content in (BODY, gzip.compress(BODY), gzip.compress(BODY, 1, mtime=7)):
        assert digest_of(tmp_path, content) == expected
    assert digest_of(tmp_path, gzip.compress(BODY[:-1])) != expected


def archive(files: dict[str, bytes], form: int = zipfile.ZIP_DEFLATED) -> bytes:
    handle = io.BytesIO()
    with zipfile.ZipFile(handle, "w", form) as content:
        for name, body in files.items():
            content.writestr(name, body)
    return handle.getvalue()


def test_order_folders_and_readme_files_of_an_archive_do_not_count(tmp_path: Path) -> None:
    files = {"A/a.txt": b"one", "A/b.txt": b"two"}
    expected = digest_of(tmp_path, archive(files))
    more = {"A/": b"", "A/b.txt": b"two", "A/README.txt": b"of the collection", "A/a.txt": b"one"}
    assert digest_of(tmp_path, archive(more, zipfile.ZIP_STORED)) == expected


@pytest.mark.parametrize(
    "files",
    [{"A/a.txt": b"one"}, {"A/a.txt": b"onet", "A/b.txt": b"wo"}, {"A/a.txt": b"one", "A/c.txt": b"two"}],
)
def test_names_and_contents_of_an_archive_count(tmp_path: Path, files: dict[str, bytes]) -> None:
    expected = digest_of(tmp_path, archive({"A/a.txt": b"one", "A/b.txt": b"two"}))
    assert digest_of(tmp_path, archive(files)) != expected


@pytest.mark.parametrize(
    "content", [gzip.compress(bytes(1 << 24), mtime=0), archive({"a.txt": bytes(1 << 24)})]
)
def test_what_unpacks_to_far_more_than_data_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(unpacked, "LARGE", 1 << 20)
    with pytest.raises(RelataskError, match="it is no data, get"):
        digest_of(tmp_path, content)


@pytest.mark.parametrize("content", [gzip.compress(BODY, mtime=0)[:-9], archive({"a.txt": BODY})[:-30]])
def test_what_breaks_off_is_told(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(RelataskError, match="get it again"):
        digest_of(tmp_path, content)
