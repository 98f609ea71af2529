"""Writes whose answer was lost: settled by reading, or said to be open."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    BadRequestError,
    InvalidArgumentError,
)
from voucherify_async.errors import ReadTimeout
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock, policy
from .faults import LANDED, balance, credits_sent

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]

GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 700}, "metadata": {"a": 1}}


async def test_every_update_carries_a_label(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """Without a `source_id` of the caller's, each update gets one of its own."""
    await client.vouchers.update_balance("CARD", 1)
    await client.vouchers.update_balance("CARD", 1)
    await client.vouchers.update_balance("CARD", 1, source_id="mine")
    labels = credits_sent(fake)
    assert len(set(labels)) == 3
    assert all(labels)
    assert labels[2] == "mine"


async def test_the_label_is_the_same_on_every_attempt(
    client: AsyncVoucherify, fake: FakeVoucherify
) -> None:
    """An update that was refused for now goes out again with the same label."""
    fake.faults.rate_limited(1)
    fake.faults.refuse()
    await client.vouchers.update_balance("CARD", 5, confirm=True)
    labels = credits_sent(fake)
    assert len(labels) == 3
    assert len(set(labels)) == 1
    assert balance(fake) == 1005


@pytest.mark.parametrize("fault", LANDED.values(), ids=list(LANDED))
async def test_an_open_outcome_says_how_to_find_out(
    client: AsyncVoucherify, fake: FakeVoucherify, fault: Callable[[FakeVoucherify], Any]
) -> None:
    """Without `confirm` the error names the label, and the label finds the transaction."""
    fault(fake)
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await client.vouchers.update_balance("CARD", 5)
    error = caught.value
    assert error.source_id == credits_sent(fake)[0]
    assert error.sent == fake.requests[0].body
    assert error.path == "/v1/vouchers/{code}/balance"
    assert "source_id" in error.how_to_check
    assert error.source_id is not None
    found = await client.transactions.find("CARD", source_id=error.source_id)
    assert found is not None
    assert balance(fake) == 1005


@pytest.mark.parametrize("fault", LANDED.values(), ids=list(LANDED))
async def test_confirm_finds_what_landed(
    client: AsyncVoucherify, fake: FakeVoucherify, fault: Callable[[FakeVoucherify], Any]
) -> None:
    """With `confirm` an update that landed is returned with its balance, and not sent again."""
    fault(fake)
    update = await client.vouchers.update_balance("CARD", 5, confirm=True)
    assert update.amount == 5
    assert update.balance == 1005
    assert len(credits_sent(fake)) == 1


@pytest.mark.parametrize("fault", ["reset", "disconnect", "timeout", "502", "head"])
async def test_confirm_never_sends_again(
    client: AsyncVoucherify, fake: FakeVoucherify, fault: str
) -> None:
    """However it was lost, and though the history does not show it: it may be under way."""
    if fault == "timeout":
        fake.faults.timeout("read")
    elif fault == "502":
        fake.faults.status(502)
    elif fault == "head":
        # It was answered with success, and the history does not show it: it may lag behind.
        fake.faults.reset_after_headers(method="POST")
        listing = {"data_ref": "data", "data": [], "has_more": False}
        fake.faults.status(200, body=listing, method="GET", times=None)
    else:
        getattr(fake.faults, fault)(method="POST")
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await client.vouchers.update_balance("CARD", 5, confirm=True)
    assert "still be on its way" in caught.value.__notes__[0]
    looks = [r for r in fake.requests if r.method == "GET"]
    assert len(looks) == 4
    assert all(("order", "-id") in r.query for r in looks)
    assert len(credits_sent(fake)) == 1


@pytest.mark.parametrize(("within", "looks"), [(0.4, 0), (1.0, 1), (4, 3), (60, 6)])
async def test_the_search_is_bounded(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, within: float, looks: int
) -> None:
    """`confirm_within` bounds the looks, whose pauses double from half a second on."""
    fake.faults.reset(method="POST")
    with pytest.raises(AmbiguousOutcomeError):
        await client.vouchers.update_balance("CARD", 5, confirm=True, confirm_within=within)
    assert len([r for r in fake.requests if r.method == "GET"]) == looks
    assert clock.seconds <= within


@pytest.mark.parametrize("within", [0, -1, "5", None, float("nan"), True])
async def test_a_bound_that_makes_no_sense(
    client: AsyncVoucherify, fake: FakeVoucherify, within: Any
) -> None:
    """It is refused before anything is sent."""
    with pytest.raises(InvalidArgumentError, match="confirm_within"):
        await client.vouchers.update_balance("CARD", 5, confirm=True, confirm_within=within)
    with pytest.raises(InvalidArgumentError, match="confirm_within"):
        await client.vouchers.create("NEW", GIFT, confirm_within=within)
    assert not fake.requests


async def test_a_call_without_retry_is_sent_once(
    client: AsyncVoucherify, fake: FakeVoucherify
) -> None:
    """`retry=None` of the call, or of the client, holds for looking too."""
    fake.faults.reset(times=2)
    with pytest.raises(AmbiguousOutcomeError):
        await client.vouchers.update_balance("CARD", 5, confirm=True, confirm_within=1, retry=None)
    assert [r.method for r in fake.requests] == ["POST", "GET"]


async def test_a_definite_refusal_is_no_ambiguity(
    client: AsyncVoucherify, fake: FakeVoucherify
) -> None:
    """A card without enough on it refuses; nothing is looked up."""
    with pytest.raises(BadRequestError):
        await client.vouchers.update_balance("CARD", -5000, confirm=True)
    assert len(fake.requests) == 1


@pytest.mark.parametrize("amount", [0, True, 1.5, "5", None])
async def test_a_wrong_amount_is_refused_before_anything_is_sent(
    client: AsyncVoucherify, fake: FakeVoucherify, amount: Any
) -> None:
    """Money is an integer other than 0."""
    with pytest.raises(InvalidArgumentError):
        await client.vouchers.update_balance("CARD", amount)
    assert not fake.requests


async def test_the_deadline_bounds_the_settlement(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """`confirm` and reading back end with the deadline of the call, and leave it open."""
    fake.faults.reset(times=None)
    with pytest.raises(AmbiguousOutcomeError):
        await client.vouchers.update_balance("CARD", 5, confirm=True, retry=policy(deadline=1.0))
    assert clock.seconds <= 1


async def test_the_error_survives_pickle_and_copy(
    client: AsyncVoucherify, fake: FakeVoucherify
) -> None:
    """What was sent and how to find out are still there in another process."""
    fake.faults.timeout("read")
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await client.vouchers.update_balance("CARD", 5, source_id="mine")
    for made in (pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):
        assert type(made) is AmbiguousOutcomeError
        assert (made.source_id, made.sent) == ("mine", caught.value.sent)
        assert (str(made), made.how_to_check) == (str(caught.value), caught.value.how_to_check)
    assert isinstance(caught.value.__cause__, ReadTimeout)
