"""pyreqwest's client, which is reqwest in Rust, as the backend: the fastest, on asyncio only.

pyreqwest does not stop a request whose caller has gone. So the body of a write is handed over in
pieces when the connection asks for them: what was not taken by then never leaves, and what was
taken tells how far a request came. The rest of an abandoned request ends at its time limit.
"""

from __future__ import annotations

import asyncio
import atexit
import math
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from itertools import compress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from weakref import WeakSet

import anyio
import pyreqwest.exceptions as theirs
from anyio.lowlevel import checkpoint_if_cancelled
from pyreqwest.client import ClientBuilder, SyncClientBuilder
from pyreqwest.http import HeaderMap
from pyreqwest.proxy import ProxyBuilder

from .. import errors
from .._protocol.headers import SignedHeaders
from ..errors import ConfigurationError, TransportError
from .backend import Attempt, Backend, RawAnswer, encoded, timeouts_of
from .exchange import Outgoing, OverdueError
from .passage import Passage
from .proxies import Proxies, Proxy
from .pyreqwest_errors import StalledError, error_class_of, is_answered, is_unconnected, reason_of
from .urls import Origin

if TYPE_CHECKING:
    from pyreqwest.client import Client
    from pyreqwest.request import StreamRequest
    from pyreqwest.response import Response, ResponseBodyReader

KEEPALIVE_SECONDS: Final = 15.0
_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_PIECE: Final = 1 << 16
_MOST_CLIENTS: Final = 8
"""How many time limits and origins are kept connections for."""
_MOST_ABANDONED: Final = 200
"""How many requests may go on without their callers; each has a connection."""
_LOOK_FOR_ROOM: Final = 0.02
_LOOK_AGAIN: Final = 1.0
_Steps = Mapping[str, float | None]


class PyreqwestSender(Backend):
    """Sends over clients of its own: no redirects, repetitions, cookies or unpacking.

    Args:
        base_url: An address of the API.
        proxies: Which proxy a request goes through.
        max_answer_bytes: How long the body of an answer may be.
        verify: Whether certificates are checked, against the system's authorities.
        read_identity: Reads the certificate to show, with its key, as PEM.

    Raises:
        ConfigurationError: This process was forked from one that used pyreqwest.
    """

    def __init__(
        self,
        base_url: str,
        proxies: Proxies,
        max_answer_bytes: int,
        *,
        verify: bool,
        read_identity: Callable[[], bytes] | None,
    ) -> None:
        super().__init__(max_answer_bytes)
        self._origin = Origin(base_url)
        self._root = f"{self._origin.text}/"
        self._verify = verify
        self._read_identity = read_identity
        self._proxies = proxies
        self._current: dict[object, _Connections] = {}
        self._open = WeakSet[_Connections]()
        self._abandoned = WeakSet[_Mark]()
        _guard_exit()

    def keeps_time(self) -> bool:
        """It does: pyreqwest itself ends a request with its time, and leaves nothing of it."""
        return True

    async def distrust(self) -> None:
        """Use no connection again that was open until now."""
        self._current.clear()

    async def aclose(self) -> None:
        """Close every connection; of requests under way the callers get an error."""
        self._current.clear()
        for connections in list(self._open):
            await connections.client.close()

    async def _send(self, request: Outgoing, attempt: Attempt) -> RawAnswer:
        body = (
            _NO_BODY
            if request.content is None and request.files is None
            else _Body(request, attempt.ends_at)
        )
        connections = self._connections(request, body)
        if len(self._abandoned) >= _MOST_ABANDONED:
            await self._room()
        mark = _Mark()
        ask, leave = _ways(_built(connections.client, request, body, attempt, mark))
        attempt.check_time(request)
        try:
            response = await (_watched(ask, body, request) if body.is_large else ask)
        except BaseException as error:
            attempt.is_answered = is_answered(error)
            attempt.passage = _passage(is_cut=body.cut() or is_unconnected(error))
            self._abandoned.add(mark)
            # Frames outlive what they raise.
            del mark
            await _raise_own_cancellation(error)
            raise
        attempt.is_answered = True
        headers = _header_map(response.headers)
        if not attempt.is_streamed and _is_here(headers, self._limit):
            content = bytes(await response.bytes())
            return RawAnswer(response.status, headers, _NO_PIECES, _do_nothing, content)
        pieces = _Pieces(response.body_reader, connections)

        async def aclose() -> None:
            if not pieces.are_all:
                await leave(None, None, None)

        return RawAnswer(response.status, headers, pieces, aclose)

    async def _room(self) -> None:
        """Wait for the end of requests whose callers have gone."""
        while len(self._abandoned) >= _MOST_ABANDONED:
            await anyio.sleep(_LOOK_FOR_ROOM)
            # What its thread has let go is let go in Python when pyreqwest is called next.
            HeaderMap()

    def _connections(self, request: Outgoing, body: _Body) -> _Connections:
        is_own = request.url.startswith(self._root)
        if not is_own:
            self._origin.check(request.url)
        key = (None if is_own else _origin_of(request.url), request.timeout, body.is_large)
        found = self._current.get(key)
        if found is None:
            if len(self._current) == _MOST_CLIENTS:
                del self._current[next(iter(self._current))]
            found = self._current[key] = self._connect(request, body)
            self._open.add(found)
        return found

    def _connect(self, request: Outgoing, body: _Body) -> _Connections:
        timeouts = timeouts_of(request.timeout)
        # It would count from the beginning, which of a large body is too early.
        read = None if body.is_large else timeouts["read"]
        proxy = self._proxies.of(*_origin_of(request.url))
        builder = _builder(proxy, timeouts["connect"], read)
        builder = builder.danger_accept_invalid_certs(enable=not self._verify)
        if self._read_identity is not None:
            builder = builder.identity_pem(self._read_identity())
        return _Connections(builder)

    def _translated(
        self, error: Exception, request: Outgoing, attempt: Attempt
    ) -> TransportError | None:
        if not isinstance(error, (theirs.PyreqwestError, StalledError, ValueError)):
            return super()._translated(error, request, attempt)
        error_class = error_class_of(error, attempt)
        if issubclass(error_class, errors.TimeoutError) and attempt.is_over():
            error_class = OverdueError
        failure = error_class(
            f"{request.method} {request.template}: {reason_of(error)}",
            method=request.method,
            path=request.template,
        )
        failure.sent = attempt.may_be_whole is not False
        return failure


class _Mark:
    """Goes along with a request, and away with it."""

    __slots__ = ("__weakref__",)


class _Connections:
    """A client, for as long as it is current or has requests under way."""

    __slots__ = ("__weakref__", "client")

    def __init__(self, builder: ClientBuilder) -> None:
        try:
            self.client: Final[Client] = builder.build()
        except RuntimeError:
            # Of a process that was forked after somebody else had used pyreqwest.
            raise ConfigurationError(_FORKED) from None


def _passage(*, is_cut: bool) -> Passage:
    """How far a request without an answer came, of which any may be written unless it was cut."""
    passage = Passage(0)
    passage.note_connecting()
    passage.note_write()
    passage.is_cut = is_cut
    return passage


def _is_here(headers: Mapping[str, str], limit: int) -> bool:
    """Whether the whole body came with the head, as it is."""
    stated = headers.get("content-length", "")
    return (
        stated.isdecimal()
        and int(stated[:20]) <= min(limit, _PIECE)
        and "content-encoding" not in headers
    )


def _origin_of(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port


class _Body:
    """The body of a request, in pieces that the connection takes one by one.

    They are taken by another thread, between two steps of the interpreter's: a piece is either
    taken or called back. No bytecode runs there, so that the thread never waits within Python.
    None is given away once the request's time is over, by `time.monotonic`: a process that was
    stopped for a while sends nothing when it goes on.
    """

    __slots__ = ("_last", "content_type", "is_large", "length", "pieces", "stream")

    def __init__(self, request: Outgoing, ends_at: float = math.inf) -> None:
        content, self.content_type = encoded(request)
        self.length = len(content)
        self.is_large = self.length > _PIECE
        starts = range(0, self.length, _PIECE)
        self.pieces = {start: content[start : start + _PIECE] for start in starts}
        self._last = starts[-1] if starts else -1
        in_time = map(ends_at.__gt__, iter(time.monotonic, None))
        self.stream = map(self.pieces.pop, compress(starts, in_time))

    def cut(self) -> bool:
        """Keep back what was not taken; tells whether that is the end of the body, or more."""
        return self.pieces.pop(self._last, None) is not None


_NO_BODY: Final = _Body(Outgoing("GET", "", SignedHeaders(), None, None, None, ""))


class _Pieces:
    """The body of an answer, as it comes."""

    def __init__(self, reader: ResponseBodyReader, connections: _Connections) -> None:
        self._reader = reader
        self._connections = connections
        self.are_all = False

    def __aiter__(self) -> _Pieces:
        return self

    async def __anext__(self) -> bytes:
        try:
            piece = await self._reader.read_chunk()
        except BaseException as error:
            await _raise_own_cancellation(error)
            raise
        if piece is None:
            self.are_all = True
            raise StopAsyncIteration
        return bytes(piece)


class _NoPieces:
    """The body of an answer that was read with its head."""

    def __aiter__(self) -> _NoPieces:
        return self

    async def __anext__(self) -> bytes:
        raise StopAsyncIteration


_NO_PIECES: Final = _NoPieces()


async def _do_nothing() -> None:
    """Leave a connection that has gone back already."""


def _builder(proxy: Proxy | None, connect: float | None, read: float | None) -> ClientBuilder:
    builder = (
        ClientBuilder()
        .runtime_multithreaded(enable=False)
        .http1_only()
        .follow_redirects(enable=False)
        .referer(enable=False)
        .gzip(enable=False)
        .deflate(enable=False)
        .brotli(enable=False)
        .zstd(enable=False)
        .pool_idle_timeout(timedelta(seconds=KEEPALIVE_SECONDS))
        # That of the environment is among ours.
        .no_proxy()
    )
    if proxy is not None:
        builder = builder.proxy(_proxy_builder(proxy))
    if connect is not None:
        builder = builder.connect_timeout(timedelta(seconds=connect))
    if read is not None:
        builder = builder.read_timeout(timedelta(seconds=read))
    return builder


def _proxy_builder(proxy: Proxy) -> ProxyBuilder:
    # With `socks5` the name would be resolved here.
    scheme = "socks5h" if proxy.is_socks else proxy.scheme
    host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
    builder = ProxyBuilder.all(f"{scheme}://{host}:{proxy.port}")
    if proxy.credentials() is None:
        return builder
    return builder.basic_auth(*[part.decode() for part in proxy.credentials() or ()])


def _built(
    client: Client, request: Outgoing, body: _Body, attempt: Attempt, mark: _Mark
) -> StreamRequest:
    builder = (
        client.request(request.method, request.url)
        .headers([*_framing(request, body), *request.headers.reveal()])
        .extensions({"mark": mark})
    )
    if body.length:
        builder = builder.body_stream(body.stream)
    within = attempt.ends_at - time.monotonic()
    if body.is_large:
        # So that what its caller leaves does not go on for long.
        within = min(within, anyio.current_effective_deadline() - anyio.current_time())
    if within < math.inf:
        builder = builder.timeout(timedelta(seconds=max(within, 0)))
    if attempt.is_streamed:
        # It would keep 64 KB back, and lose them where the connection breaks.
        builder = builder.streamed_read_buffer_limit(0)
    return builder.build_streamed()


def _framing(request: Outgoing, body: _Body) -> list[tuple[str, str]]:
    framing: list[tuple[str, str]] = []
    if body.length or request.method in _METHODS_WITH_BODY:
        framing.append(("Content-Length", str(body.length)))
    if body.content_type is not None:
        framing.append(("Content-Type", body.content_type))
    return framing


def _ways(
    request: StreamRequest,
) -> tuple[Awaitable[Response], Callable[..., Awaitable[None]]]:
    """How to get the answer, and how to leave it.

    The request itself, which shows the headers that it holds, stands in no frame that may fail.
    """
    return request.__aenter__(), request.__aexit__


async def _raise_own_cancellation(error: BaseException) -> None:
    """Raise anyio's, which it knows by its text, in the place of pyreqwest's."""
    if isinstance(error, asyncio.CancelledError):
        await checkpoint_if_cancelled()


async def _watched(ask: Awaitable[Response], body: _Body, request: Outgoing) -> Response:
    """The answer to a large body, of which each piece has its time.

    Raises:
        StalledError: The other side took no piece, or took them all and did not answer.
    """
    watch = _Watch(body, timeouts_of(request.timeout))
    with watch.scope:
        try:
            return await ask
        except asyncio.CancelledError as error:
            await _raise_own_cancellation(error)
            raise
        finally:
            watch.end()
    raise StalledError(errors.WriteTimeout if body.pieces else errors.ReadTimeout)


class _Watch:
    """Leaves a request of whose body no piece was taken since it looked last."""

    def __init__(self, body: _Body, timeouts: _Steps) -> None:
        self._body = body
        self._timeouts = timeouts
        self.scope = anyio.CancelScope()
        # Connecting has a limit of its own.
        self._look_after((timeouts["connect"] or 0) + (timeouts["write"] or _LOOK_AGAIN))

    def end(self) -> None:
        self._timer.cancel()

    def _look_after(self, seconds: float) -> None:
        left = len(self._body.pieces)
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look, left)

    def _look(self, left: int) -> None:
        limit = self._timeouts["write" if self._body.pieces else "read"]
        if limit is not None and len(self._body.pieces) == left:
            self.scope.cancel()
        else:
            self._look_after(limit or _LOOK_AGAIN)


def _header_map(headers: HeaderMap) -> dict[str, str]:
    try:
        found = headers.dict_multi_value()
        # Of those that come more than once, the last.
        return {name: text if isinstance(text, str) else text[-1] for name, text in found.items()}
    except ValueError:
        # One of them is not ASCII; none that anybody asks for is.
        readable: dict[str, str] = {}
        for name in headers.keys():  # noqa: SIM118 - the pairs are what cannot be read
            with suppress(ValueError):
                readable[name] = headers[name]
        return readable


_guarded: Final = set[int]()
_FORKED: Final = (
    'http_backend: "pyreqwest" does not work in a process that was forked after it was used; '
    'start the process by "spawn", or use "aiohttp"'
)


def _guard_exit() -> None:
    """Let the process end only when pyreqwest's thread has left Python.

    It wakes event loops. Within such a call, when the interpreter goes away, it would abort the
    process.

    Raises:
        ConfigurationError: This process was forked from one in which the thread was left behind.
    """
    pid = os.getpid()
    if pid in _guarded:
        return
    if _guarded:
        raise ConfigurationError(_FORKED)
    _guarded.add(pid)
    atexit.register(_await_thread, pid)


def _await_thread(pid: int) -> None:
    if os.getpid() != pid:
        # In a fork the thread is missing, and would be awaited for ever.
        return
    with suppress(theirs.PyreqwestError):
        # It does one thing after the other, and this one last: a request that is refused unsent.
        client = SyncClientBuilder().runtime_multithreaded(enable=False).https_only(enable=True)
        client.danger_accept_invalid_certs(enable=True).build().get(
            "http://localhost"
        ).build().send()
