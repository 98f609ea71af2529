"""aiohttp's session as the backend: faster than httpcore, on asyncio only.

aiohttp tells neither how far a request came nor whether a connection has bytes on it that nobody
asked for. Its protocol objects are made by a factory of its own, in whose place ours watches; where
that factory is not the known one, each connection is used once.
"""

from __future__ import annotations

import base64
import logging
import os
import ssl
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from yarl import URL

from .. import errors
from ..errors import ConfigurationError, TransportError
from .backend import Attempt, Backend, RawAnswer, encoded, header_map, timeouts_of
from .exchange import Outgoing
from .passage import ABORT_DROPS_REST, Passage, is_readable
from .proxies import NO_SOCKS, Proxies, Proxy
from .unpacking import TooLargeError
from .urls import Origin

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection
else:
    ResponseHandler = object

KEEPALIVE_SECONDS: Final = 15.0
_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_LARGE: Final = 1 << 20
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
        self._session = aiohttp.ClientSession(
            connector=_connector(make_ssl_context()),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            middlewares=[_send_once],
            request_class=_Request,
            skip_auto_headers=["Content-Type"],
        )

    async def distrust(self) -> None:
        """Use no connection again that was open until now."""
        self._generation += 1

    async def aclose(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def _send(self, request: Outgoing, attempt: Attempt) -> RawAnswer:
        timeouts = timeouts_of(request.timeout)
        sending = _Sending(self._generation, timeouts.pop("write"))
        attempt.passage = sending.passage
        token = _current.set(sending)
        try:
            while True:
                try:
                    response = await self._request(request, timeouts)
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

        headers = header_map(response.raw_headers)
        return RawAnswer(response.status, headers, response.content.iter_any(), aclose)

    async def _request(
        self, request: Outgoing, timeouts: dict[str, float | None]
    ) -> aiohttp.ClientResponse:
        url = URL(str(self._origin.url(request.url)), encoded=True)
        content, content_type = encoded(request)
        proxy = self._proxies.of(url.scheme, url.raw_host or "", url.explicit_port)
        has_body = content or request.method in _METHODS_WITH_BODY
        return await self._session.request(
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
            timeout=aiohttp.ClientTimeout(
                connect=timeouts["connect"],
                sock_connect=timeouts["connect"],
                sock_read=timeouts["read"],
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
    if isinstance(error, (aiohttp.ClientResponseError, aiohttp.ServerDisconnectedError)):
        return errors.ProtocolError
    return errors.ReadError


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy answered {error.status}"
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

    def __init__(self, generation: int, write_timeout: float | None) -> None:
        self.generation = generation
        self.write_timeout = write_timeout
        self.passage = Passage(0)
        self.passage.note_connecting()
        self.handler: _Watching | None = None

    def end(self) -> None:
        """Note that nothing more is expected on the connection, unless the next one has it."""
        if self.handler is not None and self.handler.sending is self:
            self.handler.sending = None


_current: ContextVar[_Sending] = ContextVar("_current")


class _Request(aiohttp.ClientRequest):
    """A request that looks at its connection before it writes."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Write the request."""
        sending = _current.get()
        handler: Any = conn.protocol
        if isinstance(handler, _Watching) and not handler.begin(sending):
            raise _StaleError
        sending.passage.note_write()
        return await super().send(conn)


class _Watching(ResponseHandler):
    """What asyncio tells of a connection."""

    def __init__(self, loop: Any) -> None:
        super().__init__(loop=loop)
        self._timers = loop
        self._write_timer: Any = None
        self._generation: int | None = None
        self.sending: _Sending | None = None

    def begin(self, sending: _Sending) -> bool:
        """Expect the answer to a request; False where the connection is not to be used again."""
        if self._generation is None:
            self._generation = sending.generation
        elif self._is_stale(sending):
            return False
        sending.handler, self.sending = self, sending
        return True

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
        super().data_received(data)

    def feed_data(self, data: Any, size: int = 0) -> None:
        if data[0].code >= 200 and self.sending is not None:
            self.sending.passage.end_head()
        super().feed_data(data, size)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.sending is not None and self.sending.write_timeout is not None:
            self._write_timer = self._timers.call_later(self.sending.write_timeout, self._end_write)

    def resume_writing(self) -> None:
        self._drop_write_timer()
        super().resume_writing()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._note_cut()
        super().connection_lost(exc)

    def close(self) -> None:
        # asyncio would write the rest of the request after closing.
        if self.writing_paused:
            self._abort()
        super().close()

    def _end_write(self) -> None:
        self.set_exception(_WriteTimedOutError())
        self._abort()

    def _abort(self) -> None:
        self._note_cut()
        if self.transport is not None:
            self.transport.abort()

    def _note_cut(self) -> None:
        self._drop_write_timer()
        if self.writing_paused and self.sending is not None:
            self.sending.passage.is_cut = ABORT_DROPS_REST

    def _drop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None


def _connector(ssl_context: ssl.SSLContext) -> aiohttp.TCPConnector:
    # The limiter in front bounds the connections; aiohttp would at 100.
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_SECONDS, ssl=ssl_context)
    factory: Any = getattr(connector, "_factory", None)
    made = getattr(factory, "func", None)
    if isinstance(made, type) and hasattr(made, "should_close"):
        watching = type("Watching", (_Watching, made), {})
        remade = partial(watching, *factory.args, **factory.keywords)
        setattr(connector, "_factory", remade)  # noqa: B010 - private, and guarded above
        return connector
    _log.warning(
        "aiohttp %s is not known to this version of voucherify-async: each connection is used "
        "once, which is slow. Install a newer voucherify-async, or an older aiohttp",
        aiohttp.__version__,
    )
    return aiohttp.TCPConnector(limit=0, force_close=True, ssl=ssl_context)


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
        reason = "the connection broke"
        if error.args and isinstance(error.args[0], int):
            reason = f"{reason}: {os.strerror(error.args[0])}"
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
