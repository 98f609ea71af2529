"""Which backend sends the requests of a client."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, Final, Literal, get_args

import sniffio
from attrs import field, frozen

from .._checks import check_count
from ..errors import ConfigurationError
from .exchange import Sender
from .proxies import NO_SOCKS, Proxies, Proxy
from .stack import httpx_of, stack_of
from .tls import Certificate, Verify, ssl_context_maker

BackendName = Literal["httpcore", "aiohttp", "httpx2"]
"""What speaks HTTP under a client of our own."""
DEFAULT_MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024


@frozen(kw_only=True)
class Network:
    """How a client reaches the API."""

    base_url: str
    injected: Any = field(repr=False)
    backend: BackendName
    proxies: Proxies = field(repr=False)
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
            if http_backend not in get_args(BackendName):
                names = ", ".join(f'"{name}"' for name in get_args(BackendName))
                raise ConfigurationError(
                    f"http_backend: expected one of {names}, got {http_backend!r}"
                )
            check_count("max_answer_bytes", max_answer_bytes, error=ConfigurationError)
            has_own_settings = proxy is not None or verify is not True or cert is not None
            if http_client is not None and has_own_settings:
                raise ConfigurationError(
                    "http_client: goes without proxy, verify and cert; set them on the client "
                    "that you pass"
                )
            named = None if proxy is None else Proxy(proxy)
            if named is not None and named.is_socks and http_backend == "aiohttp":
                raise ConfigurationError(NO_SOCKS)
            # Now, and not at the first call, which someone is waiting for.
            httpx_of(http_backend)
            return cls(
                base_url=base_url,
                injected=http_client,
                backend=http_backend,
                proxies=Proxies(named),
                make_ssl_context=ssl_context_maker(verify, cert),
                max_answer_bytes=max_answer_bytes,
            )
        finally:
            # An error tracker serialises the variables of the frames that an error went through.
            del proxy, cert

    @property
    def is_own(self) -> bool:
        """Whether the connections are the library's own, to be closed with the client."""
        return self.injected is None

    def sender(self) -> Sender:
        """What sends the requests, in the event loop that runs.

        Raises:
            ConfigurationError: The backend is not installed, or not for this event loop.
        """
        # Late: with httpcore comes trio, where it is installed.
        if self.injected is not None:
            from .injected import ClientSender

            return ClientSender(self.injected, self.base_url, self.max_answer_bytes)
        if self.backend == "aiohttp":
            return _aiohttp_sender(self)
        from .httpcore import PooledSender

        return PooledSender(
            stack_of(self.backend),
            self.base_url,
            self.make_ssl_context,
            self.proxies,
            self.max_answer_bytes,
        )


def _aiohttp_sender(network: Network) -> Sender:
    if sniffio.current_async_library() != "asyncio":
        raise ConfigurationError('http_backend: "aiohttp" runs on asyncio only')
    try:
        from .aiohttp import AiohttpSender
    except ImportError:
        raise ConfigurationError(
            'http_backend: "aiohttp" is an extra: pip install "voucherify-async[aiohttp]"'
        ) from None
    return AiohttpSender(
        network.base_url, network.make_ssl_context, network.proxies, network.max_answer_bytes
    )
