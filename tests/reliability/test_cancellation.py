"""Cancelled requests leave nothing behind: no stuck connection, no lost slot."""

from __future__ import annotations

import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import httpx
import pytest

from voucherify_async import AsyncVoucherify, ClientClosedError, VoucherifyError
from voucherify_async._transport import pool
from voucherify_async._transport.pool import ConnectionPool
from voucherify_async.errors import PoolTimeout
from voucherify_async.testing import FakeVoucherify

from ..backends import BACKENDS, POOLED

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2)]

CODE = "SECRET-CODE-1"
SLOTS = 20
SETTINGS: dict[str, Any] = {"max_concurrency": SLOTS, "retry": None}


@pytest.fixture(autouse=True, params=BACKENDS)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them."""
    monkeypatch.setitem(SETTINGS, "http_backend", request.param)


async def _slowly(call: Any, execute: Callable[[], Any]) -> Any:
    del call
    # Real milliseconds: what is tried out is a cancellation at every stage of a real request.
    await anyio.sleep(0.015)
    return execute()


@asynccontextmanager
async def real_client(url: str, **options: Any) -> AsyncIterator[AsyncVoucherify]:
    """A client with an HTTP stack of its own and real time, that sends once."""
    async with AsyncVoucherify("id", "token", base_url=url, **{**SETTINGS, **options}) as client:
        yield client


def pool_of(client: AsyncVoucherify) -> ConnectionPool:
    """The connections of a client, which are in a pool of ours."""
    sender: Any = client._caller.connections._sender
    pool: ConnectionPool = sender.pool
    return pool


def in_use(client: AsyncVoucherify) -> int:
    """How many connections of our pool have requests on them."""
    sender: Any = client._caller.connections._sender
    return len(sender.pool._in_use) if hasattr(sender, "pool") else 0


def idle(client: AsyncVoucherify) -> int:
    """How many connections our pool keeps."""
    sender: Any = client._caller.connections._sender
    return sum(map(len, sender.pool._idle.values())) if hasattr(sender, "pool") else 0


async def assert_unharmed(client: AsyncVoucherify) -> None:
    """100 of 100 requests succeed; no more connections are kept than slots, none is in use."""
    answers: list[str | None] = []

    async def get() -> None:
        voucher = await client.vouchers.get(CODE)
        answers.append(voucher.code)

    assert client._caller.connections.slots.value == SLOTS
    assert not in_use(client)
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(get)
    assert answers == [CODE] * 100
    quota = client._caller.quotas.plain
    assert client._caller.connections.slots.value == SLOTS
    assert not in_use(client)
    assert idle(client) <= SLOTS
    assert (quota._under_way, quota._waiting) == (0, 0)


@pytest.mark.parametrize("turns", [10, pytest.param(100, marks=pytest.mark.slow)])
async def test_brief_requests(served: str, fake: FakeVoucherify, turns: int) -> None:
    """2,000 GETs, 20 at a time, each given 20 ms for an answer that takes 15."""
    slow = fake.faults.add("slow", _slowly, times=None)
    outcomes = {"answered": 0, "cancelled": 0}
    async with real_client(served) as client:
        await client.vouchers.get(CODE)
        assert slow.fired

        async def take_turns() -> None:
            for _ in range(turns):
                with anyio.move_on_after(0.02) as scope:
                    await client.vouchers.get(CODE)
                outcomes["cancelled" if scope.cancelled_caught else "answered"] += 1

        async with anyio.create_task_group() as group:
            for _ in range(SLOTS):
                group.start_soon(take_turns)
        fake.faults.clear()
        await assert_unharmed(client)
    assert sum(outcomes.values()) == turns * SLOTS


async def test_three_hundred_cancellations_at_random_instants(
    served: str, fake: FakeVoucherify
) -> None:
    """300 requests, each cancelled at an instant of its own: queueing, connecting, mid-body."""
    fake.faults.add("slow", _slowly, times=None)
    chance = random.Random(7)
    async with real_client(served) as client:

        async def get(scope: anyio.CancelScope) -> None:
            with scope:
                await client.vouchers.get(CODE)

        async with anyio.create_task_group() as group:
            for _ in range(300):
                scope = anyio.CancelScope(deadline=anyio.current_time() + chance.random() * 0.1)
                group.start_soon(get, scope)
        fake.faults.clear()
        await assert_unharmed(client)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_three_hundred_task_cancels(
    anyio_backend: str, served: str, fake: FakeVoucherify
) -> None:
    """The same with asyncio's own `task.cancel()`, some of them twice in a row."""
    import asyncio

    fake.faults.add("slow", _slowly, times=None)
    chance = random.Random(11)
    async with real_client(served) as client:
        loop = asyncio.get_running_loop()
        tasks = []
        for number in range(300):
            task = asyncio.create_task(client.request("GET", f"/v1/vouchers/{CODE}"))
            tasks.append(task)
            after = chance.random() * 0.1
            loop.call_later(after, task.cancel)
            if number % 3 == 0:
                loop.call_later(after + chance.random() * 0.0005, task.cancel)
        await asyncio.gather(*tasks, return_exceptions=True)
        fake.faults.clear()
        await assert_unharmed(client)
    assert any(task.cancelled() for task in tasks)


@pytest.mark.parametrize("at", ["before", "applied", "headers", "body"])
async def test_cancelled_at_every_stage_of_an_answer(
    served: str, fake: FakeVoucherify, at: Any
) -> None:
    """Cancelled before the head, after it or in the middle of the body, a connection is closed."""
    async with real_client(served) as client:
        await client.vouchers.get(CODE)
        stall = fake.faults.stall(at=at, times=None)
        async with anyio.create_task_group() as group:
            for _ in range(SLOTS):
                group.start_soon(client.vouchers.get, CODE)
            while stall.waiting < SLOTS:
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        fake.faults.clear()
        await assert_unharmed(client)


async def test_cancelled_while_queueing(served: str, fake: FakeVoucherify) -> None:
    """Who is cancelled in the queue for a slot leaves it, and those behind are served."""
    async with real_client(served) as client:
        stall = fake.faults.stall(times=SLOTS)
        async with anyio.create_task_group() as holders:
            for _ in range(SLOTS):
                holders.start_soon(client.vouchers.get, CODE)
            while stall.waiting < SLOTS:
                await anyio.lowlevel.checkpoint()
            async with anyio.create_task_group() as queue:
                for _ in range(30):
                    queue.start_soon(client.vouchers.get, CODE)
                for _ in range(10):
                    await anyio.lowlevel.checkpoint()
                queue.cancel_scope.cancel()
            stall.release()
        assert len(fake.requests) == SLOTS
        await assert_unharmed(client)


async def test_cancelled_while_connecting(served: str) -> None:
    """Cancelled at the very first steps, before there is a connection."""
    async with real_client(served) as client:
        for steps in range(40):
            async with anyio.create_task_group() as group:
                group.start_soon(client.vouchers.get, CODE)
                for _ in range(steps):
                    await anyio.lowlevel.checkpoint()
                group.cancel_scope.cancel()
        await assert_unharmed(client)


async def test_a_connection_that_is_never_made(clock: Any) -> None:
    """A host that accepts nothing holds no slot beyond the call's cancellation."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with real_client(url, clock=clock) as client:
            async with anyio.create_task_group() as group:
                for _ in range(50):
                    group.start_soon(client.vouchers.get, CODE)
                await anyio.sleep(0.01)
                group.cancel_scope.cancel()
            assert client._caller.connections.slots.value == SLOTS
            assert not in_use(client)


async def test_closing_ends_those_who_wait(served: str, fake: FakeVoucherify) -> None:
    """After `aclose()` nobody in the queue opens a connection any more; nothing is left open."""
    refused: list[BaseException] = []
    async with real_client(served, max_concurrency=2) as client:
        await client.vouchers.get(CODE)
        stall = fake.faults.stall(times=None)

        async def get() -> None:
            try:
                await client.vouchers.get(CODE)
            except Exception as error:  # noqa: BLE001 - which one is what is asked
                refused.append(error)

        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(get)
            while stall.waiting < 2:
                await anyio.lowlevel.checkpoint()
            await client.aclose()
        fake.faults.clear()
        assert not in_use(client)
        assert not idle(client)
    assert len(refused) == 6
    assert sum(isinstance(error, ClientClosedError) for error in refused) == 4
    assert len(fake.requests) == 3


@pytest.mark.parametrize("backend", POOLED, indirect=True)
async def test_closing_while_connecting_keeps_no_connection(served: str) -> None:
    """A connection that was made only after `aclose()` is closed with its request."""
    for steps in range(12):
        async with real_client(served) as client:
            await client.vouchers.get(CODE)
            pool = pool_of(client)
            (idle,) = pool._idle.values()

            async def get(client: AsyncVoucherify = client) -> None:
                with suppress(VoucherifyError):
                    await client.vouchers.get(CODE)

            async with anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(get)
                for _ in range(steps):
                    await anyio.lowlevel.checkpoint()
                await client.aclose()
            assert all(held.http.is_closed() for held in idle)
            assert not pool._in_use


@pytest.mark.parametrize("backend", ["httpcore"], indirect=True)
async def test_a_stuck_injected_client_is_told_and_helped(served: str) -> None:
    """An injected client without a free connection raises PoolTimeout that names the remedy."""
    limits = httpx.Limits(max_connections=0)
    timeout = httpx.Timeout(5, pool=0.001)
    async with (
        httpx.AsyncClient(limits=limits) as http,
        real_client(served, http_client=http, timeout=timeout) as client,
    ):
        with pytest.raises(PoolTimeout) as caught:
            await client.vouchers.update_balance("CARD", 5)
    assert not caught.value.sent
    for word in ("http_client", "max_concurrency", "httpx.Limits", "cancelled"):
        assert word in str(caught.value)


@pytest.mark.parametrize("backend", ["httpcore"], indirect=True)
async def test_an_injected_client_that_lost_connections_is_told_and_helped(
    served: str, fake: FakeVoucherify
) -> None:
    """httpx's own pool, once stuck after cancellations, gets the same words, or is not stuck."""
    fake.faults.add("slow", _slowly, times=None)
    chance = random.Random(3)
    timeout = httpx.Timeout(5, pool=0.05)
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=5)) as http:
        options: dict[str, Any] = {"http_client": http, "timeout": timeout, "max_concurrency": 5}
        async with real_client(served, **options) as client:

            async def get() -> None:
                with anyio.move_on_after(chance.random() * 0.02):
                    await client.vouchers.get(CODE)

            async with anyio.create_task_group() as group:
                for _ in range(100):
                    group.start_soon(get)
            fake.faults.clear()
            told = "leave http_client out"
            try:
                await client.vouchers.get(CODE)
            except PoolTimeout as error:
                told = str(error)
    assert "leave http_client out" in told


@pytest.mark.parametrize("backend", POOLED, indirect=True)
async def test_a_connection_of_one_request_has_no_locks(served: str) -> None:
    """The locks of httpcore's connections, which nobody shares here, are found and left out."""
    async with real_client(served) as client:
        await client.vouchers.get(CODE)
        (idle,) = pool_of(client)._idle.values()
        connection: Any = idle[0].http
        assert connection._request_lock is connection._connection._state_lock is pool._NO_LOCK
