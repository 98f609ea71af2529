"""A card's history as proof of what a lost balance update did, and where it is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from voucherify_async import AmbiguousOutcomeError, AsyncVoucherify
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock, policy
from .faults import balance, credits_sent

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"object": "list", "data_ref": "data"},
        {"data_ref": "data", "data": [{"source_id": "x"}], "has_more": True},
        {"data_ref": "data", "data": None, "has_more": False},
        {"data_ref": "data", "data": [], "has_more": True},
        {
            "data_ref": "data",
            "has_more": True,
            "data": [
                {"id": "vtx_1", "created_at": "2020-01-01T00:00:00Z"},
                {"id": "vtx_2", "created_at": "2021-01-01T00:00:00Z"},
            ],
        },
        [],
        "null",
    ],
    ids=[
        "object",
        "no list",
        "no dates",
        "null",
        "more of nothing",
        "oldest first",
        "array",
        "nothing",
    ],
)
async def test_a_history_that_cannot_be_trusted_settles_nothing(
    client: AsyncVoucherify, fake: FakeVoucherify, body: Any
) -> None:
    """An answer that is no history, or in another order, is no proof of absence."""
    fake.faults.lose_answer(method="POST")
    text = "[]" if body == [] else body
    fake.faults.status(200, body=text, method="GET", times=None)
    with pytest.raises(AmbiguousOutcomeError):
        await client.vouchers.update_balance("CARD", 5, confirm=True)
    assert len(credits_sent(fake)) == 1


async def test_a_failed_look_settles_nothing(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """A look that failed is followed by the next, and its error replaces nothing."""
    fake.faults.reset(method="POST")
    fake.faults.status(400, method="GET", after=1)
    with pytest.raises(AmbiguousOutcomeError):
        await client.vouchers.update_balance("CARD", 5, confirm=True)
    assert len(credits_sent(fake)) == 1


async def test_a_transaction_without_details_is_a_sign_of_life(
    client: AsyncVoucherify, fake: FakeVoucherify
) -> None:
    """The label alone shows that it landed; without its balance the outcome stays open."""
    fake.faults.reset(method="POST")
    row = {
        "id": "vtx_1",
        "source_id": "mine",
        "created_at": "2026-03-17T15:50:00Z",
        "details": None,
    }
    listing = {"data_ref": "data", "data": [row], "has_more": False}
    fake.faults.status(200, body=listing, method="GET", times=None)
    with pytest.raises(AmbiguousOutcomeError):
        await client.vouchers.update_balance("CARD", 5, source_id="mine", confirm=True)
    assert len(credits_sent(fake)) == 1


async def test_an_old_update_with_the_same_label_proves_nothing(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """A label that was used before does not pass for the update that was lost."""
    await client.vouchers.update_balance("CARD", 5, source_id="order-1")
    clock.move(60)
    fake.faults.reset(method="POST")
    with pytest.raises(AmbiguousOutcomeError):
        await client.vouchers.update_balance("CARD", 5, source_id="order-1", confirm=True)
    assert balance(fake) == 1005


@pytest.mark.parametrize("skew", [-3600, 3600])
async def test_the_age_is_judged_by_the_servers_clock(
    fake: FakeVoucherify, clock: MovingClock, skew: int
) -> None:
    """With a skewed clock here, an old update is still old and a new one new."""

    class Skewed(MovingClock):
        def time(self) -> float:
            return clock.time() + skew

        def monotonic(self) -> float:
            return clock.monotonic()

        async def sleep(self, seconds: float) -> None:
            await clock.sleep(seconds)

    async with fake, fake.client(clock=Skewed(), retry=policy()) as client:
        await client.vouchers.update_balance("CARD", 5, source_id="order-1")
        clock.move(60)
        fake.faults.reset(method="POST")
        with pytest.raises(AmbiguousOutcomeError):
            await client.vouchers.update_balance("CARD", 5, source_id="order-1", confirm=True)
        fake.faults.lose_answer(method="POST")
        update = await client.vouchers.update_balance("CARD", 5, source_id="order-2", confirm=True)
    assert update.balance == 1010


async def test_the_look_is_bounded(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """A history that never ends is walked for fifty pages a look, and settles nothing."""
    fake.faults.reset(method="POST")
    instant = clock.now().isoformat()
    rows = [{"id": "vtx_1", "source_id": None, "created_at": instant}]
    endless = {"data_ref": "data", "data": rows, "has_more": True}
    fake.faults.status(200, body=endless, method="GET", times=None)
    with pytest.raises(AmbiguousOutcomeError):
        await client.vouchers.update_balance("CARD", 5, confirm=True)
    assert len(fake.requests) == 1 + 4 * 50


async def test_the_walk_goes_on_over_pages(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """What landed is found behind a page of later transactions."""
    for number in range(120):
        await client.vouchers.update_balance("CARD", 1, source_id=f"before-{number}")

    async def land_among_others(call: Any, execute: Callable[[], Any]) -> Any:
        execute()
        for number in range(150):
            call.body = b'{"amount": 1, "source_id": "after-%d"}' % number
            execute()
        from voucherify_async.testing._messages import Abort

        raise Abort("reset")

    fake.faults.add("crowd", land_among_others, method="POST")
    update = await client.vouchers.update_balance("CARD", 5, source_id="mine", confirm=True)
    assert update.balance == 1125
