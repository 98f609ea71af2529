"""The way by httpx, for what watches HTTP in a process.

It patches httpx, or its successor: Sentry, Datadog and New Relic the client's `send`, OpenTelemetry
the transport's `handle_async_request`. Requests go by what is patched.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import AsyncIterator
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from .pool import ConnectionPool
from .urls import Origin, OwnURL

if TYPE_CHECKING:
    from httpx import (
        URL,
        AsyncBaseTransport,
        AsyncByteStream,
        AsyncHTTPTransport,
        Request,
        Response,
    )
else:
    AsyncByteStream = AsyncHTTPTransport = object


class WatchedWay:
    """Sends requests by httpx's client or transport, over a pool of our own.

    Args:
        httpx: The module whose client and transport they are.
        origin: Where most requests go.
        pool: What they end in.
    """

    def __init__(self, httpx: Any, origin: Origin, pool: ConnectionPool) -> None:
        self._httpx = httpx
        self._origin = origin
        self._pool = pool
        # As in code objects.
        self._folder = os.path.dirname(httpx.__file__) + os.sep  # noqa: PTH120
        self._body = _body_type(httpx)
        self._transport: AsyncBaseTransport | None = None
        self._client: Any = None

    def is_watched(self) -> bool:
        """Whether anything is patched."""
        return self._is_client_watched() or not self._is_own(
            vars(self._httpx.AsyncHTTPTransport).get("handle_async_request")
        )

    def request(
        self,
        method: str,
        url: URL,
        headers: list[tuple[str, str]],
        content: bytes,
        extensions: dict[str, Any],
    ) -> Request:
        """A request for `send`."""
        # One that is given its stream is taken as complete, and so is made in a third of the time.
        built: Request = self._httpx.Request(
            method,
            self._origin.root,
            headers=headers,
            stream=self._httpx.ByteStream(content),
            extensions=extensions,
        )
        # For hooks that look at the body; afterwards the stream is one that trio does not warn of.
        built.read()
        built.stream = self._body(content)
        # Not handed over above, as it would be parsed there.
        built.url = url
        return built

    async def send(self, request: Request) -> Response:
        """Send it by what is patched; the body of the answer is left to be read."""
        if self._is_client_watched():
            sent: Response = await self._watched_client().send(
                request, stream=True, auth=None, follow_redirects=False
            )
            return sent
        response = await self._pooled_transport().handle_async_request(request)
        response.request = request
        return response

    async def aclose(self) -> None:
        """Close what is not the pool's."""
        if self._transport is not None:
            await self._transport.aclose()

    def _is_client_watched(self) -> bool:
        return not self._is_own(vars(self._httpx.AsyncClient).get("send"))

    def _is_own(self, function: object) -> bool:
        """Whether a method is httpx's own, and no tracer's in its place.

        The wrappers that tracers use stand in for a function's name, its module and even its code;
        its type they are not.
        """
        return type(function) is FunctionType and function.__code__.co_filename.startswith(
            self._folder
        )

    def _watched_client(self) -> Any:
        if type(self._client) is not self._httpx.AsyncClient:
            # httpx's client logs whole addresses, and ours hold the codes of cards.
            logging.getLogger(self._httpx.__name__).addFilter(_FILTER)
            self._client = self._httpx.AsyncClient(transport=self._pooled_transport())
        return self._client

    def _pooled_transport(self) -> AsyncBaseTransport:
        if self._transport is None:
            self._transport = transport_over(self._pool, self._httpx)
        return self._transport


def transport_over(pool: Any, httpx: Any) -> AsyncBaseTransport:
    """A transport of httpx over our pool.

    It goes by a name of httpx's own; where that is another one, over httpx's pool.
    """
    code = getattr(httpx.AsyncHTTPTransport.aclose, "__code__", None)
    if code is not None and "_pool" in code.co_names:
        return _transport_type(httpx)(pool)
    warnings.warn(
        f"{httpx.__name__} {httpx.__version__} is not known to this version of voucherify-async: "
        "requests go by its own connection pool, which is slow with many at once",
        RuntimeWarning,
        stacklevel=2,
    )
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    made: AsyncBaseTransport = httpx.AsyncHTTPTransport(limits=limits)
    return made


class _PooledTransport(AsyncHTTPTransport):
    """httpx's own transport over our pool, so that whatever hooks into httpx's finds it."""

    def __init__(self, pool: Any) -> None:
        # Without super().__init__(), which would read certificates and make a pool to throw away.
        self._pool = pool


class Body(AsyncByteStream):
    """A body in one piece.

    httpx's own is an async generator, of which trio warns when the sending breaks off.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._left = [content] if content else []

    def __aiter__(self) -> AsyncIterator[bytes]:
        return Body(self._content)

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()


@cache
def _transport_type(httpx: Any) -> type[_PooledTransport]:
    return type("PooledTransport", (_PooledTransport, httpx.AsyncHTTPTransport), {})


@cache
def _body_type(httpx: Any) -> type[Body]:
    return type("Body", (Body, httpx.AsyncByteStream), {})


class _OwnAddresses(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        args = record.args if isinstance(record.args, tuple) else ()
        return not any(isinstance(arg, OwnURL) for arg in args)


_FILTER: Final = _OwnAddresses()
