"""A client that keeps every answer, asks again where that helps, and gives up where it does not."""

import io
import json
import logging
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import cast

import pytest
import requests
from tenacity import wait_none

from relatask.core.errors import RelataskError
from relatask.sources.services.http import Client, UnreadableAnswerError
from relatask.sources.services.http_request import Server, send
from tests.helpers.service import Fault, Service, assay


def parse(body: bytes) -> list[str]:
    try:
        return [record["assay_chembl_id"] for record in json.loads(body)["assays"]]
    except (ValueError, KeyError):
        raise UnreadableAnswerError("it is no list of assays") from None


def client_of(tmp_path: Path, **settings) -> Client:
    defaults = {"requests_per_second": 1000.0, "wait": wait_none(), "timeout": (5.0, 30.0)}
    return Client("ChEMBL", tmp_path / "answers", **(defaults | settings))


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return 100 + sum(self.pauses)

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


def ask(client: Client, service: Service, **options) -> list[str] | None:
    return client.ask(f"{service.chembl}/assay.json", {"limit": 20}, parse, **options)


@pytest.fixture
def served(service: Service) -> Service:
    service.records["assays"] = [assay("CHEMBL1", "CHEMBL10"), assay("CHEMBL2", "CHEMBL20")]
    return service


def test_an_answer_is_stored_as_it_came_and_not_asked_for_again(served: Service, tmp_path: Path) -> None:
    first, second = client_of(tmp_path), client_of(tmp_path)
    assert ask(first, served) == ask(second, served) == ["CHEMBL1", "CHEMBL2"]
    assert len(served.asked) == first.asked == second.reused == 1
    (answer,) = [path for path in (tmp_path / "answers").glob("*.json") if ".request." not in path.name]
    assert json.loads(answer.read_bytes())["assays"] == served.records["assays"]
    (request,) = (tmp_path / "answers").glob("*.request.json")
    assert json.loads(request.read_text())["url"] == f"{served.chembl}/assay.json"


def test_an_answer_is_on_disk_before_it_is_parsed(served: Service, tmp_path: Path) -> None:
    def killed(body: bytes) -> list[str]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client_of(tmp_path).ask(f"{served.chembl}/assay.json", {"limit": 20}, killed)
    assert ask(client_of(tmp_path), served) == ["CHEMBL1", "CHEMBL2"]
    assert len(served.asked) == 1


def test_a_burst_of_failures_ends_in_one_sentence_and_keeps_what_was_answered(
    served: Service, tmp_path: Path
) -> None:
    ask(client_of(tmp_path), served)
    served.faults = [Fault("status", 503)] * 4
    with pytest.raises(
        RelataskError, match=r"ChEMBL gave no answer in 4 attempts: it answered 503; run again"
    ):
        client_of(tmp_path, attempts=4).ask(f"{served.chembl}/assay.json", {"limit": 5}, parse)
    assert len(served.asked) == 5
    assert ask(client_of(tmp_path), served) == ["CHEMBL1", "CHEMBL2"]
    assert len(served.asked) == 5


def test_a_404_is_an_answer_only_where_the_service_says_so(served: Service, tmp_path: Path) -> None:
    url = f"{served.chembl}/assay/CHEMBL404.json"
    for _ in range(2):
        client = client_of(tmp_path)
        assert client.ask(url, {}, parse, absent=lambda body: b"error_message" in body) is None
    assert len(served.asked) == client.reused == 1
    with pytest.raises(RelataskError, match="404"):
        client_of(tmp_path / "other").ask(url, {}, parse, absent=lambda body: b"Error\t" in body)


@pytest.mark.parametrize("as_date", [False, True])
def test_the_wait_is_at_least_what_the_server_asks_for(
    served: Service, tmp_path: Path, as_date: bool
) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=31), usegmt=True)
    served.faults = [Fault("status", 429, {"Retry-After": moment if as_date else "30"})]
    pauses: list[float] = []
    assert ask(client_of(tmp_path, pause=pauses.append), served)
    assert max(pauses) == pytest.approx(30, abs=2)


def test_the_server_is_not_asked_before_the_time_it_named(served: Service, tmp_path: Path) -> None:
    served.faults = [Fault("status", 429, {"Retry-After": "1"})]
    ask(client_of(tmp_path), served)
    assert served.asked[1].at - served.asked[0].at >= 1.0


def test_waits_grow_and_differ_by_chance(served: Service, tmp_path: Path) -> None:
    waits = []
    for attempt in range(2):
        served.faults = [Fault("status", 500)] * 4
        pauses: list[float] = []
        ask(client_of(tmp_path / str(attempt), wait=None, pause=pauses.append), served)
        waits.append([pause for pause in pauses if pause > 0.5])  # the rate limit's are shorter
    for first in waits:
        assert [low <= pause <= low + 1 for low, pause in zip((1, 2, 4, 8), first, strict=True)] == [True] * 4
    assert waits[0] != waits[1]


def test_requests_keep_their_distance(
    served: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("relatask.sources.services.http.time", clock)
    client = client_of(tmp_path, requests_per_second=4, pause=clock.pause)
    there = {"Location": f"{served.chembl}/assay.json"}
    served.faults = [Fault("status", 500), Fault("status", 302, there)]  # these requests keep it too
    for limit in range(1, 5):
        client.ask(f"{served.chembl}/assay.json", {"limit": limit}, parse)
    assert len(served.asked) == client.asked == 6
    assert [pause for pause in clock.pauses if pause] == [0.25] * 5


def test_a_question_is_sent_on_to_where_its_answer_is(served: Service, tmp_path: Path) -> None:
    places = ["/older", f"{served.root}/oldest", "/chembl/api/data/assay.json?limit=20"]
    served.faults = [
        Fault("status", code, {"Location": p}) for code, p in zip((301, 307, 303), places, strict=True)
    ]
    client = client_of(tmp_path)
    for _ in range(2):
        assert client.ask(f"{served.root}/old/assay.json", {"limit": 20}, parse) == ["CHEMBL1", "CHEMBL2"]
    assert [asked.path for asked in served.asked] == [
        *("/old/assay.json", "/older", "/oldest", "/chembl/api/data/assay.json")
    ]
    assert [asked.query for asked in served.asked] == [{"limit": "20"}, {}, {}, {"limit": "20"}]


def test_redirects_without_end_are_few_and_told(served: Service, tmp_path: Path) -> None:
    served.faults = [Fault("status", 302, {"Location": f"?{n}"}) for n in range(99)]
    client = client_of(tmp_path)
    said = r"assay.json leads on more than 5 times, last to http.*/assay.json\?5; put the address where it"
    with pytest.raises(RelataskError, match=f"^ChEMBL: http.*/{said} ends into `services` of config"):
        ask(client, served)
    assert len(served.asked) == client.asked == 6


def test_the_body_of_a_redirect_is_not_read(served: Service, tmp_path: Path) -> None:
    head = f"HTTP/1.1 302 Found\r\nLocation: {served.chembl}/assay.json\r\nTransfer-Encoding: chunked\r\n\r\n"
    served.faults = [Fault("raw", body=head.encode(), more=b"1\r\n \r\n", seconds=0.05)]
    started = time.monotonic()
    assert ask(client_of(tmp_path), served) == ["CHEMBL1", "CHEMBL2"]
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (
            "file:///etc/passwd",
            "leads to 'file:///etc/passwd', which is no address of http or https; correct",
        ),
        ("ftp://127.0.0.1/", "leads to 'ftp://127.0.0.1/', which is no address of http or https; corr"),
        ("javascript:alert()", "which is no address of http or https"),
        ("http://[", r"leads to 'http://\[', which is no address of http or https"),
        (
            "http://127.0.0.1:x",
            "is not an address of http:// or https://; correct it in `services` of config",
        ),
    ],
)
def test_a_redirect_to_what_is_no_service_is_refused(
    served: Service, tmp_path: Path, place: str, said: str
) -> None:
    served.faults = [Fault("status", 302, {"Location": place})]
    with pytest.raises(RelataskError, match=f"^ChEMBL: .*{said}"):
        ask(client_of(tmp_path), served)
    assert len(served.asked) == 1


def test_an_encrypted_question_is_not_sent_on_without_encryption() -> None:
    class Session:
        def request(self, method: str, url: str, **options) -> requests.Response:
            response = requests.Response()
            response.status_code, response.raw = 301, io.BytesIO()
            response.headers["Location"] = "http://a.example/x"
            return response

    server = Server("ChEMBL", "config.yaml")
    with pytest.raises(RelataskError, match=r"leads to http://a\.example/x, which is not encrypted; if you"):
        send(cast(requests.Session, Session()), "GET", "https://a.example/x", server)


def test_a_form_is_never_sent_on_to_another_address(served: Service, tmp_path: Path) -> None:
    served.faults = [Fault("status", 301, {"Location": "https://elsewhere.example/api"})]
    with pytest.raises(
        RelataskError,
        match=r"moved to https://elsewhere.example/api; put the new address into `services` of config",
    ):
        ask(client_of(tmp_path), served, method="POST")


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_that_allows_no_request_is_a_mistake(tmp_path: Path, rate: float) -> None:
    with pytest.raises(RelataskError, match=r"requests_per_second is .* it must be above 0"):
        client_of(tmp_path, requests_per_second=rate)


def test_a_damaged_stored_answer_is_asked_for_again(
    served: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ask(client_of(tmp_path), served)
    (answer,) = [path for path in (tmp_path / "answers").glob("*.json") if ".request." not in path.name]
    answer.write_bytes(answer.read_bytes()[:50])
    assert ask(client_of(tmp_path), served) == ["CHEMBL1", "CHEMBL2"]
    assert len(served.asked) == 2
    assert "is asked for again: it is no list of assays" in caplog.text


def test_an_unreadable_answer_is_kept_for_inspection(served: Service, tmp_path: Path) -> None:
    served.faults = [Fault("html")] * 2
    with pytest.raises(RelataskError, match="it is no list of assays"):
        ask(client_of(tmp_path, attempts=2), served)
    (kept,) = (tmp_path / "answers").glob("*.unreadable")
    assert b"Please log in" in kept.read_bytes()


@pytest.mark.parametrize("url", ["www.ebi.ac.uk/chembl", "ftp://www.ebi.ac.uk/chembl", "http://"])
def test_what_is_no_address_is_said_at_once(tmp_path: Path, url: str) -> None:
    with pytest.raises(RelataskError, match=r"http://"):
        client_of(tmp_path).ask(url, {}, parse)


def test_nobody_listening_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(
        RelataskError, match=r"no answer in 3 attempts: ConnectionError from http://127.0.0.1:9"
    ):
        client_of(tmp_path, attempts=3).ask("http://127.0.0.1:9/assay.json", {}, parse)
