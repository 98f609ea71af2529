"""How long a call waits before it is repeated."""

from __future__ import annotations

from typing import Any

import pytest

from voucherify_async import AmbiguousOutcomeError, AsyncVoucherify, RateLimitError, ServerError
from voucherify_async.errors import APIError
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock
from .faults import CODE, IDEMPOTENT, POST, READ, Send, each

pytestmark = pytest.mark.anyio


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
