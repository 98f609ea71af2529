"""Which backend sends the requests of a client."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Literal, get_args
from urllib.parse import urlsplit

import sniffio
from attrs import field, frozen

from .._checks import check_count
from ..errors import ConfigurationError
from .exchange import Sender
from .proxies import NO_SOCKS, Proxies, Proxy
from .stack import httpx_of, stack_of
from .tls import Certificate, Verify, has_system_authorities, identity_reader, ssl_context_maker

BackendName = Literal["httpcore", "aiohttp", "pyreqwest", "httpx2", "auto"]
"""What speaks HTTP under a client of our own."""
DEFAULT_BACKEND: Final[BackendName] = "httpcore"
_FASTER: Final[tuple[BackendName, ...]] = ("pyreqwest", "aiohttp")
"""What `auto` tries before httpcore, which is always there and can do everything."""
DEFAULT_MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024


@frozen(kw_only=True)
class Network:
    """How a client reaches the API."""

    base_url: str
    injected: Any = field(repr=False)
    backend: BackendName
    proxies: Proxies = field(repr=False)
    verify: Verify = field(repr=False)
    cert: Certificate | None = field(repr=False)
    make_ssl_context: Callable[[], ssl.SSLContext] = field(repr=False)
    max_answer_bytes: int

    @classmethod
    def of(
        cls,
        base_url: str,
        *,
        http_client: Any,
        http_backend: BackendName,
        proxy: str | None,
        verify: Verify,
        cert: Certificate | None,
        max_answer_bytes: int,
    ) -> Network:
        """What `AsyncVoucherify` was told, checked.

        Raises:
            ConfigurationError: A setting makes no sense. No credential is shown.
        """
        try:
            _check_backend(http_backend)
            check_count("max_answer_bytes", max_answer_bytes, error=ConfigurationError)
            if http_client is not None:
                _check_left_out(
                    http_backend=http_backend == DEFAULT_BACKEND,
                    proxy=proxy is None,
                    verify=verify is True,
                    cert=cert is None,
                )
            # Now, and not at the first call, which someone is waiting for.
            httpx_of(http_backend)
            return cls(
                base_url=base_url,
                injected=http_client,
                backend=http_backend,
                proxies=Proxies(None if proxy is None else Proxy(proxy)),
                verify=verify,
                cert=cert,
                make_ssl_context=ssl_context_maker(verify, cert),
                max_answer_bytes=max_answer_bytes,
            )
        finally:
            # An error tracker serialises the variables of the frames that an error went through.
            del proxy, cert

    def __attrs_post_init__(self) -> None:
        self.check(self.backend)

    @property
    def is_own(self) -> bool:
        """Whether the connections are the library's own, to be closed with the client."""
        return self.injected is None

    def check(self, backend: BackendName) -> None:
        """Refuse what a backend cannot do.

        Raises:
            ConfigurationError: It cannot do what the settings ask for.
        """
        if backend == "aiohttp" and self._is_behind_socks:
            raise ConfigurationError(NO_SOCKS)
        if backend != "pyreqwest":
            return
        if not isinstance(self.verify, bool):
            raise ConfigurationError(
                'verify: http_backend="pyreqwest" trusts the certificate authorities of the '
                "system, or those in SSL_CERT_FILE; for others, use another backend"
            )
        if isinstance(self.cert, tuple) and len(self.cert) > 2:
            raise ConfigurationError(
                'cert: http_backend="pyreqwest" cannot read an encrypted key; use another backend, '
                "or a key without a password"
            )
        if self.verify and not has_system_authorities():
            raise ConfigurationError(
                'http_backend: "pyreqwest" trusts the certificate authorities of the system, and '
                "this system has none; install ca-certificates, or use another backend"
            )

    @property
    def _is_behind_socks(self) -> bool:
        parts = urlsplit(self.base_url)
        proxy = self.proxies.of(parts.scheme, parts.hostname or "", parts.port)
        return proxy is not None and proxy.is_socks

    def sender(self) -> Sender:
        """What sends the requests, in the event loop that runs.

        Raises:
            ConfigurationError: The backend is not installed, or not for this event loop.
        """
        # Late: with httpcore comes trio, where it is installed.
        if self.injected is not None:
            from .injected import ClientSender

            return ClientSender(self.injected, self.base_url, self.max_answer_bytes)
        if self.backend == "auto":
            return _fastest_sender(self)
        return _SENDERS[self.backend](self)


def _check_backend(name: object) -> None:
    if name not in get_args(BackendName):
        names = ", ".join(f'"{name}"' for name in get_args(BackendName))
        raise ConfigurationError(f"http_backend: expected one of {names}, got {name!r}")


def _check_left_out(**left_out: bool) -> None:
    """Refuse what a client that is passed in has of its own, and would be ignored here."""
    given = [name for name, is_left_out in left_out.items() if not is_left_out]
    if given:
        raise ConfigurationError(
            f"{given[0]}: cannot be combined with http_client, which has its own; set it on the "
            "client that you pass in"
        )


def _fastest_sender(network: Network) -> Sender:
    """That of the fastest backend that is installed, and that the loop and the settings allow."""
    for backend in _FASTER:
        with suppress(ConfigurationError):
            network.check(backend)
            return _SENDERS[backend](network)
    return _pooled_sender(network)


def _pooled_sender(network: Network) -> Sender:
    from .httpcore import PooledSender

    return PooledSender(
        stack_of(network.backend),
        network.base_url,
        network.make_ssl_context,
        network.proxies,
        network.max_answer_bytes,
    )


def _aiohttp_sender(network: Network) -> Sender:
    _check_asyncio("aiohttp")
    try:
        from .aiohttp import AiohttpSender
    except ImportError:
        raise _not_installed("aiohttp") from None
    return AiohttpSender(
        network.base_url, network.make_ssl_context, network.proxies, network.max_answer_bytes
    )


def _pyreqwest_sender(network: Network) -> Sender:
    _check_asyncio("pyreqwest")
    try:
        from .pyreqwest import PyreqwestSender
    except ImportError:
        raise _not_installed("pyreqwest") from None
    return PyreqwestSender(
        network.base_url,
        network.proxies,
        network.max_answer_bytes,
        verify=bool(network.verify),
        read_identity=identity_reader(network.cert),
    )


def _check_asyncio(backend: str) -> None:
    if sniffio.current_async_library() != "asyncio":
        raise ConfigurationError(f'http_backend: "{backend}" runs on asyncio only')


def _not_installed(backend: str) -> ConfigurationError:
    return ConfigurationError(
        f'http_backend: "{backend}" is an extra: pip install "voucherify-async[{backend}]"'
    )


_SENDERS: Final[dict[BackendName, Callable[[Network], Sender]]] = {
    "httpcore": _pooled_sender,
    "httpx2": _pooled_sender,
    "aiohttp": _aiohttp_sender,
    "pyreqwest": _pyreqwest_sender,
}
