"""How long a call waits before it is repeated."""

from __future__ import annotations

import math
from typing import Any

import anyio
import pytest

from voucherify_async import AmbiguousOutcomeError, AsyncVoucherify, RateLimitError, ServerError
from voucherify_async.errors import APIError
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock, policy
from .faults import CODE, IDEMPOTENT, POST, READ, Send, each

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]


@pytest.mark.parametrize(
    ("status", "headers"),
    [(429, {"Retry-After": "7"}), (503, {"Retry-After": "7"}), (502, {"Retry-After": "7"})],
)
async def test_a_stated_wait_is_waited(
    client: AsyncVoucherify,
    fake: FakeVoucherify,
    clock: MovingClock,
    status: int,
    headers: dict[str, str],
) -> None:
    """`Retry-After` decides how long."""
    fake.faults.status(status, headers=headers)
    await client.vouchers.get(CODE)
    assert clock.seconds == 7


@pytest.mark.parametrize("form", ["seconds", "date", "reset"])
@pytest.mark.parametrize("skew", [-3600, 0, 3600])
async def test_every_form_of_the_wait_survives_a_skewed_clock(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, form: Any, skew: int
) -> None:
    """Seconds, HTTP date and epoch lead to the same wait, whatever the server's clock shows."""
    fake.clock_skew = skew
    fake.faults.rate_limited(4, form=form)
    await client.vouchers.get(CODE)
    assert clock.seconds == pytest.approx(4, abs=0.01)


@pytest.mark.parametrize("status", [429, 503])
@each(READ | IDEMPOTENT | {"balance": POST["balance"]})
async def test_a_long_wait_fails_fast(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, status: int, send: Send
) -> None:
    """A stated wait over `max_wait` raises at once and tells it; only a 429 settles a write."""
    fake.faults.status(status, headers={"Retry-After": "60"})
    with pytest.raises(APIError) as caught:
        await send(client)
    assert isinstance(caught.value, RateLimitError if status == 429 else ServerError)
    is_open = status == 503 and send not in READ.values()
    assert isinstance(caught.value, AmbiguousOutcomeError) == is_open
    assert caught.value.retry_after == 60
    assert clock.seconds == 0
    assert len(fake.requests) == 1


async def test_backoff_grows(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """Without a stated wait the pauses double, and the fourth failure is the last."""
    fake.faults.status(502, times=None)
    with pytest.raises(ServerError):
        await client.vouchers.get(CODE)
    assert clock.slept == [0.5, 1, 2]
    assert len(fake.requests) == 4


async def many(client: AsyncVoucherify) -> None:
    """Look a voucher up as bulk work does."""
    async for found in client.vouchers.get_many([CODE]):
        assert found.ok


BULK: dict[str, Send] = {
    "bulk route": lambda c: c.vouchers.update_in_bulk([{"code": CODE, "metadata": {}}]),
    "many reads": many,
    "endless": lambda c: c.vouchers.get(CODE, retry=policy(max_wait=math.inf)),
}


@pytest.mark.parametrize("send", BULK.values(), ids=list(BULK))
@pytest.mark.parametrize("wait", [20, 0])
async def test_patient_work_waits_out_every_refusal(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, send: Send, wait: int
) -> None:
    """A 429 is not counted as an attempt, and one that says "at once" is slowed down."""
    fake.faults.rate_limited(wait, times=12)
    fake.faults.status(502, method="GET", times=3)
    await send(client)
    refused = 12 * wait or 0.5 + 1 + 2 + 4 + 7 * 8
    assert clock.seconds >= refused


@pytest.mark.parametrize("retry", [None, policy(max_attempts=1), policy(deadline=50)])
async def test_patience_has_the_bounds_of_its_policy(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, retry: Any
) -> None:
    """What is sent once is sent once, and a deadline ends the waiting."""
    fake.faults.rate_limited(20, times=None)
    with pytest.raises(RateLimitError):
        await client.vouchers.update_in_bulk([{"code": CODE, "metadata": {}}], retry=retry)
    assert clock.seconds == (40 if retry and retry.deadline else 0)


async def test_impatient_work_gives_up_after_its_attempts(
    client: AsyncVoucherify, fake: FakeVoucherify
) -> None:
    """Anything else counts a 429 like every failure."""
    fake.faults.rate_limited(1, times=None)
    with pytest.raises(RateLimitError):
        await client.vouchers.get(CODE)
    assert len(fake.requests) == 4


async def test_clients_that_share_a_quota_wait_for_each_other(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """Four clients that know nothing of each other get every code within one quota."""
    fake.set_quota(10, 4)
    codes = [f"N{number}" for number in range(100)]
    for code in codes:
        fake.add_voucher(code=code)
    got: list[str] = []

    async def look_up(part: list[str]) -> None:
        async with fake.client(clock=clock) as client:
            async for found in client.vouchers.get_many(part):
                assert found.ok
                got.append(found.code)

    async with fake, anyio.create_task_group() as group:
        for first in range(4):
            group.start_soon(look_up, codes[first::4])
    assert sorted(got) == sorted(codes)
