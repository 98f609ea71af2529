"""The only module that sends: one request, once, over whichever HTTP client there is.

Nothing here asks what class an HTTP client or its errors have: an injected client may be httpx's,
that of its successor, or an instrumented one.
"""

from __future__ import annotations

import os
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

import anyio
import httpx
from attrs import frozen

from . import errors
from ._pool import ConnectionPool
from ._protocol import Answer
from .errors import TransportError

if TYPE_CHECKING:
    from ssl import SSLContext

KEEPALIVE_SECONDS: Final = 15.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})

_TRANSPORT_ERRORS: Final[Mapping[str, type[TransportError]]] = {
    "ConnectTimeout": errors.ConnectTimeout,
    "PoolTimeout": errors.PoolTimeout,
    "ReadTimeout": errors.ReadTimeout,
    "WriteTimeout": errors.WriteTimeout,
    "TimeoutException": errors.TimeoutError,
    "ConnectError": errors.ConnectError,
    "ProxyError": errors.ConnectError,
    "UnsupportedProtocol": errors.ConnectError,
    "ReadError": errors.ReadError,
    "WriteError": errors.WriteError,
    "CloseError": errors.ReadError,
    "ProtocolError": errors.ProtocolError,
    "DecodingError": errors.ProtocolError,
    "StreamError": errors.ProtocolError,
    "TransportError": errors.TransportError,
    "RequestError": errors.TransportError,
}


@frozen
class Outgoing:
    """One request as it goes out, signed and complete."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None
    files: Mapping[str, Any] | None
    timeout: Any
    template: str


class HttpSender(Protocol):
    """What turns a request into an answer that is still open."""

    client: Any

    async def open(self, request: Outgoing) -> Any:
        """Send, and return a response of httpx's shape whose body was not read."""
        ...


class PooledTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport over our pool, so that whatever hooks into httpx's finds it."""

    def __init__(self) -> None:
        # Without super().__init__(), which would read certificates and make a pool to throw away.
        self._pool: Any = ConnectionPool(_ssl_context, keepalive_expiry=KEEPALIVE_SECONDS)


def _ssl_context() -> SSLContext:
    return httpx.create_ssl_context()


class DirectSender:
    """The owned client over our pool; the request goes to its transport without detour.

    Voucherify needs no cookies, redirects or auth flows, which is what the detour would cost.
    """

    def __init__(self) -> None:
        self._transport = PooledTransport()
        self.client = httpx.AsyncClient(transport=self._transport)

    async def open(self, request: Outgoing) -> Any:
        """Hand the request to the pool."""
        timeout = {"timeout": httpx.Timeout(request.timeout).as_dict()}
        url = httpx.URL(request.url)
        if request.files is None:
            # A request that is given its stream takes it as complete, and so is made in a third
            # of the time: that leaves its framing to us.
            framing = {"Host": url.netloc.decode("ascii")}
            content = request.content or b""
            if content or request.method in _METHODS_WITH_BODY:
                framing["Content-Length"] = str(len(content))
            headers, stream = {**framing, **request.headers}, httpx.ByteStream(content)
            built = httpx.Request(
                request.method, url, headers=headers, stream=stream, extensions=timeout
            )
        else:
            built = httpx.Request(
                request.method,
                url,
                headers=request.headers,
                files=request.files,
                extensions=timeout,
            )
        response = await self._transport.handle_async_request(built)
        response.request = built
        return response


class ClientSender:
    """An injected client, or one of our own behind a proxy from the environment."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def open(self, request: Outgoing) -> Any:
        """Send through the client, with its own headers, hooks and transport, but no redirects."""
        built = self.client.build_request(
            request.method,
            request.url,
            headers=request.headers,
            content=request.content,
            files=request.files,
            timeout=request.timeout,
        )
        # Across a redirect the client would keep our keys' headers, whatever the host.
        return await self.client.send(built, stream=True, follow_redirects=False)


def own_sender(base_url: str) -> HttpSender:
    """A sender with a client of our own for one origin."""
    if _is_proxied(base_url):
        limits = httpx.Limits(max_connections=None, keepalive_expiry=KEEPALIVE_SECONDS)
        return ClientSender(httpx.AsyncClient(limits=limits))
    return DirectSender()


def _is_proxied(base_url: str) -> bool:
    url = urlsplit(base_url)
    proxies = urllib.request.getproxies()
    if url.hostname in _LOOPBACK or not (proxies.get(url.scheme) or proxies.get("all")):
        return False
    return not urllib.request.proxy_bypass(url.netloc) and os.environ.get("NO_PROXY") != "*"


@asynccontextmanager
async def opened(sender: HttpSender, request: Outgoing) -> AsyncIterator[Any]:
    """One response of httpx's shape, open for as long as the block runs.

    Raises:
        TransportError: No answer came, or it broke off. It carries no request and no secret.
    """
    try:
        response = await sender.open(request)
        try:
            yield response
        finally:
            await _close(response)
    except Exception as error:
        failure, cause = translate(error, request), error.__cause__
        if failure is None:
            raise
    else:
        return
    # Raised out here, so that the HTTP client's error, which holds the request with its
    # credentials, is not dragged along as context.
    raise failure from cause


async def exchange(sender: HttpSender, request: Outgoing) -> Answer:
    """Send one request and read its answer to the end.

    Raises:
        TransportError: No answer came, or it broke off.
    """
    # What `opened` does, without its cost on the way that everything goes.
    try:
        response = await sender.open(request)
        try:
            content = await response.aread()
        except BaseException:
            await _close(response)
            raise
    except Exception as error:
        failure, cause = translate(error, request), error.__cause__
        if failure is None:
            raise
    else:
        return Answer(response.status_code, header_map(response), content)
    raise failure from cause


async def _close(response: Any) -> None:
    # The connection has to be given back or closed, also while the caller is being cancelled.
    with anyio.CancelScope(shield=True):
        await response.aclose()


def header_map(response: Any) -> dict[str, str]:
    """The headers of a response, names in lower case."""
    return {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in response.headers.raw
    }


def translate(error: Exception, request: Outgoing) -> TransportError | None:
    """Our error for one of an HTTP client; None for what is no error of the transport.

    It goes by class names, which httpx, its successor and instrumented clients share.
    """
    for base in type(error).__mro__:
        found = _TRANSPORT_ERRORS.get(base.__name__)
        if found is not None and base.__module__.partition(".")[0].startswith("httpx"):
            # Its text may quote the URL, and with it a code.
            text = str(error) or type(error).__name__
            message = f"{request.method} {request.template}: {text}"
            return found(message, method=request.method, path=request.template)
    return None
