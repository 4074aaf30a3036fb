"""The login and token of a service's address reach the service, and no message, file or log."""

import base64
import json
from pathlib import Path

import pytest

from relatask.__main__ import main
from relatask.core.tables import write_table
from tests.helpers.clients import many, proteins
from tests.helpers.data_tables import tasks_table
from tests.helpers.service import Fault, Service, activity, running, target

USER, PASSWORD, TOKEN = "someone", "p@ss/word", "t0ken+t0ken"
SPELLINGS = (
    PASSWORD,
    "p%40ss",
    TOKEN,
    "t0ken%2Bt0ken",
    base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
)
STEPS = ("query_activities", "query_assay_targets", "query_string")


def secret(address: str) -> str:
    return address.replace("://", f"://{USER}:p%40ss%2Fword@") + "/?api_key=t0ken%2Bt0ken"


@pytest.fixture
def guarded(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service that answers only to its login, and whose pages lead on with the token."""
    service.login = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    service.page = 2
    many(service, 5)
    service.records["targets"] += [target("CHEMBL1", "P00001")]
    service.records["activities"] = [activity(n, f"CHEMBL5{n}", "CHEMBL1", "6.4", "CCO") for n in range(5)]
    proteins(service, 3)
    service.link("9606.ENSP00001", "9606.ENSP00002")
    monkeypatch.setenv("RELATASK_CHEMBL", secret(service.chembl))
    monkeypatch.setenv("RELATASK_STRING", secret(service.string))
    return service


def step_of(name: str, folder: Path) -> list[str]:
    """Arguments of a step, but for the address."""
    step = [name, "--answers", str(folder / "answers"), "--requests-per-second", "1000"]
    step += ["--log", str(folder / "step.log"), "--out", str(folder / "out")]
    if name == "query_activities":
        block = {"reader": "chembl_activities", "targets": ["CHEMBL1"]}
        return [*step, "--source-config", json.dumps(block)]
    if name == "query_assay_targets":
        (folder / "assays.txt").write_text("\n".join(f"CHEMBL{n}" for n in range(1, 6)))
        return [*step, "--assays", str(folder / "assays.txt")]
    write_table("tasks", tasks_table(["a"], uniprots=[["P00001", "P00002"]]), folder / "tasks.parquet")
    return [*step, "--tasks", str(folder / "tasks.parquet"), "--out-proteins", str(folder / "proteins")]


def require_secret(folder: Path, said: str) -> None:
    """No file, name of a file, or message holds a secret."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for spelling in SPELLINGS:
        assert spelling not in said
        for path in files:
            assert spelling not in path.name
            assert spelling.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("name", STEPS)
def test_each_request_holds_them_and_nothing_else_does(
    guarded: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(step_of(name, tmp_path)) == 0
    said = capsys.readouterr()
    require_secret(tmp_path, said.out + said.err)
    assert [asked.query["api_key"] for asked in guarded.asked] == [TOKEN] * len(guarded.asked)
    asked = len(guarded.asked)
    assert asked > 1
    address = guarded.string if name == "query_string" else guarded.chembl
    other = f"{address.replace('://', '://me:other@')}?api_key=other"
    assert main([*step_of(name, tmp_path), "--service-url", other]) == 0
    assert len(guarded.asked) == asked  # what was answered holds with another password as well


SAID = f"no {TOKEN} http://{USER}:{PASSWORD}@a?api_key=t0ken%2Bt0ken".encode()
ANSWERS = {
    "a refusal": Fault("raw", body=b"HTTP/1.1 403 No\r\nContent-Length: %d\r\n\r\n" % len(SAID) + SAID),
    "a wrong login": Fault("status", 401),
    "a page of HTML": Fault("raw", body=b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(SAID) + SAID),
    "moved to a file": Fault("status", 302, {"Location": f"file:///x?api_key={TOKEN}"}),
    "moved for ever": Fault("status", 302, {"Location": "?api_key=t0ken%2Bt0ken&n=1"}),
    "a long wait": Fault("status", 503, {"Retry-After": "9999"}),
    "failures": Fault("status", 500),
    "resets": Fault("reset"),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("name", STEPS)
def test_no_message_about_a_wrong_answer_holds_them(
    guarded: Service,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    answer: str,
) -> None:
    monkeypatch.setattr("relatask.sources.services.http.wait_exponential_jitter", lambda **_: lambda state: 0)
    guarded.faults = [ANSWERS[answer]] * 99
    assert main(step_of(name, tmp_path)) == 2
    said = capsys.readouterr()
    assert "STRING" in said.err or "ChEMBL" in said.err
    require_secret(tmp_path, said.out + said.err)


def test_another_server_to_which_a_service_leads_does_not_get_them(guarded: Service, tmp_path: Path) -> None:
    with running() as other:
        many(other, 5)
        place = f"{other.chembl}/assay.json?assay_chembl_id__in=CHEMBL1,CHEMBL2,CHEMBL3,CHEMBL4,CHEMBL5"
        guarded.faults = [Fault("status", 302, {"Location": place})]
        assert main(step_of("query_assay_targets", tmp_path)) == 0
        assert len(other.asked) == 1
        assert "Authorization" not in other.asked[0].headers
        assert "api_key" not in other.asked[0].query


def test_without_an_address_the_way_to_give_one_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RELATASK_CHEMBL", raising=False)
    assert main(step_of("query_assay_targets", tmp_path)) == 2
    assert "address of ChEMBL as --service-url or in RELATASK_CHEMBL" in capsys.readouterr().err
    assert main([*step_of("query_assay_targets", tmp_path), "--service-url", "http://me:p/w@a.example"]) == 2
    said = capsys.readouterr().err
    assert "--service-url: 'http://***@a.example' is not an address; write" in said
