"""The default backend: httpcore's connections in a pool of our own, on asyncio and on trio.

What watches HTTP in a process patches httpx: Sentry, Datadog and New Relic the client's `send`,
OpenTelemetry the transport's `handle_async_request`. Requests go by what is patched, and straight
to the pool where nothing is.
"""

from __future__ import annotations

import logging
import os
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from types import FunctionType
from typing import Any, Final

import httpcore
import httpx

from .backend import Attempt, Backend, RawAnswer, encoded, header_map
from .exchange import Outgoing
from .injected import raw_answer
from .pool import ATTEMPT, ConnectionPool
from .proxies import Proxies
from .urls import Origin, OwnURL

KEEPALIVE_SECONDS: Final = 15.0
_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_HTTPX_FOLDER: Final = os.path.dirname(httpx.__file__) + os.sep  # noqa: PTH120 - as in code objects


class PooledSender(Backend):
    """Sends over a pool of our own.

    Voucherify needs no cookies, redirects or auth flows, which is what httpx's client would cost.
    """

    def __init__(
        self,
        base_url: str,
        make_ssl_context: Callable[[], ssl.SSLContext],
        proxies: Proxies,
        max_answer_bytes: int,
    ) -> None:
        super().__init__(max_answer_bytes)
        self._origin = Origin(base_url)
        self.pool: Final = ConnectionPool(
            make_ssl_context, keepalive_expiry=KEEPALIVE_SECONDS, proxies=proxies
        )
        self._transport: httpx.AsyncBaseTransport | None = None
        self._client: httpx.AsyncClient | None = None

    async def distrust(self) -> None:
        """Use no connection again that was open until now."""
        await self.pool.distrust()

    async def aclose(self) -> None:
        """Close every connection."""
        await self.pool.aclose()
        if self._transport is not None:
            await self._transport.aclose()

    async def _send(self, request: Outgoing, attempt: Attempt) -> RawAnswer:
        if not _is_own(vars(httpx.AsyncClient).get("send")):
            return await self._send_by_client(request, attempt)
        if not _is_own(vars(httpx.AsyncHTTPTransport).get("handle_async_request")):
            built = self._httpx_request(request, attempt)
            response = await self._httpx_transport().handle_async_request(built)
            response.request = built
            return await raw_answer(response)
        url = self._origin.url(request.url)
        content, content_type = encoded(request)
        answer, body = await self.pool.send(
            httpcore.Request(
                request.method,
                httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=[
                    *self._framing(request, url, content, content_type),
                    *request.headers.reveal(),
                ],
                content=_Body(content),
                extensions={"timeout": _timeouts(request.timeout), ATTEMPT: attempt},
            )
        )
        return RawAnswer(answer.status, header_map(answer.headers), body, body.aclose)

    def _framing(
        self, request: Outgoing, url: httpx.URL, content: bytes, content_type: str | None
    ) -> list[tuple[str, str]]:
        framing = [("Host", self._origin.host_header(url))]
        if content or request.method in _METHODS_WITH_BODY:
            framing.append(("Content-Length", str(len(content))))
        if content_type is not None:
            framing.append(("Content-Type", content_type))
        return framing

    async def _send_by_client(self, request: Outgoing, attempt: Attempt) -> RawAnswer:
        if type(self._client) is not httpx.AsyncClient:
            _keep_addresses_out_of_logs()
            self._client = httpx.AsyncClient(transport=self._httpx_transport())
        built = self._httpx_request(request, attempt)
        response = await self._client.send(built, stream=True, auth=None, follow_redirects=False)
        return await raw_answer(response)

    def _httpx_transport(self) -> httpx.AsyncBaseTransport:
        if self._transport is None:
            self._transport = _transport_over(self.pool)
        return self._transport

    def _httpx_request(self, request: Outgoing, attempt: Attempt) -> httpx.Request:
        # A request that is given its stream takes it as complete, and so is made in a third of the
        # time: that leaves its framing to us.
        url = self._origin.url(request.url)
        content, content_type = encoded(request)
        built = httpx.Request(
            request.method,
            self._origin.root,
            headers=[
                *self._framing(request, url, content, content_type),
                *request.headers.reveal(),
            ],
            stream=httpx.ByteStream(content),
            extensions={"timeout": _timeouts(request.timeout), ATTEMPT: attempt},
        )
        # For hooks that look at the body; afterwards the stream is one that trio does not warn of.
        built.read()
        built.stream = _Body(content)
        # Not handed over above, as it would be parsed there.
        built.url = url
        return built


class PooledTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport over our pool, so that whatever hooks into httpx's finds it."""

    def __init__(self, pool: Any) -> None:
        # Without super().__init__(), which would read certificates and make a pool to throw away.
        self._pool = pool


def _transport_over(pool: ConnectionPool) -> httpx.AsyncBaseTransport:
    """A transport of httpx over our pool.

    It goes by a name of httpx's own; where that is another one, over httpx's pool.
    """
    code = getattr(httpx.AsyncHTTPTransport.aclose, "__code__", None)
    if code is not None and "_pool" in code.co_names:
        return PooledTransport(pool)
    warnings.warn(
        f"httpx {httpx.__version__} is not known to this version of voucherify-async: requests go "
        "by httpx's own connection pool, which is slow with many at once",
        RuntimeWarning,
        stacklevel=2,
    )
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.AsyncHTTPTransport(limits=limits)


def _is_own(function: object) -> bool:
    """Whether a method is httpx's own, and no tracer's in its place.

    The wrappers that tracers use stand in for a function's name, its module and even its code; its
    type they are not.
    """
    return type(function) is FunctionType and function.__code__.co_filename.startswith(
        _HTTPX_FOLDER
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


class _OwnAddresses(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        args = record.args if isinstance(record.args, tuple) else ()
        return not any(isinstance(arg, OwnURL) for arg in args)


_FILTER: Final = _OwnAddresses()


def _keep_addresses_out_of_logs() -> None:
    # httpx's client logs whole addresses, and ours hold the codes of cards.
    logging.getLogger("httpx").addFilter(_FILTER)
