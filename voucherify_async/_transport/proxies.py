"""Which proxy a request goes through: the one that was named, or that of the environment."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_address
from typing import Final, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies

from ..errors import ConfigurationError

_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
NO_SOCKS: Final = 'proxy: http_backend="aiohttp" does not speak SOCKS; use http_backend="httpcore"'


class Proxy:
    """A proxy's address; its credentials are told to the HTTP library alone.

    Args:
        url: Such as `http://user:password@proxy.example:3128` or `socks5://proxy.example`.

    Raises:
        ConfigurationError: It is not a proxy's address. The message does not show it.
    """

    def __init__(self, url: str) -> None:
        self._parts = _split(url)
        del url
        parts = _Shown(self._parts)
        if parts.scheme not in _PORTS or not parts.host:
            raise ConfigurationError(
                "proxy: expected a URL such as http://user:password@proxy.example:3128, "
                "with the scheme http, https, socks5 or socks5h"
            )
        self.scheme: Final[str] = parts.scheme
        self.host: Final[str] = parts.host
        self.port: Final = parts.port or _PORTS[parts.scheme]

    def __repr__(self) -> str:
        return f"Proxy({self.scheme}://{self.host}:{self.port})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Proxy holds a secret and is not pickled; make it anew")

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS and not HTTP."""
        return self.scheme.startswith("socks")

    def credentials(self) -> tuple[bytes, bytes] | None:
        """User and password, for the HTTP library and for nothing that stays."""
        if self._parts is None or not (self._parts.username or self._parts.password):
            return None
        return (
            unquote(self._parts.username or "").encode(),
            unquote(self._parts.password or "").encode(),
        )


class _Shown:
    """The parts of an address that may be shown."""

    def __init__(self, parts: SplitResult | None) -> None:
        self.scheme = self.host = ""
        self.port: int | None = None
        if parts is None:
            return
        self.scheme = parts.scheme.lower()
        host = parts.hostname or ""
        self.host = host if host.isascii() and host.isprintable() and " " not in host else ""
        self.port = parts.port


def _split(url: object) -> SplitResult | None:
    """The parts of an address, or None; it never raises, as its frame holds the password."""
    if not isinstance(url, str):
        return None
    with suppress(ValueError):
        parts = urlsplit(url)
        # Reading the port checks it.
        if parts.port != 0:
            return parts
    return None


class Proxies:
    """Chooses the proxy of an origin, by httpx's rules.

    Args:
        named: The proxy for every origin; where there is none, the environment decides:
            `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`. A loopback address is never
            behind the environment's proxy.
    """

    def __init__(self, named: Proxy | None) -> None:
        self._named = named
        self._chosen: dict[tuple[str, str, int | None], Proxy | None] = {}

    def of(self, scheme: str, host: str, port: int | None) -> Proxy | None:
        """The proxy for an origin, or None; `port` is None where it is the scheme's own."""
        if self._named is not None:
            return self._named
        key = (scheme, host, port)
        if key not in self._chosen:
            # The environment is read once an origin, as httpx reads it once a client.
            self._chosen[key] = self._of_environment(scheme, host, port)
        return self._chosen[key]

    @staticmethod
    def _of_environment(scheme: str, host: str, port: int | None) -> Proxy | None:
        if is_loopback(host) or _is_excepted(scheme, host, port):
            return None
        return _named_for(scheme) or _named_for("all")


def _named_for(scheme: str) -> Proxy | None:
    if not getproxies().get(scheme):
        return None
    return Proxy(
        getproxies()[scheme] if "://" in getproxies()[scheme] else f"http://{getproxies()[scheme]}"
    )


def _is_excepted(scheme: str, host: str, port: int | None) -> bool:
    entries = [entry.strip().lower() for entry in getproxies().get("no", "").split(",")]
    return any(_matches(entry, scheme, host.lower(), port) for entry in entries if entry)


def _matches(entry: str, scheme: str, host: str, port: int | None) -> bool:
    """Whether an entry of NO_PROXY means an origin."""
    if entry == "*":
        return True
    entry_scheme, has_scheme, rest = entry.rpartition("://")
    try:
        # A network's length, as in 10.0.0.0/8, is ignored, as httpx does.
        named = ip_address(rest.partition("/")[0].strip("[]"))
    except ValueError:
        pass
    else:
        return entry_scheme in {"", "all", scheme} and host.strip("[]") == str(named)
    name, _, number = rest.partition(":")
    if entry_scheme not in {"", "all", scheme} or (number and number != str(port)):
        return False
    if has_scheme or name == "localhost":
        return name in {"", "*", host} or (name.startswith("*") and _is_within(host, name[1:]))
    return _is_within(host, name)


def _is_within(host: str, name: str) -> bool:
    """Whether a host has a name, or is below it; of `.name` only what is below."""
    return (
        host.endswith(name)
        if name.startswith(".")
        else bool(re.fullmatch(rf"(.+\.)?{re.escape(name)}", host))
    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    bare = host.strip("[]").lower().rstrip(".")
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ip_address(bare).is_loopback
    except ValueError:
        return False
