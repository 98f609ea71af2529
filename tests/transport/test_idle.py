"""Idle connections: none with bytes on it is used again, and none is held for nothing."""

from __future__ import annotations

import queue
import socket
import ssl
import time
from typing import Any

import anyio
import httpcore
import pytest

from voucherify_async import AsyncVoucherify
from voucherify_async._transport import pool as pools
from voucherify_async._transport.proxies import Proxies

from ..backends import POOLED
from .wire import VOUCHER, ok, read_request, serve_for_ever, serving

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2, whole=3)]

OTHER = ok(b'{"code":"OTHER","object":"voucher"}')
STRAYS = {
    "an answer too many": OTHER,
    "the beginning of one": OTHER[:40],
    "a timeout": b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
    "an interim answer": b"HTTP/1.1 103 Early Hints\r\n\r\n",
    "garbage": b"\x00\xff\r\n",
}


class Straying:
    """Sends more than was asked for on its first connection: with the answer, or after it."""

    def __init__(self, stray: bytes, *, at_once: bool) -> None:
        self.stray = stray
        self.at_once = at_once
        self.connections = 0
        self.go_on: queue.Queue[None] = queue.Queue()
        self.gone_on: queue.Queue[None] = queue.Queue()

    def handle(self, connection: socket.socket) -> None:
        """Answer, and stray."""
        self.connections += 1
        is_first = self.connections == 1
        while read_request(connection):
            stray = self.stray if is_first else b""
            connection.sendall(ok() + (stray if self.at_once else b""))
            if is_first and not self.at_once:
                self.go_on.get(timeout=10)
                connection.sendall(stray)
                self.gone_on.put(None)


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("at_once", [True, False], ids=["with the answer", "after it"])
@pytest.mark.parametrize("stray", STRAYS.values(), ids=list(STRAYS))
async def test_a_connection_with_bytes_on_it_is_not_used_again(
    http_backend: Any,
    stray: bytes,
    at_once: bool,
    secured: bool,
    server_tls: ssl.SSLContext,
    client_tls: bool,
) -> None:
    """What nobody asked for is not taken for the next answer."""
    if http_backend == "aiohttp" and at_once and stray in {OTHER[:40], *list(STRAYS.values())[3:]}:
        pytest.skip("aiohttp's parser has taken it, and what comes of it is not an answer")
    server = Straying(stray, at_once=at_once)
    with serving(server.handle, server_tls if secured else None) as address:
        async with AsyncVoucherify(
            "id",
            "token",
            base_url=f"{'https' if secured else 'http'}://{address}",
            http_backend=http_backend,
            verify=client_tls,
            retry=None,
        ) as client:
            assert (await client.vouchers.get("CODE")).code == "CODE"
            if not at_once:
                server.go_on.put(None)
                await anyio.to_thread.run_sync(server.gone_on.get)
                if secured or stray == OTHER[:40]:
                    # Until TLS, or the event loop, has taken it from the kernel.
                    await anyio.wait_all_tasks_blocked()
            assert (await client.vouchers.enable("CODE")).code == "CODE"
    assert server.connections == 2


async def test_distrusted_connections_are_not_used_again(http_backend: Any) -> None:
    """Neither an idle one nor one that was in use at that moment."""
    connections = 0
    is_asked, go_on = queue.Queue[None](), queue.Queue[None]()

    def handle(connection: socket.socket) -> None:
        nonlocal connections
        connections += 1
        while request := read_request(connection):
            if b"SLOW" in request:
                is_asked.put(None)
                go_on.get(timeout=10)
            connection.sendall(
                ok(VOUCHER.replace(b"CODE", b"SLOW") if b"SLOW" in request else VOUCHER)
            )

    with serving(handle) as address:
        async with AsyncVoucherify(
            "id", "token", base_url=f"http://{address}", http_backend=http_backend, retry=None
        ) as client:
            sender = client._caller.connections.sender()
            await client.vouchers.get("CODE")
            await client.vouchers.get("CODE")
            assert connections == 1
            async with anyio.create_task_group() as group:
                group.start_soon(client.vouchers.get, "SLOW")
                await anyio.to_thread.run_sync(is_asked.get)
                await client.vouchers.get("CODE")
                assert connections == 2
                await sender.distrust()
                go_on.put(None)
            await client.vouchers.get("CODE")
            assert connections == 3
            await client.vouchers.get("CODE")
            assert connections == 3


@pytest.mark.parametrize("backend", POOLED)
async def test_expired_connections_are_closed_when_any_request_ends(
    backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a burst of 60, of which the server closed 50, one request later 10 are held."""
    burst = 60
    held: list[socket.socket] = []
    arrived: queue.Queue[None] = queue.Queue()
    go_on: queue.Queue[None] = queue.Queue()

    def handle(connection: socket.socket) -> None:
        held.append(connection)
        while request := read_request(connection):
            if b"BURST" in request:
                arrived.put(None)
                go_on.get(timeout=20)
                connection.sendall(ok(VOUCHER.replace(b"CODE", b"BURST")))
            else:
                connection.sendall(ok())

    with serving(handle) as address:
        async with AsyncVoucherify(
            "id",
            "token",
            base_url=f"http://{address}",
            max_concurrency=burst,
            retry=None,
            http_backend=backend,
        ) as client:
            async with anyio.create_task_group() as group:
                for _ in range(burst):
                    group.start_soon(client.vouchers.get, "BURST")
                for _ in range(burst):
                    await anyio.to_thread.run_sync(arrived.get)
                for _ in range(burst):
                    go_on.put(None)
            sender: Any = client._caller.connections.sender()
            idle = next(iter(sender.pool._idle.values()))
            assert len(idle) == burst
            for connection in held[:50]:
                connection.shutdown(socket.SHUT_RDWR)
            moved = time.monotonic() + pools._SWEEP_EVERY
            monkeypatch.setattr(time, "monotonic", lambda: moved)
            await client.vouchers.get("CODE")
            assert len(idle) <= 10


@pytest.mark.parametrize("closing", ["distrust", "aclose"])
async def test_connections_that_come_back_while_others_are_closed(
    closing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing what is idle bears that other requests end meanwhile, with other hosts too."""

    async def get(pool: pools.ConnectionPool, address: str) -> None:
        request = httpcore.Request("GET", f"http://{address}/", headers={"Host": address})
        _, body = await pool.send(request)
        async for _ in body:
            pass
        await body.aclose()

    with serving(serve_for_ever) as one, serving(serve_for_ever) as other:
        pool = pools.ConnectionPool(
            httpcore, ssl.create_default_context, keepalive_expiry=60.0, proxies=Proxies(None)
        )
        await get(pool, one)
        aclose, others = httpcore.AsyncHTTPConnection.aclose, [other]

        async def close_slowly(connection: httpcore.AsyncHTTPConnection) -> None:
            if others:
                await get(pool, others.pop())
            await aclose(connection)

        monkeypatch.setattr(httpcore.AsyncHTTPConnection, "aclose", close_slowly)
        await getattr(pool, closing)()
        assert not others
        await pool.aclose()
