"""aiohttp's connections, watched: how far a request came, and whether anybody asked for an answer.

aiohttp's protocol objects are made by a factory of its own, in whose place ours watches; where that
factory is not the known one, each connection is used once.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from .aiohttp_errors import WriteTimedOutError
from .alarm import Alarm
from .backend import timeouts_of
from .passage import ABORT_DROPS_REST, Passage, is_readable
from .unpacking import TooLargeError

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection
else:
    ResponseHandler = object

KEEPALIVE_SECONDS: Final = 15.0
_PIECE: Final = 1 << 16
_log: Final = logging.getLogger("voucherify_async")


class StaleError(Exception):
    """The connection that aiohttp took from its pool is not to be used."""


class Sending:
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


current: ContextVar[Sending] = ContextVar("current")


class Request(aiohttp.ClientRequest):
    """A request that looks at its connection, and at the clock, before it writes."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Write the request, or its head."""
        sending = current.get()
        handler: Any = conn.protocol
        if isinstance(handler, _Watching) and not handler.begin(sending):
            raise StaleError
        if not sending.passage.note_write():
            raise WriteTimedOutError
        return await super().send(conn)

    async def write_bytes(self, writer: Any, conn: Connection, *args: Any, **named: Any) -> None:
        """Write the body: before Python 3.12 a turn of the event loop after the head."""
        if current.get().passage.note_write():
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
        self.sending: Sending | None = None

    def begin(self, sending: Sending) -> bool:
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

    def _is_stale(self, sending: Sending) -> bool:
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
    handler.set_exception(WriteTimedOutError())
    if handler.transport is not None:
        handler.transport.abort()


def watched_connector(ssl_context: ssl.SSLContext) -> tuple[aiohttp.TCPConnector, bool]:
    """What makes and keeps connections, and whether they are ours to watch."""
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
