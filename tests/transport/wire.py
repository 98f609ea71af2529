"""Servers and proxies on raw sockets, written against the client; each connection has a thread."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Handler = Callable[[socket.socket], None]
VOUCHER = b'{"code":"CODE","object":"voucher"}'


def ok(body: bytes = VOUCHER, *more: bytes) -> bytes:
    """An answer of 200."""
    head = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *more]
    return b"\r\n".join([*head, b"", body])


def read_request(connection: socket.socket, *, head_only: bool = False) -> bytes:
    """Read one request, or the part of it that comes before the connection ends."""
    received = bytearray()
    with suppress(OSError):
        while b"\r\n\r\n" not in received:
            piece = connection.recv(65536)
            if not piece:
                return bytes(received)
            received += piece
        end = received.index(b"\r\n\r\n") + 4 + _stated_length(bytes(received))
        while not head_only and len(received) < end:
            piece = connection.recv(1 << 20)
            if not piece:
                break
            received += piece
    return bytes(received)


def _stated_length(request: bytes) -> int:
    lines = request.partition(b"\r\n\r\n")[0].split(b"\r\n")
    stated = [line for line in lines if line.lower().startswith(b"content-length:")]
    return sum(int(line.partition(b":")[2]) for line in stated)


def is_whole(request: bytes) -> bool:
    """Whether a request came to its last byte."""
    _, separator, body = request.partition(b"\r\n\r\n")
    return bool(separator) and len(body) == _stated_length(request)


def reset(connection: socket.socket) -> None:
    """Let closing send a reset in place of an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def serve_for_ever(connection: socket.socket) -> None:
    """Answer each request with a voucher."""
    while read_request(connection):
        connection.sendall(ok())


@contextmanager
def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Hand each connection to a handler; tells `host:port`."""
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []

    def handle(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            secured = connection
            if tls is not None:
                secured = tls.wrap_socket(connection, server_side=True, suppress_ragged_eofs=True)
                connections.append(secured)
            with secured:
                handler(secured)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                threads.append(threading.Thread(target=handle, args=(connection,), daemon=True))
                threads[-1].start()

    with socket.socket() as listener:
        # So that a large request does not fit into what the kernel takes of it.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        # Both ends what waits: `accept` and the handlers' `recv`.
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in (accepting, *threads):
            thread.join(10)
