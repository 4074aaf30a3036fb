"""Logins and tokens in addresses: kept apart from the address, and never shown."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlsplit

HIDDEN = "***"
SHORTEST = 8  # characters; a shorter secret may also be a number of the data
_LOGIN = re.compile(r"(?<=://)[^\s'\"<>]{1,500}@")  # up to the last @, as a password may hold one
_NAMED = re.compile(
    r"(?i)([?&;][\w.-]{0,40}(?:token|key|secret|password|passwd|pwd|signature|credential)[\w.-]{0,40}=)"
    r"[^\s&;#'\"<>]+"
)
_PORTS = {"http": 80, "https": 443}
Origin = tuple[str, str, int | None]  # scheme, host and port of a server


def hidden(text: str) -> str:
    """Return `text` with `***` for the login of each address, and for query values such as of `api_key`."""
    return _NAMED.sub(rf"\g<1>{HIDDEN}", _LOGIN.sub(f"{HIDDEN}@", text))


@dataclass(frozen=True)
class Credentials:
    """What the address of a service holds beside the address; only requests to that server get it."""

    origin: Origin | None = None
    login: tuple[str, str] | None = None  # user and password
    query: tuple[tuple[str, str], ...] = ()

    def options_for(self, url: str) -> dict[str, Any]:
        """Return the options `auth` and `params` of requests for a request to `url`."""
        if self.origin is None or not self._is_of(url):
            return {"auth": None, "params": {}}
        return {"auth": self.login, "params": dict(self.query)}

    def without(self, url: str) -> str:
        """Return `url` without the values of its query that are given here."""
        address, _, query = url.partition("?")
        given = {name for name, _ in self.query}
        kept = [part for part in query.split("&") if unquote_plus(part.partition("=")[0]) not in given]
        return f"{address}?{'&'.join(kept)}" if kept != [""] and kept else address

    def hide(self, said: bytes) -> bytes:
        """Return what the server said, with `***` for the secrets that it repeats."""
        for name, value in self.query:
            for spelling in _spellings(value):
                pair = rf"(?<![\w.-])({re.escape(quote_plus(name))}=){re.escape(spelling)}(?![\w%.~-])"
                said = re.sub(pair.encode(), rf"\g<1>{HIDDEN}".encode(), said)
        secrets = [value for _, value in self.query] + ([self.login[1]] if self.login else [])
        for value in secrets:
            if len(value) >= SHORTEST:
                for spelling in _spellings(value):
                    said = said.replace(spelling.encode(), HIDDEN.encode())
        return said

    def _is_of(self, url: str) -> bool:
        """Whether `url` is of the same server, or of the same server with encryption."""
        origin = _origin(url)
        encrypted = self.origin and self.origin == ("http", self.origin[1], 80)
        return origin == self.origin or bool(encrypted and origin == ("https", origin[1], 443))


def split_address(address: str) -> tuple[str, Credentials]:
    """Return the address of a service without login, query and last slash, and these apart.

    Raises:
        ValueError: it is no address of http or https; the message does not hold its login.
    """
    try:
        parts = urlsplit(address.strip())
        origin = _origin(address.strip())
    except ValueError:
        raise ValueError(
            f"{hidden(address)!r} is not an address; write the special characters of a password as %40 for @."
        ) from None
    if origin[0] not in _PORTS or not origin[1]:
        raise ValueError(f"{hidden(address)!r} is not an address; it begins with http:// or https://.")
    login = None
    if parts.username is not None:
        login = (unquote(parts.username), unquote(parts.password or ""))
    pairs = [part.partition("=") for part in parts.query.split("&") if part]
    query = tuple((unquote_plus(name), unquote_plus(value)) for name, _, value in pairs)
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    return plain.rstrip("/"), Credentials(origin, login, query)


def _spellings(value: str) -> set[str]:
    return {value, quote(value), quote(value, safe=""), quote_plus(value)}


def _origin(url: str) -> Origin:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
