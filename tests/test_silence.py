"""A host that accepts connections and then says nothing: every step has its own time limit."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import anyio
import httpx
import pytest

from voucherify_async import AmbiguousOutcomeError, AsyncVoucherify
from voucherify_async.errors import (
    ConnectError,
    ConnectTimeout,
    ReadTimeout,
    WriteTimeout,
)

pytestmark = pytest.mark.anyio

# Real milliseconds: what is tried out is the limit of a real socket.
BRIEF = 0.02


@pytest.fixture
def address() -> Iterator[str]:
    """Where a listener is that never reads and never answers."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def brief_client(url: str, **options: Any) -> AsyncVoucherify:
    """A client that waits for milliseconds and sends once."""
    settings: dict[str, Any] = {"timeout": BRIEF, "retry": None, **options}
    return AsyncVoucherify("id", "token", base_url=url, **settings)


async def test_a_tls_handshake_without_an_answer_was_not_sent(
    http_backend: Any, address: str
) -> None:
    """A write whose handshake is never answered raises ConnectTimeout: nothing was sent."""
    async with brief_client(f"https://{address}", http_backend=http_backend) as client:
        with pytest.raises(ConnectTimeout) as caught:
            await client.vouchers.update_balance("CARD", 500)
    assert not caught.value.sent


async def test_a_tls_handshake_that_is_cancelled_leaves_nothing_open(
    http_backend: Any, address: str
) -> None:
    """Cancelled within the handshake, the connection is closed: nothing is left to warn of."""
    async with AsyncVoucherify(
        "id", "token", base_url=f"https://{address}", http_backend=http_backend
    ) as client:
        with anyio.move_on_after(BRIEF) as scope:
            await client.vouchers.get("CODE")
    assert scope.cancelled_caught


async def test_a_host_that_speaks_no_tls_was_not_sent_anything(http_backend: Any) -> None:
    """What answers a handshake with something else is a connection that failed."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        async with (
            anyio.create_task_group() as group,
            AsyncVoucherify(
                "id",
                "token",
                base_url=f"https://127.0.0.1:{listener.getsockname()[1]}",
                retry=None,
                http_backend=http_backend,
            ) as client,
        ):

            async def answer_in_plain() -> None:
                accepted, _ = await anyio.to_thread.run_sync(listener.accept)
                with accepted:
                    accepted.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

            group.start_soon(answer_in_plain)
            with pytest.raises(ConnectError):
                await client.vouchers.update_balance("CARD", 500)


async def test_an_answer_that_never_comes(http_backend: Any, address: str) -> None:
    """A read raises ReadTimeout; a write may have been done, and says so."""
    brief = httpx.Timeout(None, read=BRIEF)
    async with brief_client(
        f"http://{address}", timeout=brief, http_backend=http_backend
    ) as client:
        with pytest.raises(ReadTimeout):
            await client.vouchers.get("CODE")
        with pytest.raises(AmbiguousOutcomeError):
            await client.vouchers.update_balance("CARD", 500)


async def test_a_body_that_is_never_read(http_backend: Any, address: str) -> None:
    """A body that the host takes no more of surely was not sent whole, and never will be."""
    items = [{"code": "C", "metadata": {"filler": "x" * 9_000_000}}]
    brief = httpx.Timeout(None, write=BRIEF)
    async with brief_client(
        f"http://{address}", timeout=brief, http_backend=http_backend
    ) as client:
        with pytest.raises(WriteTimeout) as caught:
            await client.imports.vouchers(items)
    assert not caught.value.sent


async def test_a_connection_that_ended_while_idle_is_not_used(http_backend: Any) -> None:
    """A connection that the host closed between two calls is found out before it is used."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        served = threading.Semaphore(0)

        def serve_two() -> None:
            for _ in range(2):
                accepted, _ = listener.accept()
                with accepted:
                    accepted.recv(65536)
                    accepted.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"code":"C"}')
                served.release()

        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with (
            anyio.create_task_group() as group,
            AsyncVoucherify(
                "id", "token", base_url=url, retry=None, http_backend=http_backend
            ) as client,
        ):
            group.start_soon(anyio.to_thread.run_sync, serve_two)
            assert (await client.vouchers.get("C")).code == "C"
            await anyio.to_thread.run_sync(served.acquire)
            assert (await client.vouchers.enable("C")).code == "C"
    assert served.acquire(blocking=False)


async def test_an_answer_too_many_is_not_taken_for_the_next(http_backend: Any) -> None:
    """A connection on which more came than was asked for is not used again."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    stray = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
    connections = 0

    async def answer(stream: anyio.abc.SocketStream) -> None:
        nonlocal connections
        connections += 1
        async with stream:
            await stream.receive()
            answered = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"code":"C"}'
            await stream.send(answered + (stray if connections == 1 else b""))
            with anyio.move_on_after(5):
                await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        group.start_soon(listener.serve, answer)
        url = f"http://127.0.0.1:{port}"
        async with AsyncVoucherify(
            "id", "token", base_url=url, retry=None, http_backend=http_backend
        ) as client:
            assert (await client.vouchers.get("C")).code == "C"
            assert (await client.vouchers.enable("C")).code == "C"
        group.cancel_scope.cancel()
    await listener.aclose()
    assert connections == 2
