"""What became of redemptions, rollbacks and orders, from whatever the API shows of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx
import orjson
import pytest

from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    Order,
    RedemptionResult,
    RedemptionRollback,
    Settled,
    StackRollback,
)
from voucherify_async.testing import FakeVoucherify

from .conftest import START, MovingClock, policy

pytestmark = pytest.mark.anyio

LONG = 186
DISCOUNT = {"type": "AMOUNT", "amount_off": 100}
Write = Callable[[AsyncVoucherify], Awaitable[Any]]


@pytest.fixture
def fake(clock: MovingClock) -> FakeVoucherify:
    """A server with a card, two coupons, two tiers and a stack of them."""
    fake = FakeVoucherify(now=clock.now)
    fake.add_voucher(code="GIFT", gift={"amount": 1_000})
    fake.add_voucher(code="POINTS", loyalty_card={"points": 100}, campaign="Loyal")
    fake.add_voucher(code="A", discount=DISCOUNT)
    fake.add_voucher(code="B", discount=DISCOUNT)
    for name in ("promo_1", "promo_2"):
        fake.add_promotion_tier(DISCOUNT, id=name)
    fake.add_promotion_stack(["promo_1", "promo_2"], id="stack_1")
    return fake


REDEEM: dict[str, dict[str, Any]] = {
    "an order": {"redeemables": ["A"], "order": {"source_id": "o-1", "amount": 500}},
    "a stored order": {"redeemables": ["A"], "order": "old"},
    "an order's id": {"redeemables": ["A"], "order": "ord_old"},
    "several": {"redeemables": ["A", "GIFT"], "order": {"source_id": "o-1", "amount": 500}},
    "a stack": {
        "redeemables": [{"object": "promotion_stack", "id": "stack_1"}],
        "order": {"source_id": "o-1", "amount": 500},
    },
    "a tier": {
        "redeemables": [{"object": "promotion_tier", "id": "promo_1"}],
        "order": {"source_id": "o-1", "amount": 500},
    },
    "a session": {"redeemables": ["A"], "session": {"type": "LOCK", "key": "mine"}},
    "a session of several": {
        "redeemables": ["A", "B"],
        "session": {"type": "LOCK", "key": "mine"},
    },
}


async def lost(client: AsyncVoucherify, write: Write) -> AmbiguousOutcomeError:
    """The error of a write that is sent once."""
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await write(client.with_options(retry=None))
    return caught.value


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("name", REDEEM)
async def test_a_redemption_is_found_or_known_not_to_be(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, name: str, done: bool
) -> None:
    """By its order or its session: at once if it was made, after three minutes if it was not."""
    await client.orders.create({"id": "ord_old", "source_id": "old", "amount": 500})
    # An earlier one of the same order and another session is passed over.
    await client.redemptions.redeem(
        redeemables=["B"], order={"source_id": "o-1", "amount": 500}, session={"key": "hers"}
    )
    clock.move(1)
    (fake.faults.lose_answer if done else fake.faults.reset)(method="POST")
    error = await lost(client, lambda c: c.redemptions.redeem(**REDEEM[name]))
    first = await client.settle(error)
    assert first.status == ("done" if done else "unknown")
    clock.move(LONG)
    settled = await client.settle(error)
    assert settled.status == ("done" if done else "not_done")
    if done:
        result = settled.result
        assert isinstance(result, RedemptionResult)
        assert result.is_complete
        made = [entry for entry in fake.redemptions if entry["object"] == "redemption"][1:]
        parents = [entry["id"] for entry in made if entry["related_object_type"] == "redemption"]
        told = [one.id for one in result.redemptions or ()]
        assert told == [entry["id"] for entry in made if entry["id"] not in parents]
        assert [result.parent_redemption.id] if result.parent_redemption else parents == []
    assert sum(r.method == "POST" and r.path.endswith("redemptions") for r in fake.requests) == 2


@pytest.mark.parametrize("by", ["order", "session"])
async def test_what_did_not_apply_is_told_of_what_was_found(
    client: AsyncVoucherify, fake: FakeVoucherify, by: str
) -> None:
    """Where a part was redeemed, the result that is found is not complete."""
    fake.stacking_rules["redeemables_application_mode"] = "PARTIAL"
    fake.add_voucher(code="OFF", active=False)
    named: dict[str, Any] = (
        {"order": {"source_id": "o-1", "amount": 500}}
        if by == "order"
        else {"session": {"type": "LOCK", "key": "k"}}
    )
    fake.faults.lose_answer(method="POST")
    redeemables = ["A", "OFF", "B"]
    error = await lost(client, lambda c: c.redemptions.redeem(redeemables=redeemables, **named))
    settled = await client.settle(error)
    assert settled.status == "done"
    result: Any = settled.result
    assert not result.is_complete
    assert [one.id for one in result.inapplicable] == ["OFF"]
    assert result.parent_redemption is not None


UNFINDABLE: dict[str, dict[str, Any]] = {
    "nothing": {"redeemables": ["A"]},
    "an order without id": {"redeemables": ["A"], "order": {"amount": 500}},
    "a session of a tier": {
        "redeemables": [{"object": "promotion_tier", "id": "promo_1"}],
        "session": {"type": "LOCK", "key": "k"},
    },
    "a session of a coupon and a tier": {
        "redeemables": ["A", {"object": "promotion_tier", "id": "promo_1"}],
        "session": {"type": "LOCK", "key": "k"},
    },
    "a session of points": {
        "redeemables": [{"object": "voucher", "id": "POINTS", "reward": {"points": 5}}],
        "session": {"type": "LOCK", "key": "k"},
    },
    "a session of a code that is gone": {
        "redeemables": ["GONE"],
        "session": {"type": "LOCK", "key": "k"},
    },
}


async def test_a_session_shows_all_that_was_redeemed_with_its_voucher(
    client: AsyncVoucherify, fake: FakeVoucherify
) -> None:
    """The parent of the voucher's redemption names the promotion's, which has no code."""
    fake.faults.lose_answer(method="POST")
    error = await lost(
        client, lambda c: c.redemptions.redeem(**UNFINDABLE["a session of a coupon and a tier"])
    )
    result: Any = (await client.settle(error)).result
    assert result.is_complete
    assert [bool(one.promotion_tier) for one in result.redemptions] == [False, True]


@pytest.mark.parametrize("name", UNFINDABLE)
async def test_what_leaves_no_trace_stays_unknown(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, name: str
) -> None:
    """However long ago it was: its absence is not seen where it could not be seen either."""
    fake.faults.reset(method="POST")
    error = await lost(client, lambda c: c.redemptions.redeem(**UNFINDABLE[name]))
    assert "redemptions.list()" in error.how_to_check
    clock.move(10 * LONG)
    settled = await client.settle(error)
    assert settled.status == "unknown"
    assert settled.why


async def test_confirm_names_an_order_that_has_no_id(
    client: AsyncVoucherify, fake: FakeVoucherify
) -> None:
    """It finds the redemption by the `source_id` that it gave; metadata is never added."""
    fake.faults.lose_answer(method="POST")
    done = await client.redemptions.redeem(redeemables=["A"], order={"amount": 500}, confirm=True)
    assert done.is_complete
    sent = [request.json() for request in fake.requests if request.method == "POST"]
    assert len(sent) == 1
    assert sent[0].keys() == {"redeemables", "order"}
    assert sent[0]["order"].keys() == {"amount", "source_id"}


@pytest.mark.parametrize("method", ["rollback", "rollback_stack"])
@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("ordered", [True, False])
async def test_a_rollback_is_found_or_known_not_to_be(
    client: AsyncVoucherify,
    fake: FakeVoucherify,
    clock: MovingClock,
    method: str,
    done: bool,
    ordered: bool,
) -> None:
    """By the redemption; sent again, one that was made is refused and gives nothing back twice."""
    order = {"order": {"source_id": "o-1", "amount": 500}} if ordered else {}
    codes = ["A", "GIFT"] if ordered and method == "rollback_stack" else ["A"]
    made = await client.redemptions.redeem(redeemables=codes, **order)  # type: ignore[arg-type]
    whole = made.parent_redemption or (made.redemptions or [])[0]
    send: Write = lambda c: getattr(c.redemptions, method)(whole.id)  # noqa: E731
    (fake.faults.lose_answer if done else fake.faults.reset)(method="POST")
    error = await lost(client, send)
    assert (await client.settle(error)).status == ("done" if done else "unknown")
    clock.move(LONG)
    settled = await client.settle(error)
    assert settled.status == ("done" if done else "not_done")
    if not done:
        return
    expected = StackRollback if method == "rollback_stack" else RedemptionRollback
    assert isinstance(settled.result, expected)
    if isinstance(settled.result, StackRollback):
        assert len(settled.result.rollbacks or ()) == len(codes)
        assert settled.result.is_complete
    with pytest.raises(Exception, match="already_rolled_back"):
        await send(client)
    assert fake.vouchers["A"]["redemption"]["redeemed_quantity"] == 0
    # The refused one is on record as well, and is not taken for it.
    assert (await client.settle(error)).status == "done"


async def test_confirm_finds_a_rollback(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """It reads the redemption back, and sends nothing again."""
    made = await client.redemptions.redeem(redeemables=["A"])
    id_ = (made.redemptions or [])[0].id
    fake.faults.lose_answer(method="POST")
    back = await client.redemptions.rollback(id_, confirm=True)
    assert back.is_successful
    assert sum(request.path.endswith("/rollback") for request in fake.requests) == 1


async def test_an_earlier_rollback_is_another_one(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """What had been rolled back before was not rolled back by the one that was lost."""
    made = await client.redemptions.redeem(redeemables=["A"])
    id_ = (made.redemptions or [])[0].id
    await client.redemptions.rollback(id_)
    clock.move(60)
    fake.faults.reset(method="POST")
    error = await lost(client, lambda c: c.redemptions.rollback(id_))
    clock.move(LONG)
    assert (await client.settle(error)).status == "not_done"


ORDERS: dict[str, tuple[Write, bool]] = {
    "upsert": (lambda c: c.orders.create({"source_id": "new", "amount": 5}), True),
    "pay": (lambda c: c.orders.create({"source_id": "new", "status": "PAID"}), True),
    "update": (lambda c: c.orders.update("old", {"amount": 7, "metadata": {"a": [1]}}), True),
    "items": (
        lambda c: c.orders.update(
            "old", {"items": [{"source_id": "p", "quantity": 2, "price": 5, "amount": 10}]}
        ),
        True,
    ),
    "only a customer": (lambda c: c.orders.update("old", {"customer": {"source_id": "c"}}), False),
}


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("name", ORDERS)
async def test_an_order_is_found_or_known_not_to_be(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, name: str, done: bool
) -> None:
    """By its id: it was written since, and is as it was to be."""
    await client.orders.create({"source_id": "old", "amount": 500})
    clock.move(60)
    write, can_be_told = ORDERS[name]
    (fake.faults.lose_answer if done else fake.faults.reset)(path="orders")
    error = await lost(client, write)
    clock.move(LONG)
    settled = await client.settle(error)
    if done:
        assert settled.status == ("done" if can_be_told else "unknown")
        assert isinstance(settled.result, Order) == can_be_told
    else:
        assert settled.status == "not_done"


@pytest.mark.parametrize(
    "changes", [{"items": [{"source_id": "p", "amount": 9}]}, {"customer": {"id": "cust_x"}}]
)
async def test_an_order_that_others_wrote_tells_nothing(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, changes: Any
) -> None:
    """A redemption writes its order too, which says nothing of an update that was lost."""
    await client.orders.create({"source_id": "old", "amount": 500})
    clock.move(60)
    fake.faults.reset(method="PUT")
    error = await lost(client, lambda c: c.orders.update("old", changes))
    await client.redemptions.redeem(redeemables=["A"], order="old")
    clock.move(LONG)
    assert (await client.settle(error)).status == "unknown"
    fake.faults.reset(method="POST")
    error = await lost(client, lambda c: c.orders.create({"amount": 5}))
    clock.move(LONG)
    assert (await client.settle(error)).status == "unknown"


async def test_a_cancelled_checkout_keeps_its_names(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """What was made up to find it by stands in a note on the cancellation."""
    notes: list[str] = []
    checkouts: list[Write] = [
        lambda c: c.redemptions.redeem(redeemables=["A"], order={"amount": 5}, confirm=True),
        lambda c: c.redemptions.redeem(redeemables=["A"], session={"type": "LOCK", "key": "mine"}),
        lambda c: c.validations.validate(redeemables=["A"], session={"type": "LOCK"}),
        lambda c: c.validations.validate(redeemables=["A"]),
    ]

    async def check_out(client: AsyncVoucherify, send: Write) -> None:
        try:
            await send(client)
        except BaseException as stop:
            notes.extend(getattr(stop, "__notes__", ["nothing"]))
            raise

    async with fake, fake.client(clock=clock) as client:
        for send in checkouts:
            stall = fake.faults.stall()
            async with anyio.create_task_group() as group:
                group.start_soon(check_out, client, send)
                while not stall.waiting:
                    await anyio.lowlevel.checkpoint()
                group.cancel_scope.cancel()
    sent = [request.json() for request in fake.requests]
    assert sent[0]["order"]["source_id"] in notes[0]
    assert "mine" in notes[1]
    assert sent[2]["session"]["key"] in notes[2]
    assert notes[3] == "nothing"


def at(seconds: float) -> str:
    """So many seconds after the write was sent."""
    return (START + timedelta(seconds=seconds)).isoformat()


def use(id_: str = "r_1", **changes: Any) -> dict[str, Any]:
    """A redemption as it is read."""
    entry = {
        "id": id_,
        "object": "redemption",
        "date": at(1),
        "result": "SUCCESS",
        "status": "SUCCEEDED",
        "voucher": {"code": "A", "id": "v_a"},
    }
    return {**entry, **changes}


def part(id_: str, code: str) -> dict[str, Any]:
    """A redemption that was made together with others."""
    return use(id_, redemption="r_1", voucher={"code": code})


PARENT = use(voucher=None, related_object_type="redemption")
EARLY, LATE = at(-60), at(600)

SHOWN: dict[str, tuple[dict[str, Any], list[dict[str, Any]], str]] = {
    # What was sent beside the order, what the order holds, what that comes to.
    "it": ({}, [use()], "done"),
    "in another case": ({"redeemables": ["a"]}, [use()], "done"),
    "nothing": ({}, [], "not_done"),
    "by the voucher's id": ({"redeemables": [{"object": "voucher", "id": "v_a"}]}, [use()], "done"),
    "of another code": ({}, [use(voucher={"code": "B"})], "not_done"),
    "of nothing": ({}, [use(voucher=None)], "unknown"),
    "failed": ({}, [use(result="FAILURE", status="FAILED")], "not_done"),
    "without a result": ({}, [use(result=None)], "unknown"),
    "two of them": ({}, [use("r_1"), use("r_2")], "unknown"),
    "it and another": ({}, [use("r_1"), use("r_2", voucher={"code": "B"})], "done"),
    "from before": ({}, [use(date=EARLY)], "unknown"),
    "from before, rolled back": ({}, [use(date=EARLY, status="ROLLED_BACK")], "not_done"),
    "rolled back since": ({}, [use(status="ROLLED_BACK")], "done"),
    "from too late": ({}, [use(date=LATE)], "unknown"),
    "without a date": ({}, [use(date=None)], "unknown"),
    "of another session": (
        {"session": {"type": "LOCK", "key": "k"}},
        [use(session={"key": "other"})],
        "not_done",
    ),
    "of the session": (
        {"session": {"type": "LOCK", "key": "k"}},
        [use(session={"key": "k"})],
        "done",
    ),
    "of a session not told": ({"session": {"type": "LOCK", "key": "k"}}, [use()], "done"),
    "with other metadata": ({"metadata": {"n": 1}}, [use(metadata={"n": 2})], "unknown"),
    "with the metadata": ({"metadata": {"n": 1}}, [use(metadata={"n": 1, "m": 0})], "done"),
    "with more credits": (
        {"redeemables": [{"object": "voucher", "id": "A", "gift": {"credits": 5}}]},
        [use(amount=6)],
        "not_done",
    ),
    "with the credits": (
        {"redeemables": [{"object": "voucher", "id": "A", "gift": {"credits": 5}}]},
        [use(amount=5)],
        "done",
    ),
    "with more points": (
        {"redeemables": [{"object": "voucher", "id": "A", "reward": {"points": 5}}]},
        [use(amount=6)],
        "not_done",
    ),
    "one of two": ({"redeemables": ["A", "B"]}, [use()], "unknown"),
    "two of three": (
        {"redeemables": ["A", "B", "C"]},
        [PARENT, part("r_2", "A"), part("r_3", "B")],
        "done",
    ),
    "a pair that shares one": (
        {"redeemables": ["A", "C"]},
        [PARENT, part("r_2", "A"), part("r_3", "B")],
        "not_done",
    ),
    "more than asked": ({}, [PARENT, part("r_2", "A"), part("r_3", "B")], "not_done"),
    "a coupon, of a stack": (
        {"redeemables": [{"object": "promotion_stack", "id": "s"}]},
        [use()],
        "not_done",
    ),
    "a redemption that cannot be read": ({}, [use(date=7)], "unknown"),
    "a rollback in its place": ({}, [use(object="redemption_rollback")], "unknown"),
}


async def looked(
    clock: MovingClock, sent: dict[str, Any], answers: dict[str, Any], path: str = "/v1/redemptions"
) -> Settled[Any]:
    """What is made of a write that was lost, long after, from answers by their paths."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET"
        found = answers.get(request.url.path)
        if found is None:
            return httpx.Response(404, json={"code": 404, "key": "not_found", "message": "m"})
        return httpx.Response(200, json=found)

    error = AmbiguousOutcomeError("lost")
    error.method, error.path, error.sent = "POST", path, orjson.dumps(sent)
    error.path_values = {"id": "r_1"} if "{id}" in path else {}
    error.sent_at = error.given_up_at = datetime.fromtimestamp(clock.time(), UTC)
    clock.move(LONG)
    http_client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    async with AsyncVoucherify(
        "id", "token", http_client=http_client, clock=clock, retry=policy(max_attempts=1)
    ) as client:
        settled: Settled[Any] = await client.settle(error)
    await http_client.aclose()
    return settled


@pytest.mark.parametrize("name", SHOWN)
async def test_what_the_order_shows(clock: MovingClock, name: str) -> None:
    """Only what is surely another redemption is passed over; only what surely is it is told."""
    changes, entries, status = SHOWN[name]
    sent = {"redeemables": ["A"], "order": {"source_id": "o-1"}, **changes}
    sent["redeemables"] = [
        {"object": "voucher", "id": item} if isinstance(item, str) else item
        for item in sent["redeemables"]
    ]
    stacked = [entry["id"] for entry in entries if entry.get("redemption")]
    wholes = [entry for entry in entries if not entry.get("redemption")]
    told = {entry["id"]: {"stacked": stacked} if stacked else {} for entry in wholes}
    answers = {f"/v1/redemptions/{entry['id']}": entry for entry in entries}
    order = {"id": "ord_1", "object": "order", "source_id": "o-1", "redemptions": told}
    settled = await looked(clock, sent, {**answers, "/v1/orders/o-1": order})
    assert settled.status == status, settled.why


ODD = [
    {"id": "ord_1", "source_id": "o-1", "redemptions": []},
    {"id": "ord_1", "source_id": "o-1", "redemptions": {"r_1": 7}},
    {"id": "ord_1", "source_id": "o-1", "redemptions": {"r_gone": {}}},
    {"id": "ord_2", "source_id": "o-2", "redemptions": {}},
    {"id": ["ord_1"], "source_id": {}, "redemptions": {}},
    {},
    [],
]


@pytest.mark.parametrize("order", ODD)
async def test_an_odd_order_tells_nothing(clock: MovingClock, order: Any) -> None:
    """What cannot be read, or is another order, is never taken for an absence."""
    sent = {"redeemables": [{"object": "voucher", "id": "A"}], "order": {"source_id": "o-1"}}
    assert (await looked(clock, sent, {"/v1/orders/o-1": order})).status == "unknown"


def listed(*entries: Any, **changes: Any) -> dict[str, Any]:
    """The redemptions of a voucher."""
    return {"object": "list", "total": len(entries), "redemption_entries": list(entries), **changes}


IN: dict[str, Any] = {"session": {"key": "k"}}
SESSIONS: dict[str, tuple[list[str], dict[str, Any], str]] = {
    "it": (["A"], {"A": listed(use(**IN))}, "done"),
    "none": (["A"], {"A": listed()}, "not_done"),
    "another session": (["A"], {"A": listed(use(session={"key": "other"}))}, "not_done"),
    "failed": (["A"], {"A": listed(use(**IN, result="FAILURE"))}, "not_done"),
    "rolled back": (["A"], {"A": listed(use(**IN, status="ROLLED_BACK"))}, "done"),
    "twice": (["A"], {"A": listed(use("r_1", **IN), use("r_2", **IN))}, "unknown"),
    "not all of them listed": (["A"], {"A": listed(total=11)}, "unknown"),
    "no list": (["A"], {"A": {}}, "unknown"),
    "null": (["A"], {"A": listed(redemption_entries=None)}, "unknown"),
    "another voucher's": (["A"], {"A": listed(use(voucher={"code": "B"}))}, "unknown"),
    "no such voucher": (["A"], {}, "unknown"),
    "both": (
        ["A", "B"],
        {
            "A": listed({**part("r_2", "A"), **IN}),
            "B": listed({**part("r_3", "B"), **IN}),
        },
        "done",
    ),
    "one of both": (["A", "B"], {"A": listed(use(**IN)), "B": listed()}, "unknown"),
}


@pytest.mark.parametrize("name", SESSIONS)
async def test_what_the_session_shows(clock: MovingClock, name: str) -> None:
    """The vouchers' redemptions that name it are the redemption, if all of them can be seen."""
    codes, told, status = SESSIONS[name]
    redeemables = [{"object": "voucher", "id": code} for code in codes]
    sent = {"redeemables": redeemables, "session": {"type": "LOCK", "key": "k"}}
    answers = {f"/v1/vouchers/{code}/redemption": body for code, body in told.items()}
    settled = await looked(clock, sent, {**answers, "/v1/redemptions/r_1": PARENT})
    assert settled.status == status, settled.why
    if name == "both":
        result: Any = settled.result
        assert result.parent_redemption.id == "r_1"


def back(id_: str = "rr_1", **changes: Any) -> dict[str, Any]:
    """A rollback as it is read."""
    entry = {"id": id_, "object": "redemption_rollback", "date": at(1), "result": "SUCCESS"}
    return {**entry, "redemption": "r_1", **changes}


ROLLBACKS: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "it": ([back()], "ROLLED_BACK", "done"),
    "none": ([], "SUCCEEDED", "not_done"),
    "none that is told": ([], "ROLLED_BACK", "unknown"),
    "failed": ([back("rrf_1", result="FAILURE")], "SUCCEEDED", "not_done"),
    "failed, then it": ([back("rrf_1", result="FAILURE"), back()], "ROLLED_BACK", "done"),
    "it, then failed": ([back(), back("rrf_1", result="FAILURE")], "ROLLED_BACK", "done"),
    "before": ([back(date=EARLY)], "ROLLED_BACK", "not_done"),
    "without a date": ([back(date=None)], "ROLLED_BACK", "unknown"),
    "with other metadata": ([back(metadata={"n": 2})], "ROLLED_BACK", "unknown"),
    "with the metadata": ([back(metadata={"n": 1})], "ROLLED_BACK", "done"),
    "a redemption in its place": ([use("rr_1")], "ROLLED_BACK", "unknown"),
}


@pytest.mark.parametrize("name", ROLLBACKS)
async def test_what_the_redemption_shows(clock: MovingClock, name: str) -> None:
    """The rollback that succeeded, and only since it was sent, is the one that was lost."""
    backs, state, status = ROLLBACKS[name]
    related = {"rollbacks": [{"id": one["id"], "date": one["date"]} for one in backs]}
    redemption = use(status=state, related_redemptions=related)
    answers = {f"/v1/redemptions/{one['id']}": one for one in (redemption, *backs)}
    path = "/v1/redemptions/{id}/rollback"
    settled = await looked(clock, {"metadata": {"n": 1}}, answers, path)
    assert settled.status == status, settled.why


async def test_a_redemption_that_is_gone_tells_nothing_of_its_rollback(clock: MovingClock) -> None:
    """Nor does an order that is gone."""
    path = "/v1/redemptions/{id}/rollback"
    assert (await looked(clock, {}, {}, path)).status == "unknown"
    gone = {"/v1/redemptions/r_1": use(order={"id": "ord_gone"})}
    assert (await looked(clock, {}, gone, path)).status == "not_done"


async def test_a_rollback_that_only_the_order_tells_of(clock: MovingClock) -> None:
    """The order inside a redemption is the one of then; the order of now names the rollback."""
    order = {"id": "ord_1", "object": "order", "redemptions": {"r_1": {"rollback_id": "rr_1"}}}
    answers = {
        "/v1/redemptions/r_1": use(status="ROLLED_BACK", order={"id": "ord_1"}),
        "/v1/redemptions/rr_1": back(),
        "/v1/orders/ord_1": order,
    }
    assert (await looked(clock, {}, answers, "/v1/redemptions/{id}/rollback")).status == "done"


async def test_a_session_that_does_not_show_its_promotions(clock: MovingClock) -> None:
    """Where the parent does not name its parts, what was redeemed beside the voucher is open."""
    tier = {"object": "promotion_tier", "id": "promo_1"}
    sent = {"redeemables": [{"object": "voucher", "id": "A"}, tier], "session": {"key": "k"}}
    told = listed({**part("r_2", "A"), **IN})
    answers = {"/v1/vouchers/A/redemption": told, "/v1/redemptions/r_1": PARENT}
    assert (await looked(clock, sent, answers)).status == "unknown"


@pytest.mark.parametrize(
    ("sent", "found", "status"),
    [
        ({"amount": 5}, {"amount": 5, "created_at": EARLY, "updated_at": at(1)}, "done"),
        ({"amount": 5}, {"amount": 5, "created_at": EARLY}, "unknown"),
        ({"amount": 5}, {"amount": 9, "created_at": EARLY}, "not_done"),
        ({"amount": 5}, {"amount": 9, "created_at": at(1)}, "unknown"),
        ({}, {"created_at": at(1)}, "done"),
        ({}, {"created_at": EARLY, "updated_at": at(1)}, "unknown"),
        ({"customer": {"id": "c_1"}}, {"customer_id": "c_1", "created_at": at(1)}, "done"),
        ({"customer": {"id": "c_1"}}, {"customer": {"id": "c_2"}, "created_at": at(1)}, "unknown"),
    ],
)
async def test_what_an_order_shows_of_itself(
    clock: MovingClock, sent: Any, found: Any, status: str
) -> None:
    """It is as it was to be, and was written since: both, or it is not told as done."""
    order = {"id": "ord_1", "object": "order", "source_id": "o-1", **found}
    answers = {"/v1/orders/o-1": order}
    settled = await looked(clock, {"source_id": "o-1", **sent}, answers, "/v1/orders")
    assert settled.status == status
