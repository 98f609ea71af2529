"""The floor: what bytes in and out cost in Python, with no HTTP client and no event loop at all."""

from __future__ import annotations

import selectors
import socket
import time
from urllib.parse import urlsplit

_REQUEST = (
    b"GET /v1/vouchers/CODE-1 HTTP/1.1\r\nhost: 127.0.0.1\r\nX-App-Id: bench\r\n"
    b"X-App-Token: bench\r\naccept: application/json\r\n\r\n"
)


def run(url: str, connections: int, seconds: float) -> int:
    """Keep every connection busy for so long; how many answers came."""
    address = urlsplit(url)
    selector = selectors.DefaultSelector()
    sockets = [
        socket.create_connection((address.hostname, address.port)) for _ in range(connections)
    ]
    for sock in sockets:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(sock, selectors.EVENT_READ, [0])
        sock.send(_REQUEST)
    done, pending, ends_at = 0, connections, time.perf_counter() + seconds
    while pending:
        for key, _ in selector.select():
            active, missing = key.fileobj, key.data
            assert isinstance(active, socket.socket)
            data = active.recv(65_536)
            missing[0] = (missing[0] or _length(data)) - len(data)
            if missing[0] == 0:
                done += 1
                if time.perf_counter() < ends_at:
                    active.send(_REQUEST)
                else:
                    pending -= 1
    selector.close()
    for sock in sockets:
        sock.close()
    return done


def _length(data: bytes) -> int:
    """How long the whole answer is, of which this is the start."""
    mark = data.index(b"content-length: ") + 16
    return data.index(b"\r\n\r\n") + 4 + int(data[mark : data.index(b"\r\n", mark)])
