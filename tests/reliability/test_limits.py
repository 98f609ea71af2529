"""An attempt has an end, whatever drips; slots and places in the quota are always given back."""

from __future__ import annotations

import itertools
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import SocketAttribute, SocketStream

from voucherify_async import AmbiguousOutcomeError, AsyncVoucherify, RetryPolicy
from voucherify_async._calls.admission import Admission
from voucherify_async._calls.limits import Limit
from voucherify_async._calls.quota import Quota
from voucherify_async._protocol.answers import Answer
from voucherify_async.errors import TimeoutError as OwnTimeoutError

from .conftest import MovingClock, policy

pytestmark = pytest.mark.anyio

VOUCHER = b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 12\r\n\r\n{"code":"A"}'
DRIPS = {
    "a body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"1"),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n1\r\n"),
    "a head": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
    "interim answers": (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
}


@asynccontextmanager
async def served(*answers: tuple[bytes, bytes]) -> AsyncIterator[str]:
    """A server whose connections answer in turn: a start, and a drop that falls for ever."""
    turns = itertools.cycle(answers)

    async def answer(stream: SocketStream) -> None:
        async with stream:
            try:
                await stream.receive()
                start, drop = next(turns)
                await stream.send(start)
                while drop:
                    await stream.send(drop)
                    await anyio.sleep(0.002)
                await stream.receive()
            except (anyio.BrokenResourceError, anyio.EndOfStream):
                return

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, answer)
        with anyio.fail_after(30):
            yield f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"
        group.cancel_scope.cancel()


@pytest.mark.parametrize("drip", DRIPS.values(), ids=list(DRIPS))
async def test_an_attempt_ends_whatever_drips(http_backend: Any, drip: tuple[bytes, bytes]) -> None:
    """A read is tried again, a write is told as unknown, and both give their slot back."""
    # So many attempts for the machine's sake: every second one is answered.
    brief = RetryPolicy(attempt_timeout=0.05, max_attempts=40, backoff=0)
    async with (
        served(drip, (VOUCHER, b"")) as url,
        AsyncVoucherify(
            "id", "token", base_url=url, retry=brief, max_concurrency=1, http_backend=http_backend
        ) as client,
    ):
        assert (await client.vouchers.get("A")).code == "A"
        with pytest.raises(AmbiguousOutcomeError, match="attempt_timeout") as caught:
            await client.vouchers.update_balance("A", 5)
        assert isinstance(caught.value.__cause__, OwnTimeoutError)
        assert caught.value.__cause__.sent
        assert (await client.vouchers.get("A")).code == "A"


async def test_the_opening_of_a_download_has_an_end_and_its_body_has_none() -> None:
    """The head of a download has to come in time; its body may take longer than an attempt."""
    async with served(DRIPS["interim answers"], (VOUCHER, b"")) as url:
        outside = anyio.current_effective_deadline()
        brief = RetryPolicy(attempt_timeout=0.05, max_attempts=1)
        async with AsyncVoucherify("id", "token", base_url=url, retry=brief) as client:
            with pytest.raises(OwnTimeoutError, match="attempt_timeout"):
                async with client._caller.open(f"{url}/file", {}, sign=False):
                    raise AssertionError
        async with (
            AsyncVoucherify("id", "token", base_url=url, timeout=None) as client,
            client._caller.open(f"{url}/file", {}, sign=False) as response,
        ):
            assert anyio.current_effective_deadline() == outside
            assert await response.read() == b'{"code":"A"}'


@pytest.mark.parametrize(
    ("changes", "upload", "left"),
    [
        ({}, False, 60),
        ({}, True, 600),
        ({"attempt_timeout": None}, False, math.inf),
        ({"deadline": 30}, False, 30),
        ({"deadline": 30, "attempt_timeout": 40}, True, 30),
        ({"deadline": 90, "attempt_timeout": 40}, False, 40),
        ({"deadline": 90, "attempt_timeout": None}, False, 90),
    ],
)
def test_the_nearer_end_counts(
    clock: MovingClock, changes: dict[str, Any], upload: bool, left: float
) -> None:
    """An attempt ends with its own time or with its call's, an upload ten times as late."""
    chosen = policy(**changes)
    limit = Limit.of_call(clock, "GET", "/x", chosen)
    assert limit.of_attempt(chosen, upload=upload).left() == left


class Broken(Quota):
    """A quota with a fault in one of its methods."""

    def __init__(self, clock: MovingClock, name: str) -> None:
        super().__init__(clock)

        def fail(*_: object) -> None:
            raise ZeroDivisionError

        setattr(self, name, fail)


@pytest.mark.parametrize("name", ["try_enter", "_note"])
async def test_a_fault_in_the_quota_keeps_no_slot(clock: MovingClock, name: str) -> None:
    """Whatever goes wrong while a request is admitted or let go, both are free again."""
    slots, quota = anyio.Semaphore(1), Broken(clock, name)
    admission = Admission(slots, Limit.of_call(clock, "GET", "/x", policy()), quota)
    with pytest.raises(ZeroDivisionError):
        async with admission:
            admission.answer = Answer(200, {}, b"")
    assert (slots.value, quota._under_way) == (1, 0)


async def test_who_is_cancelled_on_the_way_in_holds_nothing(clock: MovingClock) -> None:
    """Cancelled with a place in the quota but without a slot, a request gives the place back."""
    slots, quota = anyio.Semaphore(1), Quota(clock)
    assert quota.try_enter()
    quota.leave(Answer(429, {"retry-after": "5"}, b""))

    async def call() -> None:
        async with Admission(slots, Limit.of_call(clock, "GET", "/x", policy()), quota, 10.0):
            raise AssertionError

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        while not quota._waiting:
            await anyio.lowlevel.checkpoint()
        await slots.acquire()
        while not quota._under_way:
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    assert (slots.value, quota._under_way) == (0, 0)
