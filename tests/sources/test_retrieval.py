"""Several addresses, packed mirrors, and files that are converted from their originals."""

import gzip
import hashlib
import threading
from pathlib import Path
from typing import Any

import pytest
from tenacity import wait_none

from relatask.core.errors import RelataskError
from relatask.sources.services.retrieval import Places, retrieve_file
from tests.helpers.service import Fault, Service

BODY = b"date,value\n2016,1\n"
DIGEST = hashlib.sha256(BODY).hexdigest()
FASTA = gzip.compress(b"> CHEMBL1 [O00141] kinase (Homo sapiens)\nMKV\nL\n", mtime=3)
MADE = b">O00141\nMKVL\n"


def entry_of(file: str = "a.csv", **columns: Any) -> dict[str, Any]:
    unknown = dict.fromkeys(("url", "sha256", "bytes", "unpacked_sha256", "conversion"), "-")
    return {"file": file, "path": f"folder/{file}", **unknown, "originals": {}, **columns}


def converted_entry(service: Service, made: bytes = MADE) -> dict[str, Any]:
    service.files["/chembl_25.fa.gz"] = (FASTA, '"v1"')
    original = entry_of(
        "chembl_25.fa.gz", url=f"{service.root}/chembl_25.fa.gz", sha256=hashlib.sha256(FASTA).hexdigest()
    )
    return entry_of(
        "targets.fasta.gz",
        conversion="target_sequences",
        unpacked_sha256=hashlib.sha256(made).hexdigest(),
        originals={"chembl_25/chembl_25.fa.gz": original},
    )


def retrieve(entry: dict[str, Any], folder: Path, mirror: Path | None = None) -> Path:
    out = folder / "raw" / "mine" / entry["file"]
    retrieve_file(entry, Places(mirror, folder / "raw" / ".originals", wait_none()), out)
    return out


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    (tmp_path / "mirror" / "folder").mkdir(parents=True)
    return tmp_path / "mirror"


@pytest.mark.parametrize("fails", ["absent", "other bytes"])
def test_the_next_address_is_tried_where_one_fails(
    service: Service, tmp_path: Path, fails: str, caplog
) -> None:
    service.files["/good.csv"] = (BODY, '"v1"')
    if fails == "other bytes":
        service.files["/bad.csv"] = (BODY[:-1], '"v2"')
    entry = entry_of(url=f"{service.root}/bad.csv {service.root}/good.csv", sha256=DIGEST)
    assert retrieve(entry, tmp_path).read_bytes() == BODY
    assert "The next address is tried." in caplog.text
    with pytest.raises(RelataskError, match=r"/bad\.csv"):
        retrieve(entry | {"url": f"{service.root}/worse.csv {service.root}/bad.csv"}, tmp_path)


def test_a_file_of_the_mirror_may_be_packed_in_any_way(mirror: Path, tmp_path: Path) -> None:
    entry = entry_of("a.csv.gz", sha256="0" * 64, unpacked_sha256=DIGEST)
    for level in (1, 9):
        packed = gzip.compress(BODY, level, mtime=level)
        (mirror / entry["path"]).write_bytes(packed)
        assert retrieve(entry, tmp_path, mirror).read_bytes() == packed
    (mirror / entry["path"]).write_bytes(gzip.compress(BODY[:-1]))
    with pytest.raises(RelataskError, match=r"a\.csv\.gz has SHA-256 \w+ instead of 0000"):
        retrieve(entry, tmp_path, mirror)


def test_a_packed_file_of_the_mirror_is_unpacked_where_the_sheet_calls_it_plain(
    mirror: Path, tmp_path: Path
) -> None:
    entry = entry_of("a.csv", sha256=DIGEST, unpacked_sha256=DIGEST)
    (mirror / "folder" / "a.csv.gz").write_bytes(gzip.compress(BODY))
    assert retrieve(entry, tmp_path, mirror).read_bytes() == BODY


def test_a_file_is_converted_from_its_originals(service: Service, tmp_path: Path) -> None:
    out = retrieve(converted_entry(service), tmp_path)
    assert gzip.decompress(out.read_bytes()) == MADE
    assert (tmp_path / "raw" / ".originals" / "chembl_25" / "chembl_25.fa.gz").read_bytes() == FASTA
    assert [path.name for path in out.parent.iterdir()] == ["targets.fasta.gz"]


def test_an_original_is_downloaded_once_for_all_that_is_made_of_it(service: Service, tmp_path: Path) -> None:
    entry = converted_entry(service)
    service.faults = [Fault("truncated")]
    threads = [
        threading.Thread(target=retrieve, args=(entry | {"file": f"{n}.gz"}, tmp_path)) for n in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(service.asked) == 2  # the second goes on where the first broke off
    made = [(tmp_path / "raw" / "mine" / f"{n}.gz").read_bytes() for n in range(3)]
    assert made[0] == made[1] == made[2]


def test_an_original_that_was_damaged_is_had_again(service: Service, tmp_path: Path) -> None:
    entry = converted_entry(service)
    retrieve(entry, tmp_path)
    (tmp_path / "raw" / ".originals" / "chembl_25" / "chembl_25.fa.gz").write_bytes(FASTA[:-1])
    assert gzip.decompress(retrieve(entry, tmp_path).read_bytes()) == MADE
    assert len(service.asked) == 2


def test_the_mirror_comes_before_the_conversion(service: Service, mirror: Path, tmp_path: Path) -> None:
    entry = converted_entry(service)
    (mirror / entry["path"]).write_bytes(gzip.compress(MADE, 1, mtime=0))
    assert retrieve(entry, tmp_path, mirror).read_bytes() == gzip.compress(MADE, 1, mtime=0)
    (mirror / entry["path"]).unlink()
    original = entry["originals"]["chembl_25/chembl_25.fa.gz"]
    (mirror / original["path"]).write_bytes(FASTA)
    assert gzip.decompress(retrieve(entry, tmp_path, mirror).read_bytes()) == MADE
    assert service.asked == []


def test_a_conversion_that_makes_another_file_is_told_and_nothing_stays(
    service: Service, tmp_path: Path
) -> None:
    entry = converted_entry(service, made=b"other")
    with pytest.raises(
        RelataskError,
        match=r"^targets\.fasta\.gz, as target_sequences converted it, has unpacked SHA-256 \w{64} instead",
    ):
        retrieve(entry, tmp_path)
    assert not (tmp_path / "raw" / "mine" / "targets.fasta.gz").exists()
