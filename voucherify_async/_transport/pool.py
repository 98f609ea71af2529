"""A free list of httpcore's public connections, in place of httpcore's own pool.

The stock pool looks at every connection and every waiting request whenever one of them moves, so it
slows down with their number, and it loses a connection for good when a request is cancelled before
its connection was opened. Here a request owns its connection from start to end: it takes the one
that was used last, or a new one, and gives it back only if the answer was read to its end. How many
there are at once is bounded by the limiter in front of the transport.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import anyio

from ..errors import ConfigurationError
from .passage import Passage
from .proxies import Proxies, Proxy
from .sockets import Wire

if TYPE_CHECKING:
    import ssl

    from httpcore import (
        AsyncConnectionInterface,
        AsyncConnectionPool,
        Origin,
        Request,
        Response,
    )

_log: Final = logging.getLogger("voucherify_async")
OriginKey = tuple[bytes, bytes, int]
ATTEMPT: Final = "voucherify_async.attempt"
"""The extension of a request that is told how far the request came."""
_SWEEP_EVERY: Final = 1.0
_STREAM_PORTS: Final = {b"http": 80, b"https": 443}


class _Held:
    """A connection, what is under it, and whether it may be used again."""

    __slots__ = ("http", "is_trusted", "key", "passage", "wire")

    def __init__(
        self, key: OriginKey, http: AsyncConnectionInterface, wire: Wire, passage: Passage
    ) -> None:
        self.key = key
        self.http = http
        self.wire = wire
        self.passage = passage
        self.is_trusted = True

    async def aclose(self) -> None:
        """Close it, also one that httpcore has not got in its hands yet."""
        # Above all when the caller is being cancelled, closing has to run to its end.
        with anyio.CancelScope(shield=True):
            await self.http.aclose()
            await self.wire.aclose()


class ConnectionPool:
    """Connections to any number of origins; what `httpcore.AsyncConnectionPool` is to httpx.

    Args:
        httpcore: The module whose connections they are.
        make_ssl_context: Makes what speaks TLS, when it is first needed.
        keepalive_expiry: Seconds after which an idle connection is not used again.
        proxies: What the connections go through.
    """

    def __init__(
        self,
        httpcore: Any,
        make_ssl_context: Callable[[], ssl.SSLContext],
        *,
        keepalive_expiry: float,
        proxies: Proxies,
    ) -> None:
        self._httpcore = httpcore
        self._make_ssl_context = make_ssl_context
        self._keepalive_expiry = keepalive_expiry
        self._proxies = proxies
        self._idle: dict[OriginKey, deque[_Held]] = {}
        self._in_use: set[_Held] = set()
        self._closed = False
        self._is_warned = False
        self._swept_at = time.monotonic()

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        # Reading the certificates takes milliseconds that plain http never has to pay.
        return self._make_ssl_context()

    async def handle_async_request(self, request: Request) -> Response:
        """Send one request, for httpx's transport, which wants the body in the response."""
        response, body = await self.send(request)
        made: Response = self._httpcore.Response(
            status=response.status,
            headers=response.headers,
            content=body,
            extensions=response.extensions,
        )
        return made

    async def send(self, request: Request) -> tuple[Response, ReturningStream]:
        """Send one request on a connection of its own until the body of its answer is closed."""
        origin = request.url.origin
        held = await self._take((origin.scheme, origin.host, origin.port)) or self._new(origin)
        self._in_use.add(held)
        attempt = request.extensions.get(ATTEMPT)
        if attempt is None:
            held.passage.begin()
        else:
            held.passage.begin(attempt.ends_at)
            attempt.passage = held.passage
        try:
            response = await held.http.handle_async_request(request)
        except BaseException as error:
            await self._give_back(held)
            if isinstance(error, self._httpcore.ConnectionNotAvailable):
                # Closed by `aclose` before the request began, so that nothing of it was sent.
                text = "The connection was closed before the request"
                raise self._httpcore.ConnectError(text) from None
            if isinstance(error, AssertionError) or type(error).__module__.startswith("socksio"):
                # httpcore checks a SOCKS proxy's answers by assertion.
                raise self._httpcore.ProxyError("The proxy does not speak SOCKS 5") from None
            raise
        held.passage.end_head()
        if attempt is not None:
            attempt.is_answered = True
        return response, ReturningStream(cast("_Stream", response.stream), self._give_back, held)

    async def distrust(self) -> None:
        """Close the idle connections now, and those in use when their requests end."""
        for held in self._in_use:
            held.is_trusted = False
        await self._close_idle()

    async def aclose(self) -> None:
        """Close every connection; requests that are under way end with a read error."""
        self._closed = True
        await self._close_idle()
        for held in list(self._in_use):
            await held.aclose()

    async def _close_idle(self, *, expired_only: bool = False) -> None:
        # All of them are taken out first: while one is being closed, others come and go.
        closing: list[_Held] = []
        for key, idle in list(self._idle.items()):
            ending = [held for held in idle if not expired_only or held.http.has_expired()]
            for held in ending:
                idle.remove(held)
            if not idle:
                del self._idle[key]
            closing += ending
        for held in closing:
            await held.aclose()

    def _new(self, origin: Origin) -> _Held:
        key = (origin.scheme, origin.host, origin.port)
        default = _STREAM_PORTS.get(origin.scheme) == origin.port
        proxy = self._proxies.of(
            origin.scheme.decode(), origin.host.decode(), None if default else origin.port
        )
        layers = (origin.scheme == b"https") + (proxy is not None and proxy.scheme == "https")
        passage = Passage(layers)
        wire = Wire(passage, self._httpcore)
        return _Held(key, self._connection(origin, proxy, wire), wire, passage)

    def _connection(
        self, origin: Origin, proxy: Proxy | None, wire: Wire
    ) -> AsyncConnectionInterface:
        ssl_context = self._ssl_context if origin.scheme == b"https" else None
        if proxy is not None:
            proxy_context = self._ssl_context if proxy.scheme == "https" else None
            through = self._through(proxy, ssl_context, proxy_context, wire)
            return through.create_connection(origin)
        connection: AsyncConnectionInterface = self._httpcore.AsyncHTTPConnection(
            origin,
            ssl_context=ssl_context,
            keepalive_expiry=self._keepalive_expiry,
            network_backend=wire,
        )
        _unlock(connection, "_request_lock")
        return connection

    async def _take(self, key: OriginKey) -> _Held | None:
        idle = self._idle.get(key)
        while idle:
            # The last one used is the least likely to have been closed by the other side.
            held = idle.pop()
            if not held.http.has_expired():
                return held
            await held.aclose()
        return None

    async def _give_back(self, held: _Held) -> None:
        self._in_use.discard(held)
        # One that never connected calls itself idle as well as closed.
        if (
            held.http.is_idle()
            and not held.http.is_closed()
            and held.is_trusted
            and not self._closed
            and self._is_clean(held.http)
        ):
            self._idle.setdefault(held.key, deque()).append(held)
        else:
            await held.aclose()
        if self._idle and time.monotonic() - self._swept_at >= _SWEEP_EVERY:
            # After a burst nobody may ask for those connections again.
            self._swept_at = time.monotonic()
            await self._close_idle(expired_only=True)

    def _is_clean(self, connection: object) -> bool:
        """Whether no more came than one answer: the next request would take it for its own."""
        leftovers = _leftovers(connection)
        if leftovers is None and not self._is_warned:
            self._is_warned = True
            _log.warning(
                "%s %s is not known to this version of voucherify-async: each connection is used "
                "once, which is slow. Install an older one, or a newer voucherify-async",
                self._httpcore.__name__,
                self._httpcore.__version__,
            )
        return leftovers == b""

    def _through(
        self,
        proxy: Proxy,
        ssl_context: ssl.SSLContext | None,
        proxy_ssl_context: ssl.SSLContext | None,
        wire: Wire,
    ) -> AsyncConnectionPool:
        """The proxy of httpcore, of which the connections are taken and the pool is not used.

        Raises:
            ConfigurationError: SOCKS needs a package that is not installed.
        """
        core = self._httpcore
        made = core.AsyncSOCKSProxy if proxy.is_socks else core.AsyncHTTPProxy
        more = {"proxy_ssl_context": proxy_ssl_context} if proxy_ssl_context else {}
        try:
            pool: AsyncConnectionPool = made(
                core.URL(scheme=proxy.scheme, host=proxy.host, port=proxy.port, target=b"/"),
                proxy_auth=proxy.credentials(),
                ssl_context=ssl_context,
                keepalive_expiry=self._keepalive_expiry,
                network_backend=wire,
                **more,
            )
        except (RuntimeError, ImportError):
            raise ConfigurationError(
                'proxy: SOCKS needs the package socksio: pip install "voucherify-async[socks]"'
            ) from None
        return pool


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


def _leftovers(connection: object) -> bytes | None:
    """What came beyond the answer; None where it cannot be told.

    It goes by httpcore's own names, through however many proxies.
    """
    speaking: Any = connection
    while speaking is not None and not hasattr(speaking, "_h11_state"):
        speaking = getattr(speaking, "_connection", None)
    if speaking is None:
        return None
    _unlock(speaking, "_state_lock")
    data: tuple[bytes, bool] | None = getattr(speaking._h11_state, "trailing_data", None)  # noqa: SLF001
    return None if data is None else data[0]


class _Stream(Protocol):
    """The shape of the body streams of httpcore's connections."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class ReturningStream:
    """A body that hands its connection back when it is closed."""

    def __init__(self, body: _Stream, give_back: Callable[[_Held], Any], held: _Held) -> None:
        self._body = body
        self._give_back = give_back
        self._held = held
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
            await self._give_back(self._held)
