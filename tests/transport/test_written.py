"""What is known of a request that got no answer: whether all of it may have arrived."""

from __future__ import annotations

import array
import fcntl
import queue
import socket
import ssl
import termios
import threading
import time
from typing import Any

import anyio
import pytest

from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    TransportError,
    VoucherifyError,
)

from .wire import is_whole, read_request, reset, serving

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2)]

LARGE = [{"code": "C", "metadata": {"filler": "x" * 9_000_000}}]
SMALL = [{"code": "C"}]


class Server:
    """Keeps what came of each request."""

    def __init__(self) -> None:
        self.received: queue.Queue[bytes] = queue.Queue()
        self.client_is_done = threading.Event()

    def reset_after_head(self, connection: socket.socket) -> None:
        """Read the head, and reset the connection while the body is being sent."""
        reset(connection)
        self.received.put(read_request(connection, head_only=True))

    def end_after_head(self, connection: socket.socket) -> None:
        """Read the head, and end the connection while the body is being sent."""
        self.received.put(read_request(connection, head_only=True))

    def drop_answer(self, connection: socket.socket) -> None:
        """Read all of it, and answer nothing."""
        self.received.put(read_request(connection))

    def reset_answer(self, connection: socket.socket) -> None:
        """Read all of it, and reset the connection."""
        reset(connection)
        self.received.put(read_request(connection))

    def read_late(self, connection: socket.socket) -> None:
        """Read nothing until the client has given up, and then whatever is still to come."""
        self.client_is_done.wait(10)
        self.received.put(read_request(connection))

    def break_in_head(self, connection: socket.socket) -> None:
        """Read all of it, and break off within the head of the answer."""
        self.received.put(read_request(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")

    def break_in_body(self, connection: socket.socket) -> None:
        """Read all of it, and break off within the body of the answer."""
        self.received.put(read_request(connection))
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 99\r\n\r\n{")


CASES = {
    "reset in the body": (Server.reset_after_head, LARGE, False),
    "end in the body": (Server.end_after_head, LARGE, False),
    "nobody reads": (Server.read_late, LARGE, False),
    "no answer": (Server.drop_answer, SMALL, True),
    "no answer to a large one": (Server.drop_answer, LARGE, True),
    "reset for an answer": (Server.reset_answer, SMALL, True),
    "read late": (Server.read_late, SMALL, True),
    "half a head": (Server.break_in_head, SMALL, True),
    "half a body": (Server.break_in_body, SMALL, True),
}


async def failure_of(client: AsyncVoucherify, items: Any) -> TransportError:
    """The transport's error to an import."""
    with pytest.raises(VoucherifyError) as caught:
        await client.imports.vouchers(items)
    error = caught.value
    # Told as it is where nothing happened, and behind an unknown outcome otherwise.
    found = error if isinstance(error, TransportError) else error.__cause__
    assert isinstance(found, TransportError)
    assert found.sent is not isinstance(error, TransportError)
    return found


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(("handle", "items", "sent"), CASES.values(), ids=list(CASES))
async def test_sent_is_false_only_where_the_last_byte_surely_stayed_here(
    http_backend: Any,
    handle: Any,
    items: Any,
    sent: bool,
    secured: bool,
    server_tls: ssl.SSLContext,
    client_tls: bool,
) -> None:
    """A write that broke off within its body is unsent, for good; all else may have arrived."""
    server = Server()
    with serving(lambda c: handle(server, c), server_tls if secured else None) as address:
        async with AsyncVoucherify(
            "id",
            "token",
            base_url=f"{'https' if secured else 'http'}://{address}",
            http_backend=http_backend,
            verify=client_tls,
            retry=None,
            # Real milliseconds: what is tried out is the limit of a real socket.
            timeout=0.1 if handle is Server.read_late else 10,
        ) as client:
            error = await failure_of(client, items)
        # What was left to write at that moment must not go out afterwards.
        server.client_is_done.set()
        arrived = await anyio.to_thread.run_sync(server.received.get)
    assert is_whole(arrived) is sent
    # aiohttp does not always tell how far it came, which then counts as far enough.
    assert error.sent is sent or (http_backend == "aiohttp" and error.sent)


async def test_a_broken_answer_to_a_request_that_was_cut_off(http_backend: Any) -> None:
    """Who has answered may have done it, however little of the request was written."""
    heads = turns = 0
    is_told = threading.Event()

    def handle(connection: socket.socket) -> None:
        nonlocal heads
        heads += 1
        read_request(connection, head_only=True)
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 99\r\n\r\n{")
        if http_backend == "pyreqwest":
            # It reads in a thread of its own, where no turn of the loop tells how far it is; it
            # needs no reset to leave the request.
            connection.shutdown(socket.SHUT_WR)
            is_told.wait(10)
            return
        # Once it is with the client, whose event loop has come to it, while the rest of the request
        # waits to be written: a reset would throw away what was not taken.
        while _unsent(connection):
            time.sleep(0.001)
        arrived_at = turns
        while turns < arrived_at + 20:
            time.sleep(0.001)
        reset(connection)

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    with serving(handle) as address:
        async with (
            AsyncVoucherify(
                "id", "token", base_url=f"http://{address}", http_backend=http_backend
            ) as client,
            anyio.create_task_group() as group,
        ):
            group.start_soon(count_turns)
            with pytest.raises(AmbiguousOutcomeError):
                await client.imports.vouchers(LARGE)
            is_told.set()
            group.cancel_scope.cancel()
    assert heads == 1


def _unsent(connection: socket.socket) -> int:
    """Bytes that the other side has not acknowledged."""
    left = array.array("i", [0])
    fcntl.ioctl(connection, termios.TIOCOUTQ, left)
    return left[0]
