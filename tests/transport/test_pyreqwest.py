"""What pyreqwest does not do by itself, and what it cannot be told."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from contextlib import suppress
from typing import Any

import anyio
import pytest

from voucherify_async import AmbiguousOutcomeError, AsyncVoucherify, VoucherifyError
from voucherify_async._transport import pyreqwest

from .wire import is_whole, ok, read_request, serve_for_ever, serving

pytestmark = pytest.mark.anyio

LARGE = [{"code": "C", "metadata": {"filler": "x" * 9_000_000}}]


@pytest.fixture
def anyio_backend() -> str:
    """It runs on asyncio only."""
    return "asyncio"


def client_of(url: str, **options: Any) -> AsyncVoucherify:
    """A client that sends once."""
    settings: dict[str, Any] = {"http_backend": "pyreqwest", "retry": None, **options}
    return AsyncVoucherify("id", "token", base_url=url, **settings)


async def give_up(client: AsyncVoucherify, way: str, begun: threading.Event, items: Any) -> None:
    """Begin a write, and cancel it or close its client once the other side says so."""
    async with anyio.create_task_group() as group:

        async def write() -> None:
            with suppress(VoucherifyError):
                await client.imports.vouchers(items)

        group.start_soon(write)
        await anyio.to_thread.run_sync(begun.wait)
        if way == "cancelled":
            group.cancel_scope.cancel()
        else:
            await client.aclose()


@pytest.mark.parametrize("way", ["cancelled", "closed"])
async def test_a_write_that_was_given_up_while_connecting_is_never_sent(
    server_tls: ssl.SSLContext, client_tls: bool, way: str
) -> None:
    """pyreqwest goes on connecting, and finds its body called back."""
    begun, go_on = threading.Event(), threading.Event()
    received = queue.Queue[bytes]()

    def handle(connection: socket.socket) -> None:
        begun.set()
        go_on.wait(10)
        with server_tls.wrap_socket(
            connection, server_side=True, suppress_ragged_eofs=True
        ) as secured:
            received.put(read_request(secured))

    with serving(handle) as address:
        async with client_of(f"https://{address}", verify=client_tls) as client:
            await give_up(client, way, begun, [{"code": "C"}])
        go_on.set()
        arrived = await anyio.to_thread.run_sync(lambda: received.get(timeout=10))
    assert arrived == b""


@pytest.mark.parametrize("way", ["cancelled", "closed"])
async def test_a_large_write_that_was_given_up_never_comes_to_its_end(way: str) -> None:
    """What the connection had not taken by then stays here."""
    begun, go_on = threading.Event(), threading.Event()
    received = queue.Queue[bytes]()

    def handle(connection: socket.socket) -> None:
        connection.recv(1)
        begun.set()
        go_on.wait(10)
        # One byte is missing at its beginning, and its end can be told without.
        received.put(read_request(connection))

    with serving(handle) as address:
        async with client_of(f"http://{address}") as client:
            await give_up(client, way, begun, LARGE)
        go_on.set()
        arrived = await anyio.to_thread.run_sync(lambda: received.get(timeout=10))
    assert not is_whole(arrived)


async def test_a_kept_connection_that_ends_under_a_write_has_it_once() -> None:
    """Written whole on a connection that was used before, a POST is not repeated beneath us."""
    received: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        received.append(read_request(connection))
        connection.sendall(ok())
        received.append(read_request(connection))

    with serving(handle) as address:
        async with client_of(f"http://{address}") as client:
            await client.vouchers.get("CODE")
            with pytest.raises(AmbiguousOutcomeError):
                await client.vouchers.update_balance("CODE", 5)
    assert [request[:4] for request in received] == [b"GET ", b"POST"]


async def test_few_requests_go_on_without_their_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their connections are not without number: who comes then waits, and is answered after all."""
    monkeypatch.setattr(pyreqwest, "_MOST_ABANDONED", 5)
    arrived, go_on = queue.Queue[None](), threading.Event()
    sent: list[object] = []
    built = pyreqwest._built

    def count(*args: Any) -> Any:
        sent.append(None)
        return built(*args)

    monkeypatch.setattr(pyreqwest, "_built", count)

    def handle(connection: socket.socket) -> None:
        while read_request(connection):
            arrived.put(None)
            go_on.wait(20)
            connection.sendall(ok())

    with serving(handle) as address:
        async with client_of(f"http://{address}") as client:
            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(client.vouchers.get, "CODE")
                for _ in range(5):
                    await anyio.to_thread.run_sync(arrived.get)
                group.cancel_scope.cancel()
            async with anyio.create_task_group() as group:
                for _ in range(20):
                    group.start_soon(client.vouchers.get, "CODE")
                await anyio.wait_all_tasks_blocked()
                assert len(sent) == 5
                go_on.set()
    assert len(sent) == 25


async def test_few_clients_are_kept_for_many_time_limits() -> None:
    """Each time limit takes a client of its own, of which the oldest go."""
    with serving(serve_for_ever) as address:
        async with client_of(f"http://{address}") as client:
            sender: Any = client._caller.connections.sender()
            for number in range(20):
                await client.vouchers.get("CODE", timeout=5 + number)
            assert len(sender._current) == pyreqwest._MOST_CLIENTS
            assert len(sender._open) == pyreqwest._MOST_CLIENTS


async def test_a_header_that_is_not_ascii_does_not_hide_the_others() -> None:
    """pyreqwest cannot show it, and would show none."""

    def handle(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(ok(b'{"code":"CODE"}', b"X-Name: \xe4\xff", b"X-Request-Id: r1"))

    with serving(handle) as address:
        async with client_of(f"http://{address}") as client:
            answer = await client.vouchers.with_raw_response.get("CODE")
    assert answer.request_id == "r1"
    assert "x-name" not in answer.headers
