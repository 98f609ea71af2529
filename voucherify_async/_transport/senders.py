"""What requests are sent with: a transport of our own, or a client that was passed in."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

import httpx
import sniffio

from ..errors import ConfigurationError
from .exchange import Outgoing, Sender
from .httpx_shape import HttpxShapedSender
from .urls import Origin

if TYPE_CHECKING:
    from ssl import SSLContext

KEEPALIVE_SECONDS: Final = 15.0
Backend = Literal["httpcore", "aiohttp"]
"""What speaks HTTP under a client of our own."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


class PooledTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport over our pool, so that whatever hooks into httpx's finds it."""

    def __init__(self) -> None:
        from .pool import ConnectionPool

        # Without super().__init__(), which would read certificates and make a pool to throw away.
        self._pool: Any = ConnectionPool(_ssl_context, keepalive_expiry=KEEPALIVE_SECONDS)

    async def distrust(self) -> None:
        """Use no connection again that was open until now."""
        await self._pool.distrust()


def _ssl_context() -> SSLContext:
    return httpx.create_ssl_context()


class DirectSender(HttpxShapedSender):
    """The owned client; requests go to its transport without the detour through it.

    Voucherify needs no cookies, redirects or auth flows, which is what the detour would cost.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, base_url: str) -> None:
        self.transport = transport
        self._origin = Origin(base_url)

    async def distrust(self) -> None:
        """Use no connection again that was open until now."""
        if isinstance(self.transport, PooledTransport):
            await self.transport.distrust()

    async def aclose(self) -> None:
        """Close every connection."""
        await self.transport.aclose()

    async def _send(self, request: Outgoing) -> Any:
        built = self._built(request) if request.files is None else _built_with_files(request)
        content = built.read()
        built.stream = _Body(content)
        response = await self.transport.handle_async_request(built)
        response.request = built
        return response

    async def _read(self, response: Any) -> bytes:
        # Past the decoders and chunkers that an answer of JSON has no need of. Whoever hooks into
        # the transport may have read it already.
        if response.is_stream_consumed or "content-encoding" in response.headers:
            content: bytes = await response.aread()
            return content
        parts = [part async for part in response.stream]
        await response.stream.aclose()
        return b"".join(parts)

    def _built(self, request: Outgoing) -> httpx.Request:
        # A request that is given its stream takes it as complete, and so is made in a third of the
        # time: that leaves its framing to us.
        url, content = self._origin.url(request.url), request.content or b""
        framing = [("Host", self._origin.host_header(url))]
        if content or request.method in _METHODS_WITH_BODY:
            framing.append(("Content-Length", str(len(content))))
        built = httpx.Request(
            request.method,
            self._origin.root,
            headers=[*framing, *request.headers.reveal()],
            stream=httpx.ByteStream(content),
            extensions={"timeout": _timeouts(request.timeout)},
        )
        # Not handed over above, as it would be parsed there.
        built.url = url
        return built


def _built_with_files(request: Outgoing) -> httpx.Request:
    return httpx.Request(
        request.method,
        request.url,
        headers=request.headers.reveal(),
        files=request.files,
        extensions={"timeout": _timeouts(request.timeout)},
    )


class _Body(httpx.AsyncByteStream):
    """A body in one piece.

    httpx's own is an async generator, of which trio warns when the sending breaks off.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._left = [content] if content else []

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Body(self._content)

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()


def _timeouts(timeout: Any) -> dict[str, float | None]:
    if isinstance(timeout, (float, int)):
        return {"connect": timeout, "read": timeout, "write": timeout, "pool": timeout}
    return httpx.Timeout(timeout).as_dict()


class ClientSender(HttpxShapedSender):
    """An injected client, or one of our own behind a proxy from the environment."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def distrust(self) -> None:
        """Do nothing: the connections are not ours."""

    async def aclose(self) -> None:
        """Do nothing: the client is not ours."""

    async def _send(self, request: Outgoing) -> Any:
        # With the client's own headers, hooks and transport, but without its redirects.
        built = self._client.build_request(
            request.method,
            request.url,
            headers=request.headers.reveal(),
            content=request.content,
            files=request.files,
            timeout=request.timeout,
        )
        # Across a redirect the client would keep our keys' headers, whatever the host.
        return await self._client.send(built, stream=True, follow_redirects=False)


class _OwnClientSender(ClientSender):
    """A client of our own behind a proxy."""

    async def aclose(self) -> None:
        """Close it."""
        await self._client.aclose()


def own_sender(base_url: str, backend: Backend) -> Sender:
    """A sender with a client of our own for one origin.

    Raises:
        ConfigurationError: The backend is unknown, not installed, or not for this event loop.
    """
    if backend == "aiohttp":
        return DirectSender(_aiohttp_transport(), base_url)
    if _is_proxied(base_url):
        limits = httpx.Limits(max_connections=None, keepalive_expiry=KEEPALIVE_SECONDS)
        return _OwnClientSender(httpx.AsyncClient(limits=limits))
    return DirectSender(PooledTransport(), base_url)


def _is_proxied(base_url: str) -> bool:
    url = urlsplit(base_url)
    proxies = urllib.request.getproxies()
    if url.hostname in _LOOPBACK or not (proxies.get(url.scheme) or proxies.get("all")):
        return False
    return not urllib.request.proxy_bypass(url.netloc) and os.environ.get("NO_PROXY") != "*"


def _aiohttp_transport() -> httpx.AsyncBaseTransport:
    if sniffio.current_async_library() != "asyncio":
        raise ConfigurationError('http_backend: "aiohttp" runs on asyncio only')
    try:
        from .aiohttp import transport
    except ImportError:
        raise ConfigurationError(
            'http_backend: "aiohttp" is an extra: pip install "voucherify-async[aiohttp]"'
        ) from None
    return transport(_ssl_context(), keepalive_expiry=KEEPALIVE_SECONDS)
