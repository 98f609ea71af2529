"""A free list of httpcore's public connections, in place of httpcore's own pool.

The stock pool looks at every connection and every waiting request whenever one of them moves, so it
slows down with their number, and it loses a connection for good when a request is cancelled before
its connection was opened. Here a request owns its connection from start to end: it takes the one
that was used last, or a new one, and gives it back only if the answer was read to its end. How many
there are at once is bounded by the limiter in front of the transport.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import anyio
from httpcore import (
    AsyncHTTPConnection,
    ConnectError,
    ConnectionNotAvailable,
    Origin,
    Request,
    Response,
)

from .network import NetworkBackend

if TYPE_CHECKING:
    import ssl

OriginKey = tuple[bytes, bytes, int]


class ConnectionPool:
    """Connections to any number of origins; what `httpcore.AsyncConnectionPool` is to httpx."""

    def __init__(
        self, make_ssl_context: Callable[[], ssl.SSLContext], *, keepalive_expiry: float
    ) -> None:
        self._make_ssl_context = make_ssl_context
        self._keepalive_expiry = keepalive_expiry
        self._network = NetworkBackend()
        self._idle: dict[OriginKey, deque[AsyncHTTPConnection]] = {}
        self._in_use: set[AsyncHTTPConnection] = set()
        self._distrusted: set[AsyncHTTPConnection] = set()
        self._closed = False

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        # Reading the certificates takes milliseconds that plain http never has to pay.
        return self._make_ssl_context()

    async def handle_async_request(self, request: Request) -> Response:
        """Send one request on a connection of its own until its answer is closed."""
        origin = request.url.origin
        idle = self._idle.setdefault((origin.scheme, origin.host, origin.port), deque())
        connection = await self._take(idle) or self._new(origin)
        self._in_use.add(connection)
        try:
            response = await connection.handle_async_request(request)
        except BaseException as error:
            await self._give_back(connection, idle)
            if isinstance(error, ConnectionNotAvailable):
                # Closed by `aclose` before the request began, so that nothing of it was sent.
                raise ConnectError("The connection was closed before the request") from None
            raise

        async def give_back() -> None:
            await self._give_back(connection, idle)

        return Response(
            status=response.status,
            headers=response.headers,
            content=_ReturningStream(cast("_Stream", response.stream), give_back),
            extensions=response.extensions,
        )

    async def distrust(self) -> None:
        """Close the idle connections now, and those in use when their requests end."""
        self._distrusted |= self._in_use
        await self._close_idle()

    async def aclose(self) -> None:
        """Close every connection; requests that are under way end with a read error."""
        self._closed = True
        await self._close_idle()
        for connection in list(self._in_use):
            await _close(connection)

    async def _close_idle(self) -> None:
        for idle in self._idle.values():
            while idle:
                await _close(idle.pop())

    def _new(self, origin: Origin) -> AsyncHTTPConnection:
        connection = AsyncHTTPConnection(
            origin,
            ssl_context=self._ssl_context if origin.scheme == b"https" else None,
            keepalive_expiry=self._keepalive_expiry,
            network_backend=self._network,
        )
        _unlock(connection, "_request_lock")
        return connection

    async def _take(self, idle: deque[AsyncHTTPConnection]) -> AsyncHTTPConnection | None:
        while idle:
            # The last one used is the least likely to have been closed by the other side.
            connection = idle.pop()
            if not connection.has_expired():
                return connection
            await _close(connection)
        return None

    async def _give_back(
        self, connection: AsyncHTTPConnection, idle: deque[AsyncHTTPConnection]
    ) -> None:
        self._in_use.discard(connection)
        is_trusted = connection not in self._distrusted
        self._distrusted.discard(connection)
        speaking = getattr(connection, "_connection", None)
        # One that never connected calls itself idle as well as closed.
        is_usable = connection.is_idle() and not connection.is_closed() and not self._closed
        if is_usable and is_trusted and not _has_leftovers(speaking):
            _unlock(speaking, "_state_lock")
            idle.append(connection)
        else:
            await _close(connection)


class _NoLock:
    """Stands in for the locks of a connection that one request at a time owns anyway.

    Each of those gives the event loop a turn, three of them in a request, which is a tenth of its
    cost. Their names are httpcore's own: under other names the locks just stay.
    """

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


_NO_LOCK: Final = _NoLock()


def _unlock(connection: object, name: str) -> None:
    if hasattr(connection, name):
        setattr(connection, name, _NO_LOCK)


def _has_leftovers(connection: object) -> bool:
    """Whether more came than one answer: the next request would take it for its own.

    Like the locks it is under httpcore's own names.
    """
    state = getattr(connection, "_h11_state", None)
    return state is not None and bool(state.trailing_data[0])


async def _close(connection: AsyncHTTPConnection) -> None:
    # Above all when the caller is being cancelled, closing has to run to its end.
    with anyio.CancelScope(shield=True):
        await connection.aclose()


class _Stream(Protocol):
    """The shape of the body streams of httpcore's connections."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class _ReturningStream:
    """A body that hands its connection back when it is closed."""

    def __init__(self, body: _Stream, give_back: Callable[[], Any]) -> None:
        self._body = body
        self._give_back = give_back
        self._closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body.__aiter__()

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            await self._body.aclose()
        finally:
            await self._give_back()
