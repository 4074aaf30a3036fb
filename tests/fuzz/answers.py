"""Answers of services without a network: any body for any question, and how often was asked."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import requests
from tenacity import wait_none

from relatask.sources.services.http import Client

ATTEMPTS = 2
URL = "http://service.example/data"
BODIES = [
    *(
        b"",
        b"null",
        b"[]",
        b"{}",
        b"0",
        b'"',
        b"<html>Please log in</html>",
        b"\xff\xfe",
        b"\x1f\x8b",
        b"\n",
        b"\t\n",
    ),
    *(
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 6000,
        b"NaN",
        b'{"assays": null}',
        b'{"error_message": "no"}',
    ),
]


class Session:
    """Answers without a network; counts what is asked."""

    def __init__(self, answer: Callable[[str, dict], tuple[int, bytes]]):
        self.answer, self.asked = answer, 0

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        self.asked += 1
        assert url.startswith(URL), url
        response = requests.Response()
        response.status_code, body = self.answer(url, options.get("params") or options.get("data") or {})
        rest = [body]
        response.raw = SimpleNamespace(
            read1=lambda *size, **options: rest.pop() if rest else b"",
            close=lambda: None,
            release_conn=lambda: None,
        )
        response.url = url
        return response


def client_of(folder: Path, session: Session, service: str) -> Client:
    for stored in (folder / "answers").glob("*"):
        stored.unlink()
    client = Client(
        service, folder / "answers", 1e9, attempts=ATTEMPTS, wait=wait_none(), pause=lambda seconds: None
    )
    client._session = session  # type: ignore[assignment]
    return client
