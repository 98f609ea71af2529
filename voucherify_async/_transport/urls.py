"""The one origin that a client talks to, parsed once instead of at every request."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

# What `httpx.URL` leaves as it is: nothing to quote, and no dot segments.
_PLAIN_TARGET: Final = re.compile(r"/(?:[A-Za-z0-9/_.~=&?+-]|%[0-9A-Fa-f]{2})*")


class Origin:
    """Makes the addresses of one origin in a fraction of the time that parsing them takes."""

    def __init__(self, base_url: str) -> None:
        scheme, netloc, *_ = urlsplit(base_url)
        self._prefix = base_url[: len(f"{scheme}://{netloc}")]
        self.root: Final = httpx.URL(self._prefix)
        self.text: Final = str(self.root)
        self.raw_scheme: Final = self.root.raw_scheme
        self.raw_host: Final = self.root.raw_host
        self.port: Final = self.root.port
        self._host_header = _host_header(self.root)

    def url(self, text: str) -> httpx.URL:
        """The address, of this origin or of another."""
        target = text.removeprefix(self._prefix)
        if target is text or "/." in target or not _PLAIN_TARGET.fullmatch(target):
            return httpx.URL(text)
        return _PlainURL(self, target)

    def host_header(self, url: httpx.URL) -> str:
        """What the `Host` header says for an address."""
        return self._host_header if isinstance(url, _PlainURL) else _host_header(url)


class _PlainURL(httpx.URL):
    """An address whose parts are known; it is parsed only for who asks more than a transport."""

    def __init__(self, origin: Origin, target: str) -> None:
        self._origin = origin
        self._target = target

    def __getattr__(self, name: str) -> Any:
        if name != "_uri_reference":
            raise AttributeError(name)
        self._uri_reference = httpx.URL(str(self))._uri_reference  # noqa: SLF001
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


def _host_header(url: httpx.URL) -> str:
    return url.netloc.decode("ascii")
