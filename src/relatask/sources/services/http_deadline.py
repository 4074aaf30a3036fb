"""Connections whose answers end in time: the clock runs from the status line to the last byte.

The time-out of a connection starts anew with every byte, also of a header or of the length of a chunk.
"""

import io
import time
from dataclasses import dataclass
from functools import partial
from http.client import HTTPResponse
from socket import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection


@dataclass(frozen=True)
class Deadline:
    """How long an answer may take: `seconds`, and again `seconds` whenever `extended_by` bytes have come."""

    seconds: float
    extended_by: int | None = None  # None: never, `seconds` are for the whole answer


class TooSlowError(Exception):
    """An answer that does not end in time."""


class _TimedSocket(io.RawIOBase):
    """The bytes of one answer, until its time is over."""

    def __init__(self, sock: socket, deadline: Deadline) -> None:
        super().__init__()
        self._socket, self._raw = sock, sock.makefile("rb", buffering=0)
        self._time_out = sock.gettimeout()  # without a byte
        self._deadline = deadline
        self._start()

    def _start(self) -> None:
        self._end, self._received = time.monotonic() + self._deadline.seconds, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left > 0:
            self._socket.settimeout(left if self._time_out is None else min(left, self._time_out))
            try:
                count = self._raw.readinto(buffer)
            except TimeoutError:
                if time.monotonic() < self._end:
                    raise
            else:
                self._received += count or 0
                if self._deadline.extended_by is not None and self._received >= self._deadline.extended_by:
                    self._start()
                return count
        raise TooSlowError(f"it sent only {self._received} bytes in {self._deadline.seconds:g} s")

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    """An answer that is read from a `_TimedSocket`."""

    def __init__(self, sock: socket, *arguments: Any, deadline: Deadline, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedSocket(sock, deadline))


class TimedAdapter(HTTPAdapter):
    """Makes connections whose answers have a deadline, also through a proxy."""

    def __init__(self, deadline: Deadline) -> None:
        self._response = staticmethod(partial(_TimedResponse, deadline=deadline))
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pool of connections to servers."""
        super().init_poolmanager(*arguments, **options)
        self._time(self.poolmanager)

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        """Return the pool of connections to a proxy."""
        return self._time(super().proxy_manager_for(*arguments, **options))

    def _time(self, manager: PoolManager) -> PoolManager:
        plain = type("Plain", (HTTPConnection,), {"response_class": self._response})
        encrypted = type("Encrypted", (HTTPSConnection,), {"response_class": self._response})
        manager.pool_classes_by_scheme = {
            "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("EncryptedPool", (HTTPSConnectionPool,), {"ConnectionCls": encrypted}),
        }
        return manager
