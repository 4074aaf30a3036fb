"""Questions to a web service: asked slowly, asked again after a failure, every answer kept as it came."""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from relatask.core.credentials import Credentials
from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json, write_bytes, write_json
from relatask.sources.services.http_body import BROKEN, MOST_BYTES, TooMuchError, read_body
from relatask.sources.services.http_deadline import Deadline, TooSlowError
from relatask.sources.services.http_request import (
    TIMEOUT,
    InterruptedAnswerError,
    Server,
    check_status,
    send,
    session_with,
    short,
)

Wait = Callable[[RetryCallState], float]
T = TypeVar("T")
MOST_SECONDS = 300.0  # of a whole answer
log = logging.getLogger(__name__)


class UnreadableAnswerError(ValueError):
    """What a parser raises when an answer is cut off or has another shape than expected."""


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
    request beside it. Delete the folder to ask afresh. Secrets of `credentials` are in no file and message.
    """

    service: str  # its name in messages
    answers: Path
    requests_per_second: float = 1.0
    credentials: Credentials = field(default_factory=Credentials)
    attempts: int = 8
    timeout: tuple[float, float] = TIMEOUT
    longest_answer: float = MOST_SECONDS  # however steadily it drips
    largest_answer: int = MOST_BYTES
    wait: Wait | None = None  # tenacity's; tests pass a short one
    pause: Callable[[float], None] = time.sleep
    asked: int = 0  # requests sent, failed ones too
    reused: int = 0  # answers that were there already
    _session: requests.Session = field(init=False)
    _next: float = 0.0  # monotonic time before which nothing is sent

    def __post_init__(self) -> None:
        if not self.requests_per_second > 0:
            raise RelataskError(
                f"requests_per_second is {self.requests_per_second}; it must be above 0, such as 1."
            )
        self._session = session_with(Deadline(self.longest_answer))

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
            url: where to ask; `credentials` are added to it.
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
        url = self.credentials.without(url)
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
        try:
            body, known = self._fetched(asked_for, absent)
        except InterruptedAnswerError as error:
            raise InterruptedAnswerError(self._hidden(error), error.retry_after) from None
        except RelataskError as error:
            raise RelataskError(self._hidden(error)) from None
        write_bytes(stored if known else stored.with_suffix(".absent"), body)
        if not known:
            return None
        try:
            return parse(body)
        except UnreadableAnswerError as error:
            stored.replace(stored.with_suffix(".unreadable"))  # kept for whoever wants to see it
            raise InterruptedAnswerError(f"its answer cannot be read: {error}") from None

    def _fetched(
        self, asked_for: dict[str, Any], absent: Callable[[bytes], bool] | None
    ) -> tuple[bytes, bool]:
        """Return the body of an answer, and whether the service knows what it was asked for."""
        method, url, parameters = asked_for["method"], asked_for["url"], asked_for["parameters"]
        options = {"params" if method == "GET" else "data": parameters, "timeout": self.timeout}
        server = Server(self.service, "`services` of config.yaml", self.credentials)
        with send(self._session, method, url, server, self._keep_rate, **options) as response:
            if response.status_code != 404 or absent is None:
                check_status(response, server)
            body = self.credentials.hide(self._body_of(response))
            if response.status_code == 404 and absent is not None and absent(body):
                return body, False
            check_status(response, server, body)
        return body, True

    def _body_of(self, response: requests.Response) -> bytes:
        try:
            return read_body(response, self.largest_answer)
        except (TooMuchError, TooSlowError) as error:
            raise InterruptedAnswerError(str(error)) from None
        except BROKEN as error:
            raise InterruptedAnswerError(f"{type(error).__name__} from {short(response.url)}") from None

    def _hidden(self, error: Exception) -> str:
        """A message, which may quote the service, without secrets."""
        return self.credentials.hide(str(error).encode("utf-8", "replace")).decode("utf-8", "replace")

    def _keep_rate(self) -> None:
        """Wait until the next request may be sent."""
        if (left := self._next - time.monotonic()) > 0:
            self.pause(left)
        self._next = time.monotonic() + 1 / self.requests_per_second
        self.asked += 1
