"""A process that was stopped for a while (SIGSTOP, a paused machine) sends nothing too late."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from voucherify_async import AsyncVoucherify, RetryPolicy, TransportError
from voucherify_async._protocol.headers import SignedHeaders
from voucherify_async._transport.watched import Body

from .wire import is_whole, ok, read_request, serving

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2)]

ONCE = RetryPolicy(max_attempts=1, attempt_timeout=60)


class Stop:
    """Makes the process miss some minutes, once, at a chosen point."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._missed = 0.0
        self._is_due = False
        real = time.monotonic
        patch.setattr(time, "monotonic", lambda: real() + self._missed)

    def arm(self) -> None:
        """Let the next passing of the point be the one."""
        self._is_due = True

    def here(self) -> None:
        """The point."""
        if self._is_due:
            self._is_due = False
            self._missed += 300

    def before(self, patch: pytest.MonkeyPatch, cls: type, method: str) -> None:
        """Make a method the point."""
        original: Callable[..., Any] = getattr(cls, method)

        def stopped(*args: Any) -> Any:
            self.here()
            return original(*args)

        patch.setattr(cls, method, stopped)


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Stop:
    """A stop that the test has to place."""
    return Stop(monkeypatch)


@contextmanager
def server(
    stop: Stop, *, tls: ssl.SSLContext | None = None, in_tls: bool = False
) -> Iterator[tuple[str, list[bytes]]]:
    """Answers every request; what came of them is complete when the block has ended."""
    received: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        while request := read_request(connection):
            received.append(request)
            connection.sendall(ok())

    def handle_in_tls(connection: socket.socket) -> None:
        stop.here()
        assert tls is not None
        with tls.wrap_socket(connection, server_side=True, suppress_ragged_eofs=True) as secured:
            handle(secured)

    serve = serving(handle_in_tls) if in_tls else serving(handle, tls)
    with serve as address:
        yield f"{'http' if tls is None else 'https'}://{address}", received


async def write_late(client: AsyncVoucherify, stop: Stop) -> None:
    """Pay; the process stops in the middle of it."""
    stop.arm()
    with pytest.raises(TransportError) as caught:
        await client.vouchers.update_balance("CODE", 5, retry=ONCE)
    assert not caught.value.sent


def whole(received: list[bytes]) -> list[str]:
    """The methods of the requests that came whole."""
    return [request.split()[0].decode() for request in received if is_whole(request)]


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("kept", [False, True], ids=["new", "kept"])
async def test_what_is_overdue_before_it_is_written_is_not_written(
    http_backend: Any,
    secured: bool,
    kept: bool,
    server_tls: ssl.SSLContext,
    client_tls: bool,
    stop: Stop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped as the headers are made, it goes on after its time, and counts as unsent."""
    stop.before(monkeypatch, SignedHeaders, "reveal")
    with server(stop, tls=server_tls if secured else None) as (url, received):
        async with AsyncVoucherify(
            "id", "token", base_url=url, http_backend=http_backend, verify=client_tls
        ) as client:
            await client.vouchers.get("CODE")
            if not kept:
                await client._caller.connections.sender().distrust()
            await write_late(client, stop)
    assert whole(received) == ["GET"]


async def test_who_was_stopped_while_connecting_sends_nothing(
    http_backend: Any, server_tls: ssl.SSLContext, client_tls: bool, stop: Stop
) -> None:
    """The other side goes on with TLS when the time is over already."""
    with server(stop, tls=server_tls, in_tls=True) as (url, received):
        async with AsyncVoucherify(
            "id", "token", base_url=url, http_backend=http_backend, verify=client_tls
        ) as client:
            await write_late(client, stop)
    assert whole(received) == []


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("backend", ["httpcore", "httpx2"])
async def test_a_body_is_not_written_after_its_head(
    backend: Any,
    secured: bool,
    server_tls: ssl.SSLContext,
    client_tls: bool,
    stop: Stop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped between the two, a request stays unfinished."""
    stop.before(monkeypatch, Body, "__anext__")
    with server(stop, tls=server_tls if secured else None) as (url, received):
        async with AsyncVoucherify(
            "id", "token", base_url=url, http_backend=backend, verify=client_tls
        ) as client:
            await write_late(client, stop)
    assert whole(received) == []


async def test_an_injected_client_is_not_handed_what_is_overdue(
    stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it does afterwards is its own; it does not begin."""
    stop.before(monkeypatch, SignedHeaders, "reveal")

    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request)

    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(never)) as http,
        AsyncVoucherify("id", "token", http_client=http) as client,
    ):
        await write_late(client, stop)
