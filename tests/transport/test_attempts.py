"""The time of an attempt as a whole, over real sockets."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from voucherify_async import AmbiguousOutcomeError, AsyncVoucherify, RetryPolicy
from voucherify_async.errors import TimeoutError as OwnTimeoutError

from .wire import ok, read_request, serving

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2)]

# Real milliseconds: what is tried out is the limit of a real socket.
SHORT = RetryPolicy(max_attempts=1, attempt_timeout=0.1)
HEAD = b"HTTP/1.1 200 OK\r\n"


def drip(connection: socket.socket, begin: bytes, again: bytes, wait: float) -> None:
    """Send an answer that goes on and on, each piece in time."""
    connection.sendall(begin)
    while True:
        threading.Event().wait(wait)
        connection.sendall(again)


SLOW: dict[str, Callable[[socket.socket], None]] = {
    "nothing": lambda c: drip(c, b"", b"", 0.01),
    "a head": lambda c: drip(c, HEAD, b"X-More: and more\r\n", 0.01),
    "a body": lambda c: drip(c, HEAD + b"Content-Length: 999999\r\n\r\n", b"x", 0.01),
    "a fast body": lambda c: drip(c, HEAD + b"\r\n", b"x" * 100, 0.0),
}


def client_of(address: str, http_backend: Any, tls: Any) -> AsyncVoucherify:
    """A client whose steps have all the time there is."""
    return AsyncVoucherify(
        "id",
        "token",
        base_url=f"{'http' if tls is None else 'https'}://{address}",
        http_backend=http_backend,
        verify=True if tls is None else tls,
        timeout=30,
    )


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("answer", SLOW.values(), ids=list(SLOW))
async def test_an_attempt_ends_however_slowly_its_answer_comes(
    http_backend: Any,
    answer: Callable[[socket.socket], None],
    secured: bool,
    server_tls: ssl.SSLContext,
    client_tls: Any,
) -> None:
    """It says which limit it was; a write that was sent by then may have been done.

    The time of the request before it on the same connection is not its own.
    """

    def handle(connection: socket.socket) -> None:
        if read_request(connection):
            connection.sendall(ok())
        if read_request(connection):
            answer(connection)

    with serving(handle, server_tls if secured else None) as address:
        async with client_of(address, http_backend, client_tls if secured else None) as client:
            with anyio.fail_after(30):
                await client.vouchers.get("CODE")
                with pytest.raises(OwnTimeoutError, match=r"longer than 0\.1 s") as read:
                    await client.vouchers.get("CODE", retry=SHORT)
                await client.vouchers.get("CODE")
                with pytest.raises(AmbiguousOutcomeError, match=r"longer than 0\.1 s"):
                    await client.vouchers.enable("CODE", retry=SHORT)
    assert type(read.value) is OwnTimeoutError
    assert read.value.sent


async def test_a_write_that_never_got_a_connection_did_not_happen(
    http_backend: Any, client_tls: Any
) -> None:
    """Where the time ends while TLS is being agreed on, nothing was sent, and it says so."""
    if http_backend == "pyreqwest":
        pytest.skip("it tells no connection from the wait for an answer")
    with serving(lambda c: drip(c, b"", b"", 0.01)) as address:
        async with client_of(address, http_backend, client_tls) as client:
            with pytest.raises(OwnTimeoutError, match=r"longer than 0\.1 s") as caught:
                await client.vouchers.enable("CODE", retry=SHORT)
    assert not caught.value.sent


@pytest.mark.parametrize(
    "begin",
    [b"", HEAD, HEAD + b"Content-Length: 99\r\n\r\n{", HEAD + b"\r\n{"],
    ids=["nothing", "half a head", "half a body", "a body without end"],
)
async def test_closing_the_client_ends_a_write_under_way(http_backend: Any, begin: bytes) -> None:
    """However far its answer has come, whoever waits for it hears of the close."""
    is_sent = threading.Event()

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(begin)
        is_sent.set()
        connection.recv(1)

    with serving(handle) as address, anyio.fail_after(20):
        client = client_of(address, http_backend, None)

        async def close() -> None:
            await anyio.to_thread.run_sync(is_sent.wait)
            for _ in range(50):
                await anyio.lowlevel.checkpoint()
            await client.aclose()

        async with anyio.create_task_group() as group:
            group.start_soon(close)
            with pytest.raises(AmbiguousOutcomeError):
                await client.vouchers.update_balance("CODE", 500)
