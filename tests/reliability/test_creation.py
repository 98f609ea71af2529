"""Creations whose answer was lost: settled by reading the code back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from voucherify_async import AmbiguousOutcomeError, AsyncVoucherify, ConflictError, from_dict
from voucherify_async.errors import ReadError
from voucherify_async.models import GiftVoucherCreate
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock, policy
from .faults import LANDED

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]

GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 700}, "metadata": {"a": 1}}


@pytest.mark.parametrize("fault", LANDED.values(), ids=list(LANDED))
@pytest.mark.parametrize("as_model", [False, True])
async def test_creation_is_settled_by_reading_back(
    client: AsyncVoucherify,
    fake: FakeVoucherify,
    fault: Callable[[FakeVoucherify], Any],
    as_model: bool,
) -> None:
    """A voucher that was created although its answer was lost is returned, and sent once."""
    fault(fake)
    body: Any = from_dict(GiftVoucherCreate, GIFT) if as_model else GIFT
    voucher = await client.vouchers.create("NEW", body)
    assert voucher.code == "NEW"
    assert [r.method for r in fake.requests] == ["POST", "GET"]


async def test_a_voucher_that_is_not_there_leaves_it_open(
    client: AsyncVoucherify, fake: FakeVoucherify
) -> None:
    """Where reading back finds nothing, the creation stays open, and is not sent again."""
    fake.faults.reset(method="POST")
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await client.vouchers.create("NEW", GIFT)
    assert isinstance(caught.value.__cause__, ReadError)
    assert [r.method for r in fake.requests] == ["POST", *["GET"] * 4]
    assert "NEW" not in str(caught.value.__notes__)


@pytest.mark.parametrize("other", ["older", "different"])
async def test_somebody_elses_voucher_is_not_ours(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, other: str
) -> None:
    """A voucher of that code that is older, or another one, is not taken for the one sent."""
    old = clock.now() - timedelta(minutes=1)
    created_at = {"created_at": old.isoformat()} if other == "older" else {}
    amount = 700 if other == "older" else 1
    fake.add_voucher({**GIFT, "code": "NEW", "gift": {"amount": amount}, **created_at})
    fake.faults.reset(method="POST")
    with pytest.raises(AmbiguousOutcomeError):
        await client.vouchers.create("NEW", GIFT)
    with pytest.raises(ConflictError):
        await client.vouchers.create("NEW", GIFT)


async def test_the_deadline_bounds_reading_back(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """Where the deadline leaves no time for it, the creation stays open."""
    fake.faults.reset(times=None)
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await client.vouchers.create("NEW", GIFT, retry=policy(deadline=0.4))
    assert clock.seconds <= 0.4
    assert "no time" in caught.value.__notes__[0]
