"""asyncio's own stream: what it says is written was handed to the kernel."""

from __future__ import annotations

import queue
import socket

import anyio
import httpcore
import pytest

from voucherify_async._transport.passage import Passage
from voucherify_async._transport.sockets import Wire

from .wire import serving

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """trio's sockets keep nothing back."""
    return "asyncio"


PIECE = bytes(10_000)


class Filling:
    """Writes to a connection until it is full."""

    def __init__(self) -> None:
        self.written = 0

    async def write(self, stream: httpcore.AsyncNetworkStream) -> None:
        """Write, and count the pieces that were taken."""
        while True:
            # Real milliseconds: what is tried out is a real socket that is full.
            await stream.write(PIECE, timeout=0.2)
            self.written += len(PIECE)


async def test_a_write_ends_once_the_kernel_has_all_of_it() -> None:
    """Of pieces that asyncio could keep for later none is taken as written."""
    received: queue.Queue[int] = queue.Queue()
    may_read: queue.Queue[None] = queue.Queue()
    passage, filling = Passage(0), Filling()

    def handle(connection: socket.socket) -> None:
        may_read.get(timeout=20)
        count = 0
        while piece := connection.recv(1 << 20):
            count += len(piece)
        received.put(count)

    with serving(handle) as address:
        host, _, port = address.partition(":")
        stream = await Wire(passage, httpcore).connect_tcp(host, int(port))
        with pytest.raises(httpcore.WriteTimeout):
            await filling.write(stream)
        assert passage.is_cut
        may_read.put(None)
        arrived = await anyio.to_thread.run_sync(received.get)
    assert filling.written <= arrived < filling.written + len(PIECE)
