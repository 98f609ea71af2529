"""aiohttp's session as the backend: faster than httpcore, on asyncio only.

aiohttp tells neither how far a request came nor whether a connection has bytes on it that nobody
asked for. Its protocol objects are made by a factory of its own, in whose place ours watches; where
that factory is not the known one, each connection is used once.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import ssl
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import lru_cache, partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from yarl import URL

from .. import errors
from ..errors import ConfigurationError, TransportError
from .alarm import Alarm
from .backend import Attempt, Backend, RawAnswer, encoded, header_map, timeouts_of
from .exchange import Outgoing
from .passage import ABORT_DROPS_REST, Passage, is_readable
from .proxies import NO_SOCKS, Proxies, Proxy
from .unpacking import OnePiece, TooLargeError
from .urls import Origin

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection
else:
    ResponseHandler = object

KEEPALIVE_SECONDS: Final = 15.0
_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_LARGE: Final = 1 << 20
_PIECE: Final = 1 << 16
_log: Final = logging.getLogger("voucherify_async")


class AiohttpSender(Backend):
    """Sends over a session of its own: no redirects, repetitions, cookies or unpacking."""

    def __init__(
        self,
        base_url: str,
        make_ssl_context: Callable[[], ssl.SSLContext],
        proxies: Proxies,
        max_answer_bytes: int,
    ) -> None:
        super().__init__(max_answer_bytes)
        self._origin = Origin(base_url)
        self._proxies = proxies
        self._generation = 0
        connector, self._is_watching = _connector(make_ssl_context())
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            request_class=_Request,
            skip_auto_headers=["Content-Type"],
        )
        self._middlewares = _keeping_once(self._session)

    def keeps_time(self) -> bool:
        """Whether our own protocol objects wait for the answers."""
        return self._is_watching

    async def distrust(self) -> None:
        """Use no connection again that was open until now."""
        self._generation += 1

    async def aclose(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def _send(self, request: Outgoing, attempt: Attempt) -> RawAnswer:
        sending = _Sending(self._generation, request.timeout, attempt.ends_at)
        attempt.passage = sending.passage
        token = _current.set(sending)
        try:
            while True:
                try:
                    response = await self._request(request, sending)
                    break
                except _StaleError:
                    # Closed unused; the next one is tried, or a new one.
                    continue
        finally:
            _current.reset(token)
        attempt.is_answered = True
        sending.passage.end_head()

        async def aclose() -> None:
            response.close()
            sending.end()

        body = response.content
        pieces = OnePiece(body.read_nowait()) if body.is_eof() else body.iter_any()
        return RawAnswer(response.status, header_map(response.raw_headers), pieces, aclose)

    def _request(self, request: Outgoing, sending: _Sending) -> Awaitable[aiohttp.ClientResponse]:
        url = URL(str(self._origin.url(request.url)), encoded=True)
        content, content_type = encoded(request)
        proxy = self._proxies.of(url.scheme, url.raw_host or "", url.explicit_port)
        has_body = content or request.method in _METHODS_WITH_BODY
        return self._session.request(
            request.method,
            url,
            headers=[
                *([] if content_type is None else [("Content-Type", content_type)]),
                # Of a request that is not encrypted the proxy reads the headers themselves.
                *(_authorization(proxy) if url.scheme == "http" else ()),
                *request.headers.reveal(),
            ],
            # A large body in one piece would be written without a turn for anybody else.
            data=(BytesIO(content) if len(content) > _LARGE else content) if has_body else None,
            allow_redirects=False,
            proxy=None if proxy is None else _address(proxy),
            proxy_headers=None if proxy is None else dict(_authorization(proxy)),
            middlewares=self._middlewares,
            timeout=_connecting_within(
                sending.connecting(),
                None if self._is_watching else sending.timeouts["read"],
            ),
        )

    def _translated(
        self, error: Exception, request: Outgoing, attempt: Attempt
    ) -> TransportError | None:
        if not isinstance(error, (aiohttp.ClientError, OSError)):
            return super()._translated(error, request, attempt)
        passage = attempt.passage
        cls = _error_class(error, is_begun=passage is not None and passage.is_begun)
        # Not what aiohttp says, in which whole addresses stand.
        failure = cls(
            f"{request.method} {request.template}: {_reason(error)}",
            method=request.method,
            path=request.template,
        )
        failure.sent = attempt.may_be_whole is not False
        return failure


def _error_class(error: Exception, *, is_begun: bool) -> type[TransportError]:
    if isinstance(error, TimeoutError):
        written = errors.WriteTimeout if isinstance(error, _WriteTimedOutError) else None
        return written or (errors.ReadTimeout if is_begun else errors.ConnectTimeout)
    if not is_begun:
        return errors.ConnectError
    if isinstance(error, aiohttp.ClientResponseError):
        return errors.ProtocolError
    return errors.ReadError


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy answered {error.status}"
    if isinstance(error, (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        number = error.args[0] if error.args else None
        if not isinstance(error, aiohttp.ClientConnectorError):
            why = f": {os.strerror(number)}" if isinstance(number, int) else ""
            return f"the connection broke{why}"
    inner = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
    if isinstance(inner, aiohttp.ClientPayloadError):
        # Of ours, or about the answer's bytes.
        return str(inner) or "the connection broke"
    if isinstance(inner, OSError) and not isinstance(inner, TimeoutError):
        return str(inner) if inner is not error else os.strerror(inner.errno or 0)
    return type(error).__name__


class _StaleError(Exception):
    """The connection that aiohttp took from its pool is not to be used."""


class _WriteTimedOutError(TimeoutError):
    """The other side did not take the request in time."""


class _Sending:
    """One request, for the objects of aiohttp that carry it."""

    def __init__(self, generation: int, timeout: Any, ends_at: float) -> None:
        self.generation = generation
        self.timeouts = timeouts_of(timeout)
        self.passage = Passage(0)
        self.passage.begin(ends_at)
        self.passage.note_connecting()
        self.handler: _Watching | None = None

    def connecting(self) -> float | None:
        """Seconds for a new connection.

        Raises:
            TimeoutError: There are none left, which aiohttp would take for no limit.
        """
        left = self.passage.bounded(self.timeouts["connect"])
        if left is not None and left <= 0:
            raise TimeoutError
        return left

    def end(self) -> None:
        """Note that nothing more is expected on the connection, unless the next one has it."""
        if self.handler is not None and self.handler.sending is self:
            self.handler.end()


_current: ContextVar[_Sending] = ContextVar("_current")


class _Request(aiohttp.ClientRequest):
    """A request that looks at its connection, and at the clock, before it writes."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Write the request, or its head."""
        sending = _current.get()
        handler: Any = conn.protocol
        if isinstance(handler, _Watching) and not handler.begin(sending):
            raise _StaleError
        if not sending.passage.note_write():
            raise _WriteTimedOutError
        return await super().send(conn)

    async def write_bytes(self, writer: Any, conn: Connection, *args: Any, **named: Any) -> None:
        """Write the body: before Python 3.12 a turn of the event loop after the head."""
        if _current.get().passage.note_write():
            await super().write_bytes(writer, conn, *args, **named)
        elif conn.protocol is not None:
            _end_writing(conn.protocol)


class _Watching(ResponseHandler):
    """What asyncio tells of a connection.

    It reads into a buffer of its own, where asyncio would make one for each answer. One alarm
    stands for every wait, in place of aiohttp's timers.
    """

    def __init__(self, loop: Any) -> None:
        super().__init__(loop=loop)
        self._piece = memoryview(bytearray(_PIECE))
        self._alarm = Alarm(loop, self._end_wait)
        self._is_waiting = self._is_held = False
        self._body: aiohttp.StreamReader | None = None
        self._generation: int | None = None
        self.sending: _Sending | None = None

    def begin(self, sending: _Sending) -> bool:
        """Expect the answer to a request; False where the connection is not to be used again."""
        if self._generation is None:
            self._generation = sending.generation
        elif self._is_stale(sending):
            return False
        sending.handler, self.sending = self, sending
        self._body, self._is_waiting = None, True
        self._wait()
        return True

    def end(self) -> None:
        """Expect nothing more."""
        self.sending = self._body = None
        self._stop_waiting()

    def _is_stale(self, sending: _Sending) -> bool:
        socket = None if self.transport is None else self.transport.get_extra_info("socket")
        return (
            self._generation != sending.generation
            or self.should_close
            or socket is None
            or is_readable(socket.fileno())
        )

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # So that `writing_paused` says whether asyncio holds bytes that the kernel does not. With
        # a limit of 0 its TLS would call an empty buffer full.
        transport.set_write_buffer_limits(high=1, low=0)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        return self._piece

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(self._piece[:nbytes]))

    def data_received(self, data: bytes) -> None:
        if data and self.sending is None:
            # Nobody asked for it.
            self.force_close()
        elif data and self.sending is not None:
            try:
                self.sending.passage.note_read(len(data))
            except TooLargeError as error:
                self.set_exception(error)
                self._abort()
                return
            self._wait()
        super().data_received(data)

    def feed_data(self, data: Any, size: int = 0) -> None:
        if data[0].code >= 200 and self.sending is not None:
            self.sending.passage.end_head()
            self._body = data[1]
            data[1].on_eof(self._stop_waiting)
        super().feed_data(data, size)

    def pause_reading(self) -> None:
        super().pause_reading()
        # Not the other side is slow, but whoever reads the answer.
        self._is_held = True
        self._alarm.set(None)

    def resume_reading(self, *args: Any, **kwargs: Any) -> None:
        super().resume_reading(*args, **kwargs)
        if self._is_held:
            self._is_held = False
            self._wait()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._wait()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._note_cut()
        self._alarm.drop()
        super().connection_lost(exc)

    def close(self) -> None:
        # asyncio would write the rest of the request after closing.
        if self.writing_paused:
            self._abort()
        if self._body is not None and not self._body.is_eof():
            # aiohttp forgets the body here, and whoever reads it would wait for ever.
            self._body.set_exception(aiohttp.ClientPayloadError("the connection was closed"))
        super().close()

    def _wait(self) -> None:
        """Wait anew for the other side: to take more of the request, or to answer."""
        if self._is_waiting and self.sending is not None:
            step = "write" if self.writing_paused else "read"
            self._alarm.set(self.sending.passage.bounded(self.sending.timeouts[step]))

    def _stop_waiting(self) -> None:
        self._is_waiting = False
        self._alarm.set(None)

    def _end_wait(self) -> None:
        if self.writing_paused:
            self._note_cut()
            _end_writing(self)
            return
        error = aiohttp.SocketTimeoutError("the answer did not come in time")
        self.set_exception(error)
        if self._body is not None:
            self._body.set_exception(error)

    def _abort(self) -> None:
        self._note_cut()
        if self.transport is not None:
            self.transport.abort()

    def _note_cut(self) -> None:
        if self.writing_paused and self.sending is not None:
            self.sending.passage.is_cut = ABORT_DROPS_REST


def _end_writing(handler: ResponseHandler) -> None:
    """Write nothing more of a request, and tell whoever waits for its answer."""
    handler.set_exception(_WriteTimedOutError())
    if handler.transport is not None:
        handler.transport.abort()


@lru_cache(maxsize=16)
def _connecting_within(connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(connect=connect, sock_connect=connect, sock_read=read)


def _connector(ssl_context: ssl.SSLContext) -> tuple[aiohttp.TCPConnector, bool]:
    """The connections, and whether they are ours to watch."""
    # The limiter in front bounds the connections; aiohttp would at 100.
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_SECONDS, ssl=ssl_context)
    factory: Any = getattr(connector, "_factory", None)
    made = getattr(factory, "func", None)
    if isinstance(made, type) and hasattr(made, "should_close"):
        watching = type("Watching", (_Watching, made, asyncio.BufferedProtocol), {})
        remade = partial(watching, *factory.args, **factory.keywords)
        setattr(connector, "_factory", remade)  # noqa: B010 - private, and guarded above
        return connector, True
    _log.warning(
        "aiohttp %s is not known to this version of voucherify-async: each connection is used "
        "once, which is slow. Install a newer voucherify-async, or an older aiohttp",
        aiohttp.__version__,
    )
    return aiohttp.TCPConnector(limit=0, force_close=True, ssl=ssl_context), False


def _keeping_once(session: aiohttp.ClientSession) -> tuple[aiohttp.ClientMiddlewareType, ...]:
    """Keep a session from sending anything again by itself; what its requests go through for that.

    Its switch is a private one, and middlewares cost something.
    """
    if not hasattr(session, "_retry_connection"):
        return (_send_once,)
    session._retry_connection = False  # noqa: SLF001 - private, and guarded above
    return ()


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a GET, PUT or DELETE again by itself where its answer was lost.

    It does so after these errors alone. The caller decides about repeating, and must know of it: to
    a DELETE that was done already the second answer is 404.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        reason = _reason(error)
    raise aiohttp.ClientPayloadError(reason)


def _address(proxy: Proxy) -> URL:
    if proxy.is_socks:
        raise ConfigurationError(NO_SOCKS)
    return URL.build(scheme=proxy.scheme, host=proxy.host, port=proxy.port)


def _authorization(proxy: Proxy | None) -> list[tuple[str, str]]:
    if proxy is None or proxy.credentials() is None:
        return []
    return [
        (
            "Proxy-Authorization",
            "Basic " + base64.b64encode(b":".join(proxy.credentials() or ())).decode(),
        )
    ]
