"""The client holds its own requests back while the quota is used up."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from voucherify_async import AsyncVoucherify, RateLimitError, VoucherifyError
from voucherify_async._protocol import Answer
from voucherify_async._quota import LONGEST_WINDOW, Quota
from voucherify_async.errors import TimeoutError as OwnTimeoutError
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock, policy

pytestmark = pytest.mark.anyio

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


async def test_ten_thousand_lookups_take_what_the_quota_allows(
    clock: MovingClock, anyio_backend: str
) -> None:
    """10,000 lookups at 500 a window: 10,000 answers, no 429, the quota's time and 5% at most."""
    fake = FakeVoucherify(now=clock.now, record=False)
    fake.add_voucher(code=CODE)
    fake.set_quota(500, WINDOW)
    statuses = watch(fake)
    answers = 0
    # The one loop shows the number, the other one that it does not matter which loop it is.
    lookups = 10_000 if anyio_backend == "asyncio" else 2_000

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

    class Stopping(MovingClock):
        async def sleep(self, seconds: float) -> None:
            await clock.sleep(0)
            if "stopped" not in self.__dict__:
                await anyio.sleep_forever()
            clock.move(seconds)

        def time(self) -> float:
            return clock.time()

        def monotonic(self) -> float:
            return clock.monotonic()

    stopping = Stopping()
    async with fake, fake.client(clock=stopping, retry=PATIENT) as client:
        await client.vouchers.get(CODE)

        async def get(number: int, scope: anyio.CancelScope) -> None:
            with scope:
                await client.vouchers.get(CODE)
                served.append(number)

        scopes = [anyio.CancelScope() for _ in range(5)]
        async with anyio.create_task_group() as group:
            for number, scope in enumerate(scopes):
                group.start_soon(get, number, scope)
            for _ in range(20):
                await anyio.lowlevel.checkpoint()
            for number in (0, 1, 3):
                vars(stopping)["stopped"] = True
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
        stall = fake.faults.stall(times=2)
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(client.vouchers.get, CODE)
            while stall.waiting < 2:
                await anyio.lowlevel.checkpoint()
            await client.vouchers.get(CODE)
            assert clock.seconds == pytest.approx(WINDOW, abs=1)
            stall.release()


async def test_the_deadline_bounds_the_wait_for_an_answer(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """Held back by requests that hang, a call still ends with its deadline, and was not sent."""
    fake.faults.status(200, headers={"X-Rate-Limit-Remaining": "1"}, body={"code": CODE})
    async with fake, fake.client(clock=clock, retry=policy()) as client:
        await client.vouchers.get(CODE)
        stall = fake.faults.stall()
        async with anyio.create_task_group() as group:
            group.start_soon(client.vouchers.get, CODE)
            while not stall.waiting:
                await anyio.lowlevel.checkpoint()
            brief = policy(deadline=0.001)
            with pytest.raises(OwnTimeoutError) as caught:
                await client.vouchers.update_balance("CARD", 5, retry=brief)
            assert not caught.value.sent
            stall.release()
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


def told(remaining: int | None, window: int | None, *, status: int = 200, **more: str) -> Answer:
    """An answer that states a quota of 10."""
    headers = {"x-rate-limit-limit": "10", **{k.replace("_", "-"): v for k, v in more.items()}}
    if remaining is not None:
        headers["x-rate-limit-remaining"] = str(remaining)
    if window is not None:
        headers["x-rate-limit-retry"] = str(window)
    return Answer(status, headers, b"")


def after(clock: MovingClock, *answers: Answer) -> Quota:
    """A quota that saw these answers."""
    quota = Quota(clock)
    for answer in answers:
        assert quota.try_enter()
        quota.leave(answer)
    return quota


def how_many(quota: Quota) -> int:
    """How many requests may be under way at once, up to 50."""
    return sum(quota.try_enter() for _ in range(50))


def test_answers_that_overtake_each_other(clock: MovingClock) -> None:
    """Within a window the lowest count is the latest; one of a window before says nothing."""
    turn = int(clock.time()) + 60
    assert how_many(after(clock, told(5, turn), told(7, turn))) == 5
    assert how_many(after(clock, told(5, turn), told(1, turn - 60))) == 5
    assert how_many(after(clock, told(1, turn), told(9, turn + 60))) == 9


def test_a_straggler_does_not_close_the_new_window(clock: MovingClock) -> None:
    """After the turn an answer of the window before is of no account."""
    turn = int(clock.time()) + 60
    quota = Quota(clock)
    assert quota.try_enter()
    assert quota.try_enter()
    quota.leave(told(0, turn))
    assert not quota.try_enter()
    clock.move(61)
    assert quota.try_enter()
    quota.leave(told(0, turn))
    assert how_many(quota) == 9


def test_missing_headers_hold_nothing_back(clock: MovingClock) -> None:
    """Without quota headers, or without the turn, nobody waits for what will not be told."""
    bare = Answer(200, {}, b"")
    assert how_many(after(clock, bare, bare)) == 50
    assert how_many(after(clock, told(None, None, status=429))) == 10
    assert how_many(after(clock, told(0, None))) == 10
    assert how_many(after(clock, told(3, None), told(8, None))) == 8


def test_a_refusal_closes_whatever_was_counted(clock: MovingClock) -> None:
    """A 429 means none is left; its `Retry-After` says until when."""
    turn = int(clock.time()) + 60
    quota = after(clock, told(9, turn), told(None, None, status=429, retry_after="30"))
    assert how_many(quota) == 0
    clock.move(31)
    assert how_many(quota) == 10


def test_an_absurd_turn_does_not_close_the_client_for_ever(clock: MovingClock) -> None:
    """After the longest window there is, one request may ask again, whatever was told."""
    quota = after(clock, told(0, 10**15))
    assert how_many(quota) == 0
    clock.move(LONGEST_WINDOW + 1)
    assert quota.try_enter()
    quota.leave(told(8, int(clock.time()) + 60))
    assert how_many(quota) == 8


@pytest.mark.parametrize("skew", [-7200, 7200])
def test_the_turn_is_read_by_the_servers_clock(clock: MovingClock, skew: int) -> None:
    """A skewed clock here neither opens the gate early nor keeps it shut."""
    from email.utils import formatdate

    server = int(clock.time()) + skew
    quota = after(clock, told(0, server + 60, date=formatdate(server, usegmt=True)))
    clock.move(59)
    assert not quota.try_enter()
    clock.move(2)
    assert quota.try_enter()
