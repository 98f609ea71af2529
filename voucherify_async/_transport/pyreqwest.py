"""pyreqwest's client, which is reqwest in Rust, as the backend: the fastest, on asyncio only.

pyreqwest does not stop a request whose caller has gone. So the body of a write is handed over in
pieces when the connection asks for them: what was not taken by then never leaves, and what was
taken tells how far a request came. The rest of an abandoned request ends at its time limit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from weakref import WeakSet

import anyio
import pyreqwest.exceptions as theirs
from pyreqwest.http import HeaderMap

from .. import errors
from ..errors import TransportError
from .backend import Attempt, Backend, RawAnswer, timeouts_of
from .exchange import Outgoing, OverdueError
from .passage import Passage
from .proxies import Proxies
from .pyreqwest_answers import NO_PIECES, Pieces, do_nothing, header_map_of, is_here
from .pyreqwest_body import NO_BODY, Body
from .pyreqwest_clients import Connections, client_builder
from .pyreqwest_errors import (
    StalledError,
    error_class_of,
    is_answered,
    is_unconnected,
    raise_own_cancellation,
    reason_of,
)
from .pyreqwest_exit import guard_exit
from .pyreqwest_stalls import watched
from .urls import Origin

if TYPE_CHECKING:
    from pyreqwest.client import Client
    from pyreqwest.request import StreamRequest
    from pyreqwest.response import Response

_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_MOST_CLIENTS: Final = 8
"""How many time limits and origins are kept connections for."""
_MOST_ABANDONED: Final = 200
"""How many requests may go on without their callers; each has a connection."""
_LOOK_FOR_ROOM: Final = 0.02


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
        self._current: dict[object, Connections] = {}
        self._open = WeakSet[Connections]()
        self._abandoned = WeakSet[_Mark]()
        guard_exit()

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
            NO_BODY
            if request.content is None and request.files is None
            else Body(request, attempt.ends_at)
        )
        connections = self._connections(request, body)
        if len(self._abandoned) >= _MOST_ABANDONED:
            await self._room()
        mark = _Mark()
        ask, leave = _ways(_built(connections.client, request, body, attempt, mark))
        attempt.check_time(request)
        try:
            response = await (watched(ask, body, request) if body.is_large else ask)
        except BaseException as error:
            attempt.is_answered = is_answered(error)
            attempt.passage = _passage(is_cut=body.cut() or is_unconnected(error))
            self._abandoned.add(mark)
            # Frames outlive what they raise.
            del mark
            await raise_own_cancellation(error)
            raise
        attempt.is_answered = True
        headers = header_map_of(response.headers)
        if not attempt.is_streamed and is_here(headers, self._limit):
            content = bytes(await response.bytes())
            return RawAnswer(response.status, headers, NO_PIECES, do_nothing, content)
        pieces = Pieces(response.body_reader, connections)

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

    def _connections(self, request: Outgoing, body: Body) -> Connections:
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

    def _connect(self, request: Outgoing, body: Body) -> Connections:
        timeouts = timeouts_of(request.timeout)
        # It would count from the beginning, which of a large body is too early.
        read = None if body.is_large else timeouts["read"]
        proxy = self._proxies.of(*_origin_of(request.url))
        builder = client_builder(proxy, timeouts["connect"], read)
        builder = builder.danger_accept_invalid_certs(enable=not self._verify)
        if self._read_identity is not None:
            builder = builder.identity_pem(self._read_identity())
        return Connections(builder)

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


def _passage(*, is_cut: bool) -> Passage:
    """How far a request without an answer came, of which any may be written unless it was cut."""
    passage = Passage(0)
    passage.note_connecting()
    passage.note_write()
    passage.is_cut = is_cut
    return passage


def _origin_of(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port


def _built(
    client: Client, request: Outgoing, body: Body, attempt: Attempt, mark: _Mark
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


def _framing(request: Outgoing, body: Body) -> list[tuple[str, str]]:
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
