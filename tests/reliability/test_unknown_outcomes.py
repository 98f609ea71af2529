"""Writes whose answer was lost: settled by reading, or said to be open."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    BadRequestError,
    ConflictError,
    InvalidArgumentError,
    from_dict,
)
from voucherify_async.errors import ReadError, ReadTimeout
from voucherify_async.models import GiftVoucherCreate
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock, policy

pytestmark = pytest.mark.anyio

GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 700}, "metadata": {"a": 1}}


def balance(fake: FakeVoucherify) -> int:
    """What is on the card."""
    return int(fake.vouchers["CARD"]["gift"]["balance"])


def credits_sent(fake: FakeVoucherify) -> list[str]:
    """The labels of the balance updates that arrived."""
    return [r.json()["source_id"] for r in fake.requests if r.path.endswith("/balance")]


LANDED: dict[str, Callable[[FakeVoucherify], Any]] = {
    "lose_answer": lambda f: f.faults.lose_answer(),
    "reset_after_headers": lambda f: f.faults.reset_after_headers(),
    "cut_body": lambda f: f.faults.cut_body(),
    "garbage": lambda f: f.faults.garbage(),
    "empty": lambda f: f.faults.empty(),
    "timeout": lambda f: f.faults.timeout("read", applied=True),
    "502": lambda f: f.faults.status(502, applied=True),
}


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
    fake.faults.reset()
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


@pytest.mark.parametrize("name", ["reset", "disconnect"])
async def test_confirm_repeats_what_surely_did_not_happen(
    client: AsyncVoucherify, fake: FakeVoucherify, name: str
) -> None:
    """After a connection that broke, and three looks at the whole history, it goes out again."""
    getattr(fake.faults, name)(method="POST")
    update = await client.vouchers.update_balance("CARD", 5, confirm=True)
    assert update.balance == 1005
    looks = [r for r in fake.requests if r.method == "GET"]
    assert len(looks) == 3
    assert all(("order", "-id") in r.query for r in looks)
    assert len(credits_sent(fake)) == 2


@pytest.mark.parametrize("fault", ["timeout", "502", "head"])
async def test_confirm_does_not_repeat_what_may_be_under_way(
    client: AsyncVoucherify, fake: FakeVoucherify, fault: str
) -> None:
    """Absence settles nothing after a timeout or a 5xx, nor once an answer's head had come."""
    if fault == "timeout":
        fake.faults.timeout("read")
    elif fault == "502":
        fake.faults.status(502)
    else:
        # It was answered with success, and the history does not show it: it may lag behind.
        fake.faults.reset_after_headers(method="POST")
        fake.faults.status(200, body={"data_ref": "data", "data": [], "has_more": False}, times=3)
    with pytest.raises(AmbiguousOutcomeError):
        await client.vouchers.update_balance("CARD", 5, confirm=True)
    assert len(credits_sent(fake)) == 1


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


async def test_one_failed_look_forbids_the_repetition(
    client: AsyncVoucherify, fake: FakeVoucherify
) -> None:
    """All looks have to show its absence; one that failed is no look."""
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
    """A history that never ends is walked for ten pages a look, and settles nothing."""
    fake.faults.reset(method="POST")
    instant = clock.now().isoformat()
    rows = [{"id": "vtx_1", "source_id": None, "created_at": instant}]
    endless = {"data_ref": "data", "data": rows, "has_more": True}
    fake.faults.status(200, body=endless, method="GET", times=None)
    with pytest.raises(AmbiguousOutcomeError):
        await client.vouchers.update_balance("CARD", 5, confirm=True)
    assert len(fake.requests) == 1 + 3 * 10


async def test_the_walk_goes_on_over_pages(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """What landed is found behind a page of later transactions."""
    for number in range(120):
        await client.vouchers.update_balance("CARD", 1, source_id=f"before-{number}")

    async def land_among_others(call: Any, execute: Callable[[], Any]) -> Any:
        execute()
        for number in range(150):
            call.body = b'{"amount": 1, "source_id": "after-%d"}' % number
            execute()
        from voucherify_async.testing._http import Abort

        raise Abort("reset")

    fake.faults.add("crowd", land_among_others, method="POST")
    update = await client.vouchers.update_balance("CARD", 5, source_id="mine", confirm=True)
    assert update.balance == 1125


async def test_a_call_without_retry_is_not_sent_again(
    client: AsyncVoucherify, fake: FakeVoucherify
) -> None:
    """`retry=None` of the call, or of the client, holds for what `confirm` would repeat too."""
    fake.faults.reset(method="POST", times=2)
    with pytest.raises(AmbiguousOutcomeError):
        await client.vouchers.update_balance("CARD", 5, confirm=True, retry=None)
    once = client.with_options(retry=None)
    with pytest.raises(AmbiguousOutcomeError):
        await once.vouchers.update_balance("CARD", 5, confirm=True)
    assert len(credits_sent(fake)) == 2


async def test_repetitions_end(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """An update whose connection breaks every time is sent as often as the policy says."""
    fake.faults.reset(method="POST", times=None)
    with pytest.raises(AmbiguousOutcomeError):
        await client.vouchers.update_balance("CARD", 5, confirm=True)
    assert len(credits_sent(fake)) == 4


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
    assert [r.method for r in fake.requests] == ["POST", "GET", "GET", "GET"]
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


async def test_the_deadline_bounds_the_settlement(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """`confirm` and reading back end with the deadline of the call, and leave it open."""
    fake.faults.reset(times=None)
    with pytest.raises(AmbiguousOutcomeError):
        await client.vouchers.update_balance("CARD", 5, confirm=True, retry=policy(deadline=1.0))
    assert clock.seconds <= 1
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await client.vouchers.create("NEW", GIFT, retry=policy(deadline=0.4))
    assert clock.seconds <= 1.4
    assert "deadline" in caught.value.__notes__[0]


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
