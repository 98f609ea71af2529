"""The server as an ASGI application."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from .._messages import Abort, End, Incoming
from .engine import CEILING

if TYPE_CHECKING:
    from .engine import Engine

# Where a server tells the application how to end a connection: scope["extensions"][END].
END = "voucherify_async.testing.end"


class FakeApp:
    """The ASGI application of an embedded server."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request, or the lifespan of the server."""
        if scope["type"] == "lifespan":
            await _serve_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = await _read_call(scope, receive)
        if call is None:
            return
        try:
            reply = await self._engine.respond(call)
            headers = {**reply.headers, "content-length": str(len(reply.body))}
            if reply.status == 204:
                del headers["content-length"]
            raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": reply.status, "headers": raw})
            if reply.whole:
                await send({"type": "http.response.body", "body": reply.body})
                return
            async with aclosing(reply.chunks()) as chunks:
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except Abort as abort:
            await _end(abort, scope, receive)


async def _end(abort: Abort, scope: Scope, receive: Receive) -> None:
    end: Callable[[End], None] | None = scope.get("extensions", {}).get(END)
    if end is None:
        raise ConnectionResetError("a fault ended the connection") from abort
    end(abort.end)
    # The server has to notice the end before the application returns without an answer.
    await _closed(receive)


async def _closed(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read_call(scope: Scope, receive: Receive) -> Incoming | None:
    body = bytearray()
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        body += chunk[: max(CEILING - len(body), 0)]
        more = message.get("more_body", False)
    headers = Headers(raw=scope["headers"])
    raw_path: bytes | None = scope.get("raw_path")
    path = scope["path"] if raw_path is None else raw_path.partition(b"?")[0].decode("ascii")

    async def closed() -> None:
        await _closed(receive)

    return Incoming(
        scope["method"],
        path,
        scope["query_string"].decode("ascii"),
        headers,
        bytes(body),
        origin=f"{scope.get('scheme', 'http')}://{headers.get('host', 'localhost')}",
        too_large=size > CEILING,
        closed=closed,
    )


async def _serve_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
