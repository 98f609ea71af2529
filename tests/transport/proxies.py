"""Proxies on raw sockets: HTTP's two kinds, and SOCKS."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from .wire import ok, read_request


class Proxy:
    """Answers plain requests itself, and tunnels the others to one address, whatever they name."""

    def __init__(self, target: str = "") -> None:
        self.target = target
        self.requests: list[bytes] = []
        self.connections = 0
        self.refuse_with = b""

    def handle(self, connection: socket.socket) -> None:
        """Speak HTTP."""
        self.connections += 1
        while request := read_request(connection):
            self.requests.append(request)
            if self.refuse_with:
                connection.sendall(self.refuse_with)
            elif request.startswith(b"CONNECT "):
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._relay(connection)
                return
            else:
                connection.sendall(ok())

    def handle_socks(self, connection: socket.socket) -> None:
        """Speak SOCKS 5, with or without a password."""
        self.connections += 1
        methods = connection.recv(3)
        connection.sendall(b"\x05" + methods[2:])
        if methods[2:] == b"\x02":
            self.requests.append(connection.recv(513))
            connection.sendall(b"\x01\x00")
        self.requests.append(connection.recv(262))
        if self.refuse_with:
            connection.sendall(self.refuse_with)
            return
        connection.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        self._relay(connection)

    def _relay(self, connection: socket.socket) -> None:
        host, _, port = self.target.partition(":")
        with socket.create_connection((host, int(port))) as beyond:
            back = threading.Thread(target=_copy, args=(beyond, connection), daemon=True)
            back.start()
            _copy(connection, beyond)
            back.join(10)


def _copy(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            to.sendall(piece)
    with suppress(OSError):
        to.shutdown(socket.SHUT_RDWR)
