"""pyreqwest's clients, each with connections and time limits of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pyreqwest.client import ClientBuilder
from pyreqwest.proxy import ProxyBuilder

from ..errors import ConfigurationError
from .proxies import Proxy
from .pyreqwest_exit import FORKED

if TYPE_CHECKING:
    from pyreqwest.client import Client

KEEPALIVE_SECONDS: Final = 15.0


class Connections:
    """A client, for as long as it is current or has requests under way."""

    __slots__ = ("__weakref__", "client")

    def __init__(self, builder: ClientBuilder) -> None:
        try:
            self.client: Final[Client] = builder.build()
        except RuntimeError:
            # Of a process that was forked after somebody else had used pyreqwest.
            raise ConfigurationError(FORKED) from None


def client_builder(proxy: Proxy | None, connect: float | None, read: float | None) -> ClientBuilder:
    """What makes a client that does nothing of its own accord; the limits are in seconds."""
    builder = (
        ClientBuilder()
        .runtime_multithreaded(enable=False)
        .http1_only()
        .follow_redirects(enable=False)
        .referer(enable=False)
        .gzip(enable=False)
        .deflate(enable=False)
        .brotli(enable=False)
        .zstd(enable=False)
        .pool_idle_timeout(timedelta(seconds=KEEPALIVE_SECONDS))
        # That of the environment is among ours.
        .no_proxy()
    )
    if proxy is not None:
        builder = builder.proxy(_proxy_builder(proxy))
    if connect is not None:
        builder = builder.connect_timeout(timedelta(seconds=connect))
    if read is not None:
        builder = builder.read_timeout(timedelta(seconds=read))
    return builder


def _proxy_builder(proxy: Proxy) -> ProxyBuilder:
    # With `socks5` the name would be resolved here.
    scheme = "socks5h" if proxy.is_socks else proxy.scheme
    host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
    builder = ProxyBuilder.all(f"{scheme}://{host}:{proxy.port}")
    if proxy.credentials() is None:
        return builder
    return builder.basic_auth(*[part.decode() for part in proxy.credentials() or ()])
