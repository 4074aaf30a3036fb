"""Data sets are put into a folder that is then a mirror."""

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from relatask.__main__ import main
from tests.helpers.service import Service, running

HEADER = "name\tfile\tpath\turl\tsha256\tbytes\tunpacked_sha256\tconversion\tlicence\tcitation\tnote\n"
FASTA = gzip.compress(b"> CHEMBL1 [O00141] kinase (Homo sapiens)\nMKV\n", mtime=3)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running() as server:
        yield server


@pytest.fixture
def config(service: Service, tmp_path: Path) -> Path:
    service.files["/a.csv"], service.files["/chembl_25.fa.gz"] = (b"a", '"v1"'), (FASTA, '"v1"')
    service.files["/tasks.csv"] = (b"t", '"v1"')
    made = hashlib.sha256(b">O00141\nMKV\n").hexdigest()
    sha256 = hashlib.sha256(b"a").hexdigest()
    (tmp_path / "config" / "studies").mkdir(parents=True)
    (tmp_path / "config" / "datasets.tsv").write_text(
        f"{HEADER}tox21\ta.csv\tdeep/a.csv\t{service.root}/a.csv\t{sha256}\t1\t-\t-\tMIT\tWu 2018\t\n"
        f"tox21\ttasks.csv\ttasks.csv\t{service.root}/tasks.csv\t-\t-\t-\t-\tMIT\tWu 2018\t\n"
        f"chembl_25\tchembl_25.fa.gz\tx.gz\t{service.root}/chembl_25.fa.gz\t-\t-\t-\t-\tCC0\tM 2019\t\n"
        f"sequences\tt.fasta.gz\tt.fasta.gz\t-\t-\t-\t{made}\ttarget_sequences\tnone stated\tM 2019\t\n"
    )
    (tmp_path / "config" / "studies" / "small.yaml").write_text(
        "title: Small\nsources: {tox21: {reader: table}}\ndatasets: {tox21: {source: tox21}}\n"
        "methods: [{label: RF, method: random_forest}]\nbaseline: RF\nscales: {quick: {seeds: [0]}}\n"
    )
    return tmp_path / "config"


def retrieve(config: Path, *arguments: str) -> int:
    return main(["retrieve", *arguments, "--out", str(config.parent / "mirror"), "--config", str(config)])


def test_files_are_downloaded_and_converted_once(service: Service, config: Path, capsys) -> None:
    mirror = config.parent / "mirror"
    assert retrieve(config, "tox21", "sequences") == 0
    assert (mirror / "deep" / "a.csv").read_bytes() == b"a"
    assert gzip.decompress((mirror / "t.fasta.gz").read_bytes()) == b">O00141\nMKV\n"
    said = capsys.readouterr().err
    assert "mirror/t.fasta.gz: retrieved. Licence: none stated." in said
    (mirror / "deep" / "a.csv").write_bytes(b"b")  # damaged
    asked = len(service.asked)
    assert (mirror / "tasks.csv").read_bytes() == b"t"
    assert retrieve(config, "--study", "small") == retrieve(config, "tox21", "sequences") == 0
    assert (mirror / "deep" / "a.csv").read_bytes() == b"a"
    assert len(service.asked) == asked + 1
    assert (mirror / "deep" / "a.csv.other").read_bytes() == b"b"  # which may have been meant
    assert "mirror/deep/a.csv: is there. Licence: MIT." in capsys.readouterr().err


def test_a_study_without_relations_needs_no_sheet_of_proteins(config: Path) -> None:
    assert retrieve(config, "--study", "small") == 0
    mirror = config.parent / "mirror"
    assert [path.name for path in mirror.rglob("*.csv")] == ["a.csv"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name a data set or a --study. Known: chembl_25, sequences, tox21."),
        (["tox12"], "'tox12' is not in config/datasets.tsv. Did you mean 'tox21'?"),
        (["--study", "smal"], "there is no study smal. Did you mean 'small'?"),
    ],
)
def test_a_wrong_name_is_told(config: Path, arguments: list[str], said: str, capsys) -> None:
    assert retrieve(config, *arguments) == 2
    assert said in capsys.readouterr().err
