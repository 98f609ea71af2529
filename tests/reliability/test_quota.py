"""The client holds its own requests back while the quota is used up."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import pytest

from voucherify_async import AsyncVoucherify, RateLimitError, VoucherifyError
from voucherify_async.errors import TimeoutError as OwnTimeoutError
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock, Stopping, hanging, policy

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2)]

CODE = "SECRET-CODE-1"
PATIENT = policy(max_wait=math.inf)
WINDOW = 60


def watch(fake: FakeVoucherify) -> list[int]:
    """Note the status of every answer from here on."""
    statuses: list[int] = []

    async def note(call: Any, execute: Callable[[], Any]) -> Any:
        # An answer takes its time, so that requests overlap.
        await anyio.lowlevel.checkpoint()
        reply = execute()
        statuses.append(reply.status)
        return reply

    fake.faults.add("watch", note, times=None)
    return statuses


@pytest.mark.parametrize("lookups", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
async def test_lookups_take_what_the_quota_allows(clock: MovingClock, lookups: int) -> None:
    """10,000 lookups at 500 a window: 10,000 answers, no 429, the quota's time and 5% at most."""
    fake = FakeVoucherify(now=clock.now, record=False)
    fake.add_voucher(code=CODE)
    fake.set_quota(500, WINDOW)
    statuses = watch(fake)
    answers = 0

    async def look_up() -> None:
        nonlocal answers
        voucher = await client.vouchers.get(CODE)
        answers += voucher.code == CODE

    async with (
        fake,
        fake.client(clock=clock, retry=PATIENT) as client,
        anyio.create_task_group() as group,
    ):
        for _ in range(lookups):
            group.start_soon(look_up)
    assert answers == lookups
    assert statuses.count(429) == 0
    assert len(statuses) == lookups
    # The end of the last window is not waited for.
    turns = lookups // 500 - 1
    assert turns * WINDOW <= clock.seconds <= turns * WINDOW * 1.05


@pytest.mark.parametrize("limit", [1, 7, 30])
@pytest.mark.parametrize("at_once", [1, 20, 50])
async def test_quotas_smaller_than_the_concurrency_hold_too(
    fake: FakeVoucherify, clock: MovingClock, limit: int, at_once: int
) -> None:
    """After the first window's race no 429 is met, however many requests are open at once."""
    fake.set_quota(limit, WINDOW)
    statuses = watch(fake)
    options = {"clock": clock, "retry": PATIENT, "max_concurrency": at_once}
    async with fake, fake.client(**options) as client, anyio.create_task_group() as group:
        for _ in range(60):
            group.start_soon(client.vouchers.get, CODE)
    assert statuses.count(200) == 60
    first = statuses[: at_once + limit]
    assert statuses.count(429) == first.count(429) <= max(0, at_once - limit)
    assert clock.seconds <= (60 / limit + 1) * WINDOW * 1.05


async def test_single_calls_fail_fast(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """A wait over `max_wait` raises at once, tells how long it is, and sends nothing."""
    fake.set_quota(1, WINDOW)
    await client.vouchers.get(CODE)
    clock.move(20)
    with pytest.raises(RateLimitError) as caught:
        await client.vouchers.get(CODE)
    assert caught.value.retry_after == pytest.approx(40, abs=1)
    assert clock.seconds == 20
    assert len(fake.requests) == 1
    clock.move(35)
    await client.vouchers.get(CODE)
    assert clock.seconds == pytest.approx(60, abs=1)


async def test_bulk_work_waits_patiently_and_apart(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """Bulk calls have a quota of their own, and wait for it as long as it takes."""
    fake.set_quota(100, WINDOW, bulk_limit=1)
    items = [{"code": CODE, "metadata": {"a": 1}}]
    await client.vouchers.update_in_bulk(items)
    # A used up quota for bulk work holds no plain call back.
    await client.vouchers.get(CODE)
    assert clock.seconds == 0
    await client.vouchers.update_in_bulk(items)
    assert clock.seconds == pytest.approx(WINDOW, abs=1)
    assert {r.method for r in fake.requests} == {"POST", "GET"}
    assert len(fake.requests) == 3


async def test_waiting_bulk_work_leaves_the_slots_free(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """While bulk calls wait for their quota, plain calls use all of the concurrency."""
    fake.set_quota(1000, WINDOW, bulk_limit=1)
    done: list[str] = []
    options = {"clock": clock, "retry": policy(), "max_concurrency": 2}

    async def bulk() -> None:
        await client.vouchers.update_in_bulk([{"code": CODE, "metadata": {}}])
        done.append(f"bulk at {clock.seconds:.0f}")

    async with fake, fake.client(**options) as client:
        await bulk()
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(bulk)
            await anyio.lowlevel.checkpoint()
            await client.vouchers.get(CODE)
            done.append(f"plain at {clock.seconds:.0f}")
    assert done[1] == "plain at 0"
    assert len(done) == 6


async def test_waiters_are_served_in_their_order(fake: FakeVoucherify, clock: MovingClock) -> None:
    """Who came first goes first; a newcomer does not overtake those who wait."""
    fake.set_quota(2, WINDOW)
    async with (
        fake,
        fake.client(clock=clock, retry=PATIENT, max_concurrency=1) as client,
        anyio.create_task_group() as group,
    ):
        for number in range(12):
            group.start_soon(client.request, "GET", f"/v1/vouchers/{CODE}?turn={number}")
            for _ in range(5):
                await anyio.lowlevel.checkpoint()
    turns = [int(dict(r.query)["turn"]) for r in fake.requests]
    assert turns == list(range(12))


async def test_a_cancelled_waiter_gives_its_place_up(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """Cancelling waiters, the first one included, holds nobody back and uses nothing up."""
    fake.set_quota(1, WINDOW)
    served: list[int] = []

    stopping = Stopping(clock)
    async with fake, fake.client(clock=stopping, retry=PATIENT) as client:
        await client.vouchers.get(CODE)

        async def get(number: int, scope: anyio.CancelScope) -> None:
            with scope:
                await client.vouchers.get(CODE)
                served.append(number)

        scopes = [anyio.CancelScope() for _ in range(5)]
        async with anyio.create_task_group() as group:
            for each in enumerate(scopes):
                group.start_soon(get, *each)
                # One by one: trio begins tasks in any order, and the first has to be the first.
                for _ in range(20):
                    await anyio.lowlevel.checkpoint()
            for number in (0, 1, 3):
                stopping.goes_on = True
                scopes[number].cancel()
        assert sorted(served) == [2, 4]
        quota = client._caller.quotas.plain
        assert (quota._under_way, quota._waiting) == (0, 0)


async def test_a_request_that_hangs_does_not_outlast_the_window(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """The window's turn lets the others go on while one request still hangs."""
    fake.set_quota(3, WINDOW)
    async with fake, fake.client(clock=clock, retry=PATIENT) as client:
        await client.vouchers.get(CODE)
        async with hanging(fake, 2, partial(client.vouchers.get, CODE)):
            await client.vouchers.get(CODE)
            assert clock.seconds == pytest.approx(WINDOW, abs=1)


async def test_the_deadline_bounds_the_wait_for_an_answer(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """Held back by requests that hang, a call still ends with its deadline, and was not sent."""
    fake.faults.status(200, headers={"X-Rate-Limit-Remaining": "1"}, body={"code": CODE})
    async with fake, fake.client(clock=clock, retry=policy()) as client:
        await client.vouchers.get(CODE)
        async with hanging(fake, 1, partial(client.vouchers.get, CODE)):
            brief = policy(deadline=0.001)
            with pytest.raises(OwnTimeoutError) as caught:
                await client.vouchers.update_balance("CARD", 5, retry=brief)
            assert not caught.value.sent
    assert len(fake.requests) == 2


async def test_the_last_quota_is_shown(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """`rate_limit` is None at first, then what the last answer stated, refusals included."""
    assert client.rate_limit is None
    fake.set_quota(2, WINDOW)
    await client.vouchers.get(CODE)
    assert client.rate_limit is not None
    assert (client.rate_limit.limit, client.rate_limit.remaining) == (2, 1)
    assert client.rate_limit.resets_at is not None
    with pytest.raises(VoucherifyError):
        await client.vouchers.get("NOBODY")
    assert client.rate_limit.remaining == 0
    assert client.with_options(timeout=1).rate_limit is not None


async def test_clients_of_other_credentials_have_other_quotas(
    client: AsyncVoucherify, fake: FakeVoucherify
) -> None:
    """`with_options` shares the quota, unless the credentials are others."""
    fake.set_quota(1, WINDOW)
    await client.vouchers.get(CODE)
    with pytest.raises(RateLimitError, match="Nothing was sent"):
        await client.with_options(timeout=5).vouchers.get(CODE)
    from voucherify_async import ApiKeyAuth

    with pytest.raises(RateLimitError) as caught:
        await client.with_options(auth=ApiKeyAuth("b", "c")).vouchers.get(CODE)
    assert caught.value.request_id
