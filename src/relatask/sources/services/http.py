"""Questions to a web service: asked slowly, asked again after a failure, every answer kept as it came."""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from relatask import __version__
from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json, write_bytes, write_json
from relatask.sources.services.http_body import (
    BROKEN,
    MOST_BYTES,
    MOST_SECONDS,
    TooMuchError,
    first_words,
    read_body,
)

Wait = Callable[[RetryCallState], float]
T = TypeVar("T")
TIMEOUT = (10.0, 60.0)  # seconds to connect, and without a byte
LONGEST_WAIT = 600.0  # seconds; a service that asks for more is better asked another day
USER_AGENT = f"relatask/{__version__}"
_AGAIN = {408, 425, 429}  # and 500 to 599
log = logging.getLogger(__name__)


class InterruptedAnswerError(Exception):
    """A failure that may be gone when the same is asked again; `retry_after` seconds if the server said."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class UnreadableAnswerError(ValueError):
    """What a parser raises when an answer is cut off or has another shape than expected."""


def check_status(response: requests.Response, service: str, body: bytes | None = None) -> None:
    """Raise `InterruptedAnswerError` where asking again may help, `RelataskError` where it cannot.

    Args:
        response: asked for with ``stream=True``.
        service: its name in messages.
        body: where it was read already.
    """
    code = response.status_code
    if code in _AGAIN or code >= 500:
        raise InterruptedAnswerError(f"it answered {code}", _retry_after(response))
    if 300 <= code < 400:
        place = response.headers.get("Location", "another address")
        raise RelataskError(f"{service}: {response.url} moved to {place}; put the new address in the config.")
    if code >= 400:
        words = (
            first_words(response) if body is None else " ".join(body[:200].decode("utf-8", "replace").split())
        )
        said = words or response.reason
        raise RelataskError(
            f"{service} answered {code} to {_short(response.url)} and would do so again: {said!r}; check the "
            "address and the ids that were asked for."
        )


def request(session: requests.Session, method: str, url: str, **options: Any) -> requests.Response:
    """`session.request` that raises `InterruptedAnswerError`, or `RelataskError` for what is no address."""
    try:
        return session.request(method, url, **options)
    except (requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema) as error:
        raise RelataskError(f"{error}; an address begins with http:// or https://.") from None
    except requests.exceptions.InvalidURL as error:
        raise RelataskError(f"{url!r} is not an address: {error}.") from None
    except requests.RequestException as error:
        raise InterruptedAnswerError(f"{type(error).__name__} from {_short(url)}") from None


def retrying(service: str, attempts: int, wait: Wait | None, pause: Callable[[float], None]) -> Retrying:
    """Return tenacity's loop: exponential back-off with jitter, at least as long as the server asks for."""
    base = wait or wait_exponential_jitter(initial=1, max=60)

    def seconds(state: RetryCallState) -> float:
        asked = getattr(state.outcome and state.outcome.exception(), "retry_after", 0.0)
        return max(float(base(state)), asked)

    def tell(state: RetryCallState) -> None:
        reason = state.outcome and state.outcome.exception()
        log.info(
            "%s: %s; attempt %d of %d in %.1f s.",
            service,
            reason,
            state.attempt_number + 1,
            attempts,
            state.upcoming_sleep,
        )

    return Retrying(
        retry=retry_if_exception_type(InterruptedAnswerError),
        stop=stop_after_attempt(attempts),
        wait=seconds,
        sleep=pause,
        before_sleep=tell,
        reraise=True,
    )


@dataclass
class Client:
    """Asks one service and stores each answer, so that what was answered once is never asked again.

    An answer lies under `answers` as the service sent it, named by a digest of the request, with the
    request beside it. Delete the folder to ask afresh.
    """

    service: str  # its name in messages
    answers: Path
    requests_per_second: float = 1.0
    attempts: int = 8
    timeout: tuple[float, float] = TIMEOUT
    longest_answer: float = MOST_SECONDS  # however steadily it drips
    largest_answer: int = MOST_BYTES
    wait: Wait | None = None  # tenacity's; tests pass a short one
    pause: Callable[[float], None] = time.sleep
    asked: int = 0  # requests sent, failed ones too
    reused: int = 0  # answers that were there already
    _session: requests.Session = field(default_factory=requests.Session)
    _next: float = 0.0  # monotonic time before which nothing is sent

    def __post_init__(self) -> None:
        if not self.requests_per_second > 0:
            raise RelataskError(
                f"requests_per_second is {self.requests_per_second}; it must be above 0, such as 1."
            )

    def ask(
        self,
        url: str,
        parameters: Mapping[str, str | int],
        parse: Callable[[bytes], T],
        *,
        method: str = "GET",
        suffix: str = "json",
        absent: Callable[[bytes], bool] | None = None,
    ) -> T | None:
        """Return the parsed answer, stored before it was parsed.

        Args:
            url: where to ask.
            parameters: of the query (GET) or the form (POST).
            parse: turns the body into the answer; raises `UnreadableAnswerError` for a damaged one, which
                is asked for again.
            method: GET or POST.
            suffix: of the stored file.
            absent: says of the body of a 404 whether the service means that it knows no such thing;
                the answer then is None. Without it a 404 is an error.

        Raises:
            RelataskError: the service refuses, or the last attempt failed.
        """
        asked_for = {"method": method, "url": url, "parameters": dict(parameters)}
        digest = hashlib.sha256(canonical_json(asked_for).encode()).hexdigest()[:32]
        stored = self.answers / f"{digest}.{suffix}"
        if stored.with_suffix(".absent").exists():
            self.reused += 1
            return None
        if stored.exists():
            try:
                answer = parse(stored.read_bytes())
            except UnreadableAnswerError as error:
                log.info("%s: the stored answer %s is asked for again: %s.", self.service, stored, error)
            else:
                self.reused += 1
                return answer
        write_json(stored.with_suffix(".request.json"), asked_for)
        loop = retrying(self.service, self.attempts, self.wait, self.pause)
        try:
            return loop(self._attempt, asked_for, stored, parse, absent)
        except InterruptedAnswerError as error:
            raise RelataskError(
                f"{self.service} gave no answer in {self.attempts} attempts: {error}; run again later, "
                f"what was answered is kept in {self.answers}."
            ) from None

    def _attempt(
        self,
        asked_for: dict[str, Any],
        stored: Path,
        parse: Callable[[bytes], T],
        absent: Callable[[bytes], bool] | None,
    ) -> T | None:
        self._keep_rate()
        method = asked_for["method"]
        with request(
            self._session,
            method,
            asked_for["url"],
            timeout=self.timeout,
            headers={"User-Agent": USER_AGENT},
            allow_redirects=method == "GET",  # a redirected POST would lose its form
            stream=True,  # so that the body can be bounded
            **{"params" if method == "GET" else "data": asked_for["parameters"]},
        ) as response:
            if response.status_code != 404 or absent is None:
                check_status(response, self.service)
            body = self._body_of(response)
            if response.status_code == 404 and absent is not None and absent(body):
                write_bytes(stored.with_suffix(".absent"), body)
                return None
            check_status(response, self.service, body)
        write_bytes(stored, body)
        try:
            return parse(body)
        except UnreadableAnswerError as error:
            stored.replace(stored.with_suffix(".unreadable"))  # kept for whoever wants to see it
            raise InterruptedAnswerError(f"its answer cannot be read: {error}") from None

    def _body_of(self, response: requests.Response) -> bytes:
        try:
            return read_body(response, self.longest_answer, self.largest_answer)
        except TooMuchError as error:
            raise InterruptedAnswerError(str(error)) from None
        except BROKEN as error:
            raise InterruptedAnswerError(f"{type(error).__name__} from {_short(response.url)}") from None

    def _keep_rate(self) -> None:
        """Wait until the next request may be sent."""
        if (left := self._next - time.monotonic()) > 0:
            self.pause(left)
        self._next = time.monotonic() + 1 / self.requests_per_second
        self.asked += 1


def _retry_after(response: requests.Response) -> float:
    """Seconds that the server asks to wait; the header holds seconds or a date (RFC 9110, 10.2.3)."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        seconds = float(text)
    else:
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):  # no header, no date, or a date without a zone
            return 0.0
    if seconds > LONGEST_WAIT:
        raise RelataskError(
            f"{_short(response.url)} asks to wait {seconds:.0f} s before the next request; run again then."
        )
    return max(0.0, seconds)


def _short(url: str) -> str:
    return url if len(url) <= 120 else f"{url[:117]}..."
