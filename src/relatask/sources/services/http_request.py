"""One request: which failures may pass, which refusals are final, and how far it is sent on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from relatask import __version__
from relatask.core.credentials import Credentials, hidden
from relatask.core.errors import RelataskError
from relatask.sources.services.http_body import BROKEN, first_words
from relatask.sources.services.http_deadline import Deadline, TimedAdapter, TooSlowError

TIMEOUT = (10.0, 60.0)  # seconds to connect, and without a byte
LONGEST_WAIT = 600.0  # seconds; a service that asks for more is better asked another day
MOST_REDIRECTS = 5
USER_AGENT = f"relatask/{__version__}"
_NO_ADDRESS = (
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
)
_AGAIN = {408, 425, 429}  # and 500 to 599


@dataclass(frozen=True)
class Server:
    """Whom a request is for."""

    name: str  # in messages
    stated_in: str  # where its address stands, in messages
    credentials: Credentials = field(default_factory=Credentials)


class InterruptedAnswerError(Exception):
    """A failure that may be gone when the same is asked again; `retry_after` seconds if the server said."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class _Session(requests.Session):
    """A session that reads no redirect, not even to say where it leads: `send` does, within bounds."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return nothing."""


def session_with(deadline: Deadline) -> requests.Session:
    """Return a session whose answers raise `TooSlowError` when their time is over."""
    session = _Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, TimedAdapter(deadline))
    return session


def send(
    session: requests.Session,
    method: str,
    url: str,
    server: Server,
    before: Callable[[], None] = lambda: None,
    **options: Any,
) -> requests.Response:
    """Send a request and return its answer, of which the body is not yet read.

    A GET is sent on to at most `MOST_REDIRECTS` other addresses, a POST to none, as it would lose its form.

    Args:
        session: see `session_with`.
        method: GET or POST.
        url: where to ask.
        server: whom it is for.
        before: called before each request, also where it is sent on.
        options: of `requests.Session.request`.

    Raises:
        InterruptedAnswerError: there is no answer.
        RelataskError: it is no address, or it leads to where it should not.
    """
    place = url
    for _ in range(MOST_REDIRECTS + 1):
        before()
        response = _sent(session, method, place, server, options)
        if not response.is_redirect or method != "GET":
            return response
        response.close()
        place = server.credentials.without(_next_place(place, response, server))
        options.pop("params", None)
    raise RelataskError(
        f"{server.name}: {url} leads on more than {MOST_REDIRECTS} times, last to {place}; put the address "
        f"where it ends into {server.stated_in}."
    )


def check_status(response: requests.Response, server: Server, body: bytes | None = None) -> None:
    """Raise `InterruptedAnswerError` where asking again may help, `RelataskError` where it cannot.

    Args:
        response: asked for with ``stream=True``.
        server: whom it is of.
        body: where it was read already.
    """
    code, url = response.status_code, server.credentials.without(response.url)
    if code in _AGAIN or code >= 500:
        raise InterruptedAnswerError(f"it answered {code}", _retry_after(response, server))
    if 300 <= code < 400:
        place = _location(response) or "another address"
        raise RelataskError(
            f"{server.name}: {url} moved to {place}; put the new address into {server.stated_in}."
        )
    if code >= 400:
        said = first_words(_beginning(response) if body is None else body) or response.reason
        raise RelataskError(
            f"{server.name} answered {code} to {short(url)} and would do so again: {said!r}; check the "
            "address and the ids that were asked for."
        )


def short(url: str) -> str:
    """Return an address for a message."""
    url = hidden(url)
    return url if len(url) <= 120 else f"{url[:117]}..."


def _sent(
    session: requests.Session,
    method: str,
    url: str,
    server: Server,
    options: dict[str, Any],
) -> requests.Response:
    own = server.credentials.options_for(url)
    options = options | {"auth": own["auth"], "params": options.get("params", {}) | own["params"]}
    headers = {"User-Agent": USER_AGENT} | options.pop("headers", {})
    try:
        return session.request(
            method,
            url,
            headers=headers,
            stream=True,  # so that the body can be bounded
            **options,
        )
    except _NO_ADDRESS:
        raise RelataskError(
            f"{server.name}: {url!r} is not an address of http:// or https://; correct it in "
            f"{server.stated_in}."
        ) from None
    except TooSlowError as error:
        raise InterruptedAnswerError(str(error)) from None
    except (requests.RequestException, HTTPError) as error:
        raise InterruptedAnswerError(f"{type(error).__name__} from {short(url)}") from None


def _next_place(url: str, response: requests.Response, server: Server) -> str:
    """Return where an answer leads, an address of http or https."""
    location = _location(response)
    try:
        place = urljoin(url, location)
        scheme = urlsplit(place).scheme
    except ValueError:  # no address at all
        place, scheme = location, ""
    if scheme not in {"http", "https"}:
        raise RelataskError(
            f"{server.name}: {url} leads to {place!r}, which is no address of http or https; correct the "
            f"address in {server.stated_in}."
        )
    if urlsplit(url).scheme == "https" and scheme == "http":
        raise RelataskError(
            f"{server.name}: {url} leads to {place}, which is not encrypted; if you trust it, put it into "
            f"{server.stated_in}."
        )
    return place


def _location(response: requests.Response) -> str:
    """Where an answer leads; http.client reads headers as Latin-1."""
    return response.headers.get("Location", "").encode("latin-1", "replace").decode("utf-8", "replace")


def _beginning(response: requests.Response) -> bytes:
    try:
        return response.raw.read1(1000, decode_content=True) or b""
    except (*BROKEN, TooSlowError):
        return b""


def _retry_after(response: requests.Response, server: Server) -> float:
    """Seconds that the server asks to wait; the header holds seconds or a date (RFC 9110, 10.2.3)."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        seconds = float(text)
    else:
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError, OverflowError):  # no header, no date, or a date without a zone
            return 0.0
    if seconds > LONGEST_WAIT:
        raise RelataskError(
            f"{server.name} asks to wait {seconds:.0f} s before the next request; run again then."
        )
    return max(0.0, seconds)
