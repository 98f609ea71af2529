"""The one origin that a client talks to, parsed once instead of at every request."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ..errors import ConfigurationError, InvalidArgumentError
from .proxies import is_loopback
from .stack import httpx_of

if TYPE_CHECKING:
    from httpx import URL
else:
    URL = object

_SCHEMES: Final = frozenset({"http", "https"})
# What `httpx.URL` leaves as it is: nothing to quote, and no dot segments.
_PLAIN_TARGET: Final = re.compile(r"/(?:[A-Za-z0-9/_.~=&?+-]|%[0-9A-Fa-f]{2})*")


class Origin:
    """Makes the addresses of one origin in a fraction of the time that parsing them takes.

    Args:
        base_url: An address of the origin.
        httpx: The module whose addresses they are.
    """

    def __init__(self, base_url: str, httpx: Any = None) -> None:
        scheme, netloc, *_ = urlsplit(base_url)
        self._prefix = base_url[: len(f"{scheme}://{netloc}")]
        self._httpx = httpx_of("httpcore") if httpx is None else httpx
        self._plain = _plain_url(self._httpx)
        self.root: Final[URL] = self._httpx.URL(self._prefix)
        self.text: Final = str(self.root)
        self.raw_scheme: Final[bytes] = self.root.raw_scheme
        self.raw_host: Final[bytes] = self.root.raw_host
        self.port: Final[int | None] = self.root.port
        self._host_header = _host_header(self.root)

    def url(self, text: str) -> URL:
        """The address, of this origin or of another.

        Raises:
            InvalidArgumentError: It is not an address. The message does not show it.
        """
        target = text.removeprefix(self._prefix)
        if target is text or "/." in target or not _PLAIN_TARGET.fullmatch(target):
            return self.parsed(text)
        return self._plain(self, target)

    def check(self, text: str) -> None:
        """Refuse what is not an address.

        Raises:
            InvalidArgumentError: It is not. The message does not show it.
        """
        if not text.startswith(self._prefix + "/"):
            self.parsed(text)

    def parsed(self, text: str) -> URL:
        """The address, parsed whole.

        Raises:
            InvalidArgumentError: It is not an address. The message does not show it.
        """
        return _parsed(text, self._httpx)

    def host_header(self, url: URL) -> str:
        """What the `Host` header says for an address."""
        return self._host_header if isinstance(url, _PlainURL) else _host_header(url)


class OwnURL(URL):
    """An address that this library made, whose path may hold a code that no log is to show."""


class _PlainURL(OwnURL):
    """An address whose parts are known; it is parsed only for who asks more than a transport."""

    def __init__(self, origin: Origin, target: str) -> None:
        self._origin = origin
        self._target = target

    def __getattr__(self, name: str) -> Any:
        if name != "_uri_reference":
            raise AttributeError(name)
        self._uri_reference = self._origin.parsed(str(self))._uri_reference  # noqa: SLF001
        return self._uri_reference

    def __str__(self) -> str:
        return self._origin.text + self._target

    @property
    def raw_scheme(self) -> bytes:
        return self._origin.raw_scheme

    @property
    def raw_host(self) -> bytes:
        return self._origin.raw_host

    @property
    def port(self) -> int | None:
        return self._origin.port

    @property
    def raw_path(self) -> bytes:
        return self._target.encode("ascii")


def _host_header(url: URL) -> str:
    return url.netloc.decode("ascii")


@cache
def _own_url(httpx: Any) -> type[OwnURL]:
    return type("OwnURL", (OwnURL, httpx.URL), {})


@cache
def _plain_url(httpx: Any) -> type[_PlainURL]:
    return type("PlainURL", (_PlainURL, httpx.URL), {})


def _parsed(text: str, httpx: Any) -> OwnURL:
    made: OwnURL | None = None
    with suppress(httpx.InvalidURL, ValueError):
        url = _own_url(httpx)(text)
        # Python's name resolution refuses what is too long for the domain name system.
        url.raw_host.decode("ascii").encode("idna")
        made = url
    if made is None:
        raise InvalidArgumentError("The address is not a valid URL")
    return made


def check_base_url(base_url: Any, *, allow_http: bool, backend: str) -> str:
    """The API's address, as it is used.

    Args:
        base_url: The address.
        allow_http: Whether it may be `http://` anywhere.
        backend: The name of what will send to it, whose library parses it.

    Raises:
        ConfigurationError: It is not an http(s) URL, has more than a scheme, a host, a port and a
            path, or would send the credentials in clear text over a network.
    """
    if isinstance(base_url, str) and any(mark in base_url for mark in "?#@"):
        # Not shown, since before an @ there is a password.
        del base_url
        raise ConfigurationError("base_url: takes a scheme, a host, a port and a path, no more")
    httpx = httpx_of(backend)
    if not _is_http_url(base_url, httpx):
        raise ConfigurationError(f"base_url: expected an http(s) URL, got {base_url!r}")
    url = _parsed(base_url, httpx)
    if url.scheme == "http" and not allow_http and not is_loopback(url.host):
        raise ConfigurationError(
            "base_url: http:// sends the credentials in clear text. Use https://, or pass "
            "allow_http=True if the network between can be trusted"
        )
    stripped: str = base_url.rstrip("/")
    return stripped


def _is_http_url(text: Any, httpx: Any) -> bool:
    if not isinstance(text, str) or not text.isprintable() or " " in text:
        return False
    try:
        _parsed(text, httpx)
        # Reading the port checks it.
        parts = urlsplit(text)
        return parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
