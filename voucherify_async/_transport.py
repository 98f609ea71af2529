"""The only module that sends: one request, once, over whichever HTTP client there is.

Nothing here asks what class an HTTP client or its errors have: an injected client may be httpx's,
that of its successor, or an instrumented one.
"""

from __future__ import annotations

import os
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol
from urllib.parse import urlsplit

import anyio
import httpx
import sniffio
from attrs import field, frozen

from . import errors
from ._protocol import Answer
from .errors import ConfigurationError, TransportError

if TYPE_CHECKING:
    from ssl import SSLContext

KEEPALIVE_SECONDS: Final = 15.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
Backend = Literal["httpcore", "aiohttp"]
"""What speaks HTTP under a client of our own."""
_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})

_STUCK: Final = (
    "The http_client that was passed in has no free connection. Give it a pool of at least "
    "max_concurrency connections (httpx.Limits). If it stays so with little to do, it has lost "
    "connections to cancelled requests, as httpx does: replace it, or leave http_client out, as "
    "this library's own pool loses none"
)
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

# What bears out that nothing was sent, by the class of the error under the HTTP client's.
_UNSENT_CAUSES: Final[Mapping[str, type[TransportError]]] = {
    # httpcore's
    "ConnectError": errors.ConnectError,
    "ConnectTimeout": errors.ConnectTimeout,
    "PoolTimeout": errors.PoolTimeout,
    "ProxyError": errors.ConnectError,
    "UnsupportedProtocol": errors.ConnectError,
    # aiohttp's
    "ClientConnectorError": errors.ConnectError,
    "ClientConnectorDNSError": errors.ConnectError,
    "ClientConnectorSSLError": errors.ConnectError,
    "ClientConnectorCertificateError": errors.ConnectError,
    "ClientProxyConnectionError": errors.ConnectError,
    "ConnectionTimeoutError": errors.ConnectTimeout,
    "InvalidUrlClientError": errors.ConnectError,
    "NonHttpUrlClientError": errors.ConnectError,
}


@frozen
class Outgoing:
    """One request as it goes out, signed and complete."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(repr=False)
    files: Mapping[str, Any] | None = field(repr=False)
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
        from ._pool import ConnectionPool

        # Without super().__init__(), which would read certificates and make a pool to throw away.
        self._pool: Any = ConnectionPool(_ssl_context, keepalive_expiry=KEEPALIVE_SECONDS)


def _ssl_context() -> SSLContext:
    return httpx.create_ssl_context()


class DirectSender:
    """The owned client; requests go to its transport without the detour through it.

    Voucherify needs no cookies, redirects or auth flows, which is what the detour would cost.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport
        self.client = httpx.AsyncClient(transport=transport)

    async def open(self, request: Outgoing) -> Any:
        """Hand the request to the transport."""
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
            built.read()
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


def own_sender(base_url: str, backend: Backend) -> HttpSender:
    """A sender with a client of our own for one origin.

    Raises:
        ConfigurationError: The backend is unknown, not installed, or not for this event loop.
    """
    limits = httpx.Limits(max_connections=None, keepalive_expiry=KEEPALIVE_SECONDS)
    if backend == "aiohttp":
        return DirectSender(_aiohttp_transport(limits))
    if _is_proxied(base_url):
        return ClientSender(httpx.AsyncClient(limits=limits))
    return DirectSender(PooledTransport())


def _aiohttp_transport(limits: httpx.Limits) -> httpx.AsyncBaseTransport:
    if sniffio.current_async_library() != "asyncio":
        raise ConfigurationError('http_backend: "aiohttp" runs on asyncio only')
    try:
        from httpx_aiohttp import AiohttpTransport
    except ImportError:
        raise ConfigurationError(
            'http_backend: "aiohttp" is an extra: pip install "voucherify-async[aiohttp]"'
        ) from None
    return AiohttpTransport(limits=limits)


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
    response: Any = None
    try:
        response = await sender.open(request)
        try:
            yield response
        finally:
            await _close(response)
    except Exception as error:
        failure, cause = translate(error, request), _detached_cause(error)
        if failure is None:
            raise
        failure.status_code = getattr(response, "status_code", None)
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
    response: Any = None
    try:
        response = await sender.open(request)
        try:
            content = await response.aread()
        except BaseException:
            await _close(response)
            raise
    except Exception as error:
        failure, cause = translate(error, request), _detached_cause(error)
        if failure is None:
            raise
        failure.status_code = getattr(response, "status_code", None)
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
            if not found.sent and error.__cause__ is not None:
                # aiohttp's adapter calls every broken connection a connect timeout, also one that
                # broke after the request was written: taken at its word, it would have money
                # moved twice.
                found = _UNSENT_CAUSES.get(type(error.__cause__).__name__, errors.ReadError)
            text = _text(error)
            if _quotes_request(error):
                text = f"{type(error).__name__}: the request cannot be sent"
            elif found is errors.PoolTimeout:
                text = f"{text}. {_STUCK}"
            message = f"{request.method} {request.template}: {text}"
            return found(message, method=request.method, path=request.template)
    return None


def _quotes_request(error: BaseException) -> bool:
    # Illegal headers and addresses are quoted in these, and with them keys and codes.
    return any(base.__name__ == "LocalProtocolError" for base in type(error).__mro__)


def _detached_cause(error: BaseException) -> BaseException | None:
    """What stood behind an error, unless it holds more than its text, such as the request."""
    cause = None if _quotes_request(error) else error.__cause__
    links = [cause]
    seen: set[int] = set()
    while links:
        link = links.pop()
        if link is None or id(link) in seen:
            continue
        if vars(link):
            return None
        seen.add(id(link))
        # Its frames hold the request too.
        link.__traceback__ = None
        links += [link.__cause__, link.__context__]
    return cause


def _text(error: BaseException) -> str:
    """What the error says, or what it was raised from where it says nothing."""
    said: BaseException | None = error
    while said is not None:
        if str(said):
            return str(said)
        said = said.__cause__ or said.__context__
    return type(error).__name__
