"""A server that answers with bytes from a script, over plain sockets or TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from voucherify_async import Export, ExportResult


class Scripted:
    """Answers each connection with the next bytes of its script, and closes it.

    Over TLS it closes without `close_notify`, as a connection that broke off does. When the script
    is at its end, it begins again.
    """

    def __init__(self, script: Sequence[bytes], context: ssl.SSLContext | None = None) -> None:
        self.requests: list[str] = []
        self._script = script
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme = "http" if context is None else "https"
        self.origin = f"{scheme}://localhost:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def ranges(self) -> list[str | None]:
        """The range that each request asked for."""
        return [header(request, "range") for request in self.requests]

    def export(self, kind: str = "voucher_transactions") -> Export:
        """An export whose file lies here."""
        result = ExportResult(url=f"{self.origin}/v1/exports/exp_1?token=t")
        return Export(id="exp_1", status="DONE", exported_object=kind, result=result)

    @contextmanager
    def running(self) -> Iterator[Scripted]:
        """Serve while the block runs."""
        self._thread.start()
        try:
            yield self
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(
                    connection, server_side=True, suppress_ragged_eofs=True
                )
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                received = connection.recv(65_536)
                if not received:
                    return
                request += received
            self.requests.append(request.decode("latin-1"))
            connection.sendall(self._script[(len(self.requests) - 1) % len(self._script)])
        except OSError:
            return
        finally:
            connection.close()


def header(request: str, name: str) -> str | None:
    """The value of a header of a request."""
    for line in request.split("\r\n")[1:]:
        key, _, value = line.partition(":")
        if key.lower() == name:
            return value.strip()
    return None


def answer(status: str, *headers: str, body: bytes = b"", length: int | None = -1) -> bytes:
    """The bytes of an answer; `length` is stated as given, by default as it is, or not at all."""
    stated = len(body) if length == -1 else length
    lines = [f"HTTP/1.1 {status}", "Connection: close", *headers]
    if stated is not None:
        lines.append(f"Content-Length: {stated}")
    return "\r\n".join([*lines, "", ""]).encode() + body
