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
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit
from weakref import WeakSet

import anyio
import pyreqwest.exceptions as theirs
from anyio.lowlevel import checkpoint_if_cancelled
from pyreqwest.client import ClientBuilder, SyncClientBuilder
from pyreqwest.proxy import ProxyBuilder

from .. import errors
from ..errors import ConfigurationError, TransportError
from .backend import Attempt, Backend, RawAnswer, encoded, timeouts_of
from .exchange import Outgoing
from .passage import Passage
from .proxies import Proxies, Proxy
from .urls import Origin

if TYPE_CHECKING:
    from pyreqwest.client import Client
    from pyreqwest.http import HeaderMap
    from pyreqwest.request import StreamRequest
    from pyreqwest.response import Response, ResponseBodyReader

KEEPALIVE_SECONDS: Final = 15.0
_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_PIECE: Final = 1 << 16
_LOOK_AGAIN: Final = 1.0
# How an error begins before the answer has come, and what it says then.
_NOT_ANSWERED: Final = "error sending request"
_NOT_CONNECTED: Final = "client error (Connect)"
_CUT_SHORT: Final = "connection closed before message completed"
_Steps = dict[str, float | None]
T = TypeVar("T")


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
        self._verify = verify
        self._read_identity = read_identity
        self._proxies = proxies
        self._current: dict[object, _Connections] = {}
        self._open = WeakSet[_Connections]()
        _guard_exit()

    async def distrust(self) -> None:
        """Use no connection again that was open until now."""
        self._current.clear()

    async def aclose(self) -> None:
        """Close every connection; of requests under way the callers get an error."""
        self._current.clear()
        for connections in list(self._open):
            await connections.client.close()

    async def _send(self, request: Outgoing, attempt: Attempt) -> RawAnswer:
        self._origin.check(request.url)
        body = _Body(request)
        timeouts = timeouts_of(request.timeout)
        connections = self._connections(request.url, timeouts, body)
        passage = attempt.passage = Passage(0)
        passage.note_connecting()
        ask, leave = _ways(_built(connections.client, request, body, attempt))
        # From here on it may be sent, whoever is awaited.
        passage.note_write()
        try:
            response = await (_watched(ask, body, timeouts) if body.is_large else _awaited(ask))
        except BaseException as error:
            attempt.is_answered = _is_answered(error)
            passage.is_cut = body.cut() or _is_unconnected(error)
            raise
        attempt.is_answered = True
        pieces = _Pieces(response.body_reader, connections)

        async def aclose() -> None:
            if not pieces.are_all:
                await leave(None, None, None)

        return RawAnswer(response.status, _header_map(response.headers), pieces, aclose)

    def _connections(self, url: str, timeouts: _Steps, body: _Body) -> _Connections:
        proxy = self._proxy(url)
        # The time limit of reading counts from the beginning, which a large body makes too early.
        read = None if body.is_large else timeouts["read"]
        key = (proxy, timeouts["connect"], read)
        found = self._current.get(key)
        if found is None:
            builder = _builder(proxy, timeouts["connect"], read)
            builder = builder.danger_accept_invalid_certs(enable=not self._verify)
            if self._read_identity is not None:
                builder = builder.identity_pem(self._read_identity())
            found = self._current[key] = _Connections(builder)
            self._open.add(found)
        return found

    def _proxy(self, url: str) -> Proxy | None:
        parts = urlsplit(url)
        return self._proxies.of(parts.scheme, parts.hostname or "", parts.port)

    def _translated(
        self, error: Exception, request: Outgoing, attempt: Attempt
    ) -> TransportError | None:
        if not isinstance(error, (theirs.PyreqwestError, _StalledError, ValueError)):
            return super()._translated(error, request, attempt)
        failure = _error_class(error, attempt)(
            f"{request.method} {request.template}: {_reason(error)}",
            method=request.method,
            path=request.template,
        )
        failure.sent = attempt.may_be_whole is not False
        return failure


class _Connections:
    """A client, for as long as it is current or has requests under way."""

    __slots__ = ("__weakref__", "client")

    def __init__(self, builder: ClientBuilder) -> None:
        self.client: Final[Client] = builder.build()


class _Body:
    """The body of a request, in pieces that the connection takes one by one.

    They are taken by another thread, between two steps of the interpreter's: a piece is either
    taken or called back. No bytecode runs there, so that the thread never waits within Python.
    """

    __slots__ = ("_last", "content_type", "is_large", "length", "pieces", "stream")

    def __init__(self, request: Outgoing) -> None:
        content, self.content_type = encoded(request)
        self.length = len(content)
        self.is_large = self.length > _PIECE
        starts = range(0, self.length, _PIECE)
        self.pieces = {start: content[start : start + _PIECE] for start in starts}
        self._last = starts[-1] if starts else -1
        self.stream = map(self.pieces.pop, starts)

    def cut(self) -> bool:
        """Keep back what was not taken; tells whether that is the end of the body, or more."""
        return self.pieces.pop(self._last, None) is not None


class _Pieces:
    """The body of an answer, as it comes."""

    def __init__(self, reader: ResponseBodyReader, connections: _Connections) -> None:
        self._reader = reader
        self._connections = connections
        self.are_all = False

    def __aiter__(self) -> _Pieces:
        return self

    async def __anext__(self) -> bytes:
        piece = await _awaited(self._reader.read_chunk())
        if piece is None:
            self.are_all = True
            raise StopAsyncIteration
        return bytes(piece)


class _StalledError(Exception):
    """A step of a large request took longer than it may."""

    def __init__(self, error_class: type[TransportError]) -> None:
        super().__init__("timed out")
        self.error_class = error_class


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


def _built(client: Client, request: Outgoing, body: _Body, attempt: Attempt) -> StreamRequest:
    builder = client.request(request.method, request.url).headers(
        [*_framing(request, body), *request.headers.reveal()]
    )
    if body.length:
        builder = builder.body_stream(body.stream)
    if body.is_large:
        left = anyio.current_effective_deadline() - anyio.current_time()
        if left < math.inf:
            builder = builder.timeout(timedelta(seconds=max(left, 0)))
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


async def _awaited(ask: Awaitable[T]) -> T:
    try:
        return await ask
    except asyncio.CancelledError:
        # pyreqwest's stands in the place of anyio's, which knows its own by their texts.
        await checkpoint_if_cancelled()
        raise


async def _watched(ask: Awaitable[Response], body: _Body, timeouts: _Steps) -> Response:
    """The answer to a large body, of which each piece has its time.

    Raises:
        _StalledError: The other side took no piece, or took them all and did not answer.
    """
    watch = _Watch(body, timeouts)
    with watch.scope:
        try:
            return await _awaited(ask)
        finally:
            watch.end()
    raise _StalledError(errors.WriteTimeout if body.pieces else errors.ReadTimeout)


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
        return dict(headers.items())
    except ValueError:
        # One of them is not ASCII; none that anybody asks for is.
        readable: dict[str, str] = {}
        for name in headers.keys():  # noqa: SIM118 - the pairs are what cannot be read
            with suppress(ValueError):
                readable[name] = headers[name]
        return readable


def _causes(error: BaseException) -> list[str]:
    """What went wrong, the outermost first: `reqwest`, its client, the connection."""
    details = getattr(error, "details", None) or {}
    return [cause["message"] for cause in details.get("causes") or ()]


def _is_unconnected(error: BaseException) -> bool:
    """Whether there surely was no connection to send on.

    An address that cannot be used is a ValueError.
    """
    return isinstance(error, ValueError) or _causes(error)[1:2] == [_NOT_CONNECTED]


def _is_answered(error: BaseException) -> bool:
    """Whether the other side had begun to answer."""
    if isinstance(error, theirs.DecodeError):
        return True
    return any(not cause.startswith(_NOT_ANSWERED) for cause in _causes(error)[:1])


def _error_class(error: Exception, attempt: Attempt) -> type[TransportError]:
    if isinstance(error, _StalledError):
        return error.error_class
    is_unconnected = _is_unconnected(error)
    if isinstance(error, theirs.RequestTimeoutError):
        return errors.ConnectTimeout if is_unconnected else errors.ReadTimeout
    if is_unconnected:
        return errors.ConnectError
    if isinstance(error, theirs.DecodeError) or _CUT_SHORT in _causes(error):
        return errors.ProtocolError
    return errors.ReadError if attempt.may_be_whole else errors.WriteError


def _reason(error: Exception) -> str:
    if isinstance(error, ValueError):
        return "the address cannot be used"
    # The first cause quotes the address.
    return ": ".join(_causes(error)[1:]) or str(error.args[0])


_guarded: Final = set[int]()


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
        raise ConfigurationError(
            'http_backend: "pyreqwest" does not work in a process that was forked after it was '
            'used; start the process by "spawn", or use "aiohttp"'
        )
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
