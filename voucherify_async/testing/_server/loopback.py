"""The server on a loopback port: uvicorn in a thread of its own, able to reset connections."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from .._messages import End
from .asgi_app import END

_DROP_AT_ONCE = struct.pack("ii", 1, 0)


def protocol_class() -> type[asyncio.Protocol]:
    """Return uvicorn's HTTP protocol, taught to end a connection at the application's wish."""
    try:
        implementation = import_module("uvicorn.protocols.http.httptools_impl")
        base: Any = implementation.HttpToolsProtocol
    except ImportError:
        base = import_module("uvicorn.protocols.http.h11_impl").H11Protocol

    class EndingProtocol(base):  # type: ignore[misc]
        app: ASGIApp

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self.app = _with_end(self.app, partial(_end, transport))

    return EndingProtocol


def _with_end(app: ASGIApp, end: Callable[[End], None]) -> ASGIApp:
    async def app_with_end(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[END] = end
        await app(scope, receive, send)

    return app_with_end


def _end(transport: asyncio.Transport, end: End) -> None:
    if end in ("connect_timeout", "read_timeout", "write_timeout"):
        # The peer is left waiting: its own timeout closes the connection.
        return
    if end == "disconnect":
        transport.close()
        return
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DROP_AT_ONCE)
    transport.abort()


async def _turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


class _Server(uvicorn.Server):
    """A server that says when it listens, and stops when it is told, without polling."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._stopping: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self.ready.set()
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop without uvicorn's own pauses, each of a tenth of a second."""
        del sockets  # They are the servers', which close them.
        # Before and after: what was accepted in the last moment becomes a connection a turn or two
        # of the loop later.
        await _turns()
        for server in self.servers:
            server.close()
        await _turns()
        # Whoever still waits for an answer is waiting for a fault: there is nothing to wait for.
        for connection in list(self.server_state.connections):
            transport = connection.transport
            if transport.get_write_buffer_size():
                transport.abort()
            else:
                transport.close()
        await _turns()
        if self.server_state.tasks:
            patience = self.config.timeout_graceful_shutdown
            await asyncio.wait(self.server_state.tasks, timeout=patience)

    def stop(self) -> None:
        """Stop serving. From any thread, once ``ready``."""
        self.should_exit = True
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)

    def run_on(self, listener: socket.socket) -> None:
        """Serve until stopped; ``ready`` is set in any case, a failed start included."""
        try:
            self.run(sockets=[listener])
        finally:
            self.ready.set()


def make_config(app: ASGIApp, **options: Any) -> uvicorn.Config:
    """Return uvicorn's settings for an embedded server."""
    return uvicorn.Config(
        app,
        http=protocol_class(),
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        **options,
    )


@contextmanager
def serve(app: ASGIApp, host: str, port: int) -> Iterator[str]:
    """Serve an application from a thread of its own; yield its base URL."""
    listener = socket.create_server((host, port), backlog=1024)
    # Inherited by the connections; without it an answer in two writes waits for a delayed ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    url = f"http://{host}:{listener.getsockname()[1]}"
    server = _Server(make_config(app))
    thread = threading.Thread(
        target=server.run_on, args=(listener,), name="fake-voucherify", daemon=True
    )
    thread.start()
    server.ready.wait()
    try:
        yield url
    finally:
        server.stop()
        thread.join()
        listener.close()
