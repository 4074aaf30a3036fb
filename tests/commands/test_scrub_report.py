"""A report of Snakemake is shown without folders, user and host, and its programs stay as they were."""

import getpass
import json
import socket
from pathlib import Path

import pytest

from relatask.__main__ import main
from tests.helpers.paths import ROOT

PROGRAM = "<script>var jdoecanary = 1, labbox = jdoecanary / labbox;</script>"
PATTERN = "results/{dataset,a|b}/items.parquet"


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(getpass, "getuser", lambda: "jdoecanary")
    monkeypatch.setattr(socket, "gethostname", lambda: "labbox")


def write_report(
    path: Path, params: str = "", files: tuple[str, ...] = (), shown: str = "results/mine/tables/main.html"
) -> Path:
    """Write the parts of a report of Snakemake 9.27 that name files."""
    result = {"caption": "<p>x</p>", "job_properties": {"params": params}, "data_uri": "data:jdoecanary"}
    rule = {"input": list(files), "output": [PATTERN], "code": "<pre>/usr</pre>"}
    scripts = {"results": {shown: result}, "rules": {"write_tables": rule}}
    texts = [
        f'<script id="{name}">\n    var {name} = {json.dumps(value)};\n    </script>'
        for name, value in scripts.items()
    ]
    path.write_text("\n".join([PROGRAM, *texts]))
    return path


def part(report: Path, name: str) -> dict:
    text = report.read_text()
    start = text.index(f"var {name} = ") + len(f"var {name} = ")
    return next(iter(json.JSONDecoder().raw_decode(text, start)[0].values()))


@pytest.mark.parametrize(
    ("params", "shown"),
    [
        ("path=/data/CANARYUSER/se cret/x.csv, n=3", "path=…/x.csv, n=3"),
        ('config={"path":"/data/CANARYUSER/se cret/x.csv","n":3}', 'config={"path":"…/x.csv","n":3}'),
        ("path=/data/jdoecanary/jdoecanary.csv, on=labbox", "path=…/[user].csv, on=[host]"),
        ("study=HERE/results/mine/study.json", "study=results/mine/study.json"),
        ("path=PROJECT/config/published.csv", "path=relatask/config/published.csv"),
        ("path=HERE/snakemake-runtime-cache/t1/filePROJECT/config.yaml", "path=relatask/config.yaml"),
        ("study=results/mine/study.json, seeds=0 1", "study=results/mine/study.json, seeds=0 1"),
    ],
)
def test_params_keep_the_last_name_of_a_path(tmp_path: Path, params: str, shown: str) -> None:
    given = params.replace("HERE", str(tmp_path)).replace("PROJECT", str(ROOT))
    report = write_report(tmp_path / "report.html", given)
    assert main(["scrub_report", str(report), "--out", str(report)]) == 0
    assert part(report, "results")["job_properties"]["params"] == shown


def test_files_keep_their_last_name_and_patterns_stay(tmp_path: Path) -> None:
    files = (
        "/data/CANARYUSER/se cret/x.csv",
        f"{tmp_path}/é/a.csv",
        f"{ROOT}/envs/base.yaml",
        "results/a.csv",
    )
    report = write_report(tmp_path / "report.html", files=files)
    assert main(["scrub_report", str(report), "--out", str(report)]) == 0
    rule = part(report, "rules")
    assert rule["input"] == ["…/x.csv", "é/a.csv", "relatask/envs/base.yaml", "results/a.csv"]
    assert rule["output"] == [PATTERN]
    assert rule["code"] == "<pre>/usr</pre>"


def test_programs_and_contents_of_tables_stay_as_they_were(tmp_path: Path) -> None:
    report = write_report(tmp_path / "report.html")
    assert main(["scrub_report", str(report), "--out", str(report)]) == 0
    assert report.read_text().startswith(PROGRAM)
    assert part(report, "results")["data_uri"] == "data:jdoecanary"


def test_the_report_appears_clean_and_whole_and_the_other_one_goes(tmp_path: Path) -> None:
    raw = write_report(tmp_path / ".report.html", "path=/data/CANARYUSER/x.csv")
    out = tmp_path / "report.html"
    out.write_text("of an earlier run")
    assert main(["scrub_report", str(raw), "--out", str(out)]) == 0
    assert "CANARYUSER" not in out.read_text()
    assert not raw.exists()


def test_a_report_lies_with_the_results_of_its_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    raw = write_report(tmp_path / ".report.html")
    assert main(["scrub_report", str(raw)]) == 0
    assert (tmp_path / "results" / "mine" / "report.html").is_file()
    assert "The report, results/mine/report.html," in capsys.readouterr().out
    raw = write_report(tmp_path / ".report.html", shown="main.html")
    assert main(["scrub_report", str(raw)]) == 2
    assert "shows results of no study" in capsys.readouterr().err
    assert raw.is_file()


def test_a_user_without_home_folder_and_name_can_show_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*arguments: object) -> None:
        raise KeyError("getpwuid(): uid not found: 12345")

    def homeless(*arguments: object) -> None:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(getpass, "getuser", unknown)
    monkeypatch.setattr(Path, "home", homeless)
    report = write_report(tmp_path / "report.html", "path=/data/CANARYUSER/x.csv")
    assert main(["scrub_report", str(report), "--out", str(report)]) == 0
    assert "CANARYUSER" not in report.read_text()


@pytest.mark.parametrize(
    "content", ["<html></html>", '<script id="results">var results = {"a": 1};</script>']
)
def test_a_file_in_another_form_is_refused_and_never_shown(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = tmp_path / ".report.html"
    raw.write_text(content)
    assert main(["scrub_report", str(raw), "--out", str(tmp_path / "report.html")]) == 2
    assert "holds no results in the form of Snakemake 9.27" in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()
