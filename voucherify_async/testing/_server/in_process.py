"""The server in process: a transport for ``httpx`` that streams, on asyncio and on trio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import anyio
import httpx
from starlette.datastructures import Headers

from .._messages import Abort, Incoming, Reply
from .engine import CEILING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .engine import Engine

_ERRORS: dict[str, tuple[type[httpx.TransportError], str]] = {
    "reset": (httpx.ReadError, "the connection was reset"),
    "disconnect": (httpx.RemoteProtocolError, "Server disconnected without sending a response."),
    "refused": (httpx.ConnectError, "All connection attempts failed"),
    "connect_timeout": (httpx.ConnectTimeout, ""),
    "read_timeout": (httpx.ReadTimeout, ""),
    "write_timeout": (httpx.WriteTimeout, ""),
}


class FakeTransport(httpx.AsyncBaseTransport):
    """Carries requests to an embedded server without a socket; faults become httpx's exceptions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request; its read timeout bounds every wait for the server."""
        # Every real transport gives way at least once; so a loop of calls can be cancelled.
        await anyio.lowlevel.checkpoint()
        call = await _read_call(request)
        guard = _guard(request)
        with guard():
            reply = await self._engine.respond(call)
        headers = {**reply.headers, "content-length": str(len(reply.body))}
        if reply.status == 204:
            del headers["content-length"]
        stream = _ReplyStream(reply, guard)
        return httpx.Response(reply.status, headers=headers, stream=stream, request=request)


class _ReplyStream(httpx.AsyncByteStream):
    def __init__(self, reply: Reply, guard: Callable[[], AbstractContextManager[None]]) -> None:
        self._chunks = reply.chunks()
        self._guard = guard

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        with self._guard():
            chunk = await anext(self._chunks, None)
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        await self._chunks.aclose()


def _guard(request: httpx.Request) -> Callable[[], AbstractContextManager[None]]:
    timeout = request.extensions.get("timeout", {}).get("read")

    @contextmanager
    def guard() -> Iterator[None]:
        try:
            with anyio.fail_after(timeout):
                yield
        except Abort as abort:
            error, message = _ERRORS[abort.end]
            raise error(message, request=request) from None
        except TimeoutError:
            raise httpx.ReadTimeout("", request=request) from None

    return guard


async def _read_call(request: httpx.Request) -> Incoming:
    body = bytearray()
    size = 0
    stream = request.stream
    if not isinstance(stream, httpx.AsyncByteStream):
        raise TypeError("a request of an asynchronous client has an asynchronous body")
    async for chunk in stream:
        size += len(chunk)
        body += chunk[: max(CEILING - len(body), 0)]
    raw_path, _, raw_query = request.url.raw_path.partition(b"?")
    headers = Headers(raw=[(name.lower(), value) for name, value in request.headers.raw])
    host = request.url.netloc.decode("ascii")
    return Incoming(
        request.method,
        raw_path.decode("ascii"),
        raw_query.decode("ascii"),
        headers,
        bytes(body),
        origin=f"{request.url.scheme}://{host}",
        too_large=size > CEILING,
    )
