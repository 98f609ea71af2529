"""`client.settle`: what became of a write whose answer was lost, asked at any later time."""

from __future__ import annotations

import json
import pickle
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

import voucherify_async as v
from voucherify_async import AmbiguousOutcomeError, AsyncVoucherify, Settled
from voucherify_async._calls.server_clock import ServerClock
from voucherify_async._protocol import routes
from voucherify_async._protocol.route import Route
from voucherify_async._recovery import settlement
from voucherify_async._recovery.settlement import FINDERS
from voucherify_async.testing import FakeVoucherify

from ..queues import through_celery
from .conftest import START, MovingClock, Stopping, policy
from .faults import CODE, DISCOUNT, balance, credits_sent

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2)]

Write = Callable[[AsyncVoucherify], Awaitable[Any]]

GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 700}, "metadata": {"a": 1}}
ITEMS = [{"code": f"N{i}", **DISCOUNT} for i in range(3)]
EXPORT = {"exported_object": "voucher", "parameters": {"fields": ["code"]}}
LONG = 186
"""Seconds after which what is not there was not done."""

WRITES: dict[str, tuple[Write, Callable[[Any], bool]]] = {
    "balance": (
        lambda c: c.vouchers.update_balance("CARD", 5),
        lambda r: isinstance(r, v.BalanceUpdate) and (r.amount, r.balance) == (5, 1005),
    ),
    "points": (
        lambda c: c.vouchers.update_balance("POINTS", -5, source_id="mine"),
        lambda r: isinstance(r, v.BalanceUpdate) and (r.amount, r.balance) == (-5, 95),
    ),
    "create": (
        lambda c: c.vouchers.create("NEW", GIFT, confirm_within=0.1),
        lambda r: isinstance(r, v.Voucher) and r.code == "NEW",
    ),
    "update": (
        lambda c: c.vouchers.update(CODE, {"category": "x", "start_date": "2026-04-01T00:00:00Z"}),
        lambda r: isinstance(r, v.Voucher) and r.category == "x",
    ),
    "disable": (
        lambda c: c.vouchers.disable(CODE),
        lambda r: isinstance(r, v.Voucher) and r.active is False,
    ),
    "enable": (
        lambda c: c.vouchers.enable("OFF"),
        lambda r: isinstance(r, v.Voucher) and r.active is True,
    ),
    "delete": (lambda c: c.vouchers.delete(CODE), lambda r: r is None),
    "export": (
        lambda c: c.exports.create(EXPORT),
        lambda r: isinstance(r, v.Export) and r.exported_object == "voucher",
    ),
    "delete export": (lambda c: c.exports.delete("exp_1"), lambda r: r is None),
    "import": (
        lambda c: c.imports.vouchers(ITEMS),
        lambda r: isinstance(r, v.AsyncAction) and r.type == "VOUCHERS.IMPORT",
    ),
}
UNTRACED: dict[str, Write] = {
    "generate": lambda c: c.vouchers.generate(DISCOUNT),
    "release": lambda c: c.vouchers.release_session(CODE, "k"),
    "export of a card": lambda c: c.transactions.export("CARD"),
    "bulk": lambda c: c.vouchers.update_metadata_in_bulk([CODE], {"a": 1}),
    "raw": lambda c: c.request("POST", f"/v1/vouchers/{CODE}/enable"),
}


@pytest.fixture
def fake(clock: MovingClock) -> FakeVoucherify:
    """A server with one thing of each kind, all made an hour ago."""
    fake = FakeVoucherify(now=clock.now)
    fake.add_voucher(code="CARD", gift={"amount": 1000})
    fake.add_voucher(code="POINTS", loyalty_card={"points": 100})
    fake.add_voucher(code=CODE)
    fake.add_voucher(code="OFF", active=False)
    return fake


async def prepared(client: AsyncVoucherify, clock: MovingClock, name: str) -> Write:
    """The write of a name, an hour after what it is about was made."""
    write = WRITES[name][0]
    if name == "delete export":
        made = await client.exports.create(EXPORT)
        write = lambda c: c.exports.delete(made.id)  # noqa: E731
    clock.move(3600)
    return write


async def lost(client: AsyncVoucherify, write: Write) -> AmbiguousOutcomeError:
    """The error of a write that is sent once."""
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await write(client.with_options(retry=None))
    return caught.value


def over_a_queue(error: AmbiguousOutcomeError) -> AmbiguousOutcomeError:
    """The error as another process gets it, through JSON."""
    return AmbiguousOutcomeError.from_dict(json.loads(json.dumps(error.to_dict())))


def unpickled(error: AmbiguousOutcomeError) -> AmbiguousOutcomeError:
    """The error as another process gets it, through pickle."""
    back = pickle.loads(pickle.dumps(error))
    assert isinstance(back, AmbiguousOutcomeError)
    return back


@pytest.mark.parametrize("carried", [lambda e: e, over_a_queue, unpickled, through_celery])
@pytest.mark.parametrize("name", WRITES)
async def test_what_was_done_is_found(
    client: AsyncVoucherify,
    fake: FakeVoucherify,
    clock: MovingClock,
    name: str,
    carried: Callable[[AmbiguousOutcomeError], AmbiguousOutcomeError],
) -> None:
    """A write that was done is found at once and at any later time, with its result."""
    write = await prepared(client, clock, name)
    fake.faults.lose_answer(times=1)
    error = carried(await lost(client, write))
    sent = len(fake.requests)
    while (await client.settle(error)).why.startswith("A job that may be it has not ended"):
        clock.move(1)
    for wait in (0, 3 * LONG):
        clock.move(wait)
        settled = await client.settle(error)
        assert (settled.status, settled.error) == ("done", None)
        assert WRITES[name][1](settled.result)
        assert settled.looked_at
    assert all(request.method == "GET" for request in fake.requests[sent:])


@pytest.mark.parametrize("name", WRITES)
async def test_what_was_not_done_is_told_after_three_minutes(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, name: str
) -> None:
    """Until then it may be on its way; from then on its absence is proof."""
    write = await prepared(client, clock, name)
    fake.faults.reset(times=1)
    error = over_a_queue(await lost(client, write))
    for wait in (0, LONG - 6):
        clock.move(wait)
        settled = await client.settle(error)
        assert (settled.status, settled.result) == ("unknown", None)
        assert "on its way" in settled.why
    clock.move(6)
    settled = await client.settle(error)
    assert (settled.status, settled.result, settled.error) == ("not_done", None, None)
    assert settled.why
    assert settled.looked_at


@pytest.mark.parametrize("write", UNTRACED.values(), ids=list(UNTRACED))
async def test_what_leaves_no_trace_stays_unknown(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, write: Write
) -> None:
    """What can be told from nothing is never told."""
    fake.faults.reset(times=1)
    error = await lost(client, write)
    clock.move(10 * LONG)
    settled = await client.settle(error)
    assert settled.status == "unknown"
    assert settled.why


async def test_every_finder_is_there() -> None:
    """Each route names a finder that exists, each finder is some route's, and no read has one."""
    found = [value for value in vars(routes).values() if isinstance(value, Route)]
    assert {route.finder for route in found if route.finder} == set(FINDERS)
    assert all(route.finder is None for route in found if route.method == "GET")


@pytest.mark.parametrize("landed", [True, False])
async def test_the_same_label_with_another_amount_tells_nothing(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, landed: bool
) -> None:
    """It is neither done nor not done, however long ago it was; unless it is there too."""
    fake.faults.add("lost", _lost(landed), method="POST")
    error = await lost(client, lambda c: c.vouchers.update_balance("CARD", 5, source_id="mine"))
    await client.vouchers.update_balance("CARD", 7, source_id="mine")
    clock.move(10 * LONG)
    assert (await client.settle(error)).status == ("done" if landed else "unknown")


def _lost(landed: bool) -> Callable[[Any, Callable[[], Any]], Awaitable[Any]]:
    async def fault(call: Any, execute: Callable[[], Any]) -> Any:
        from voucherify_async.testing._messages import Abort

        if landed:
            execute()
        raise Abort("reset")

    return fault


async def test_a_label_that_was_used_before_tells_nothing(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """An older update with the same label and amount is not the one that was lost."""
    await client.vouchers.update_balance("CARD", 5, source_id="mine")
    clock.move(60)
    fake.faults.reset(method="POST")
    error = await lost(client, lambda c: c.vouchers.update_balance("CARD", 5, source_id="mine"))
    clock.move(10 * LONG)
    assert (await client.settle(error)).status == "unknown"


@pytest.mark.parametrize("name", ["update", "delete", "create", "export"])
async def test_what_others_did_since_leaves_it_open(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, name: str
) -> None:
    """A voucher that was changed, made anew or is another's, and two exports, tell nothing."""
    write = await prepared(client, clock, name)
    fake.faults.reset(times=1)
    error = await lost(client, write)
    clock.move(10)
    if name == "update":
        await client.vouchers.update(CODE, {"category": "somebody else's"})
    elif name == "delete":
        await client.vouchers.delete(CODE, force=True)
        await client.vouchers.create(CODE, DISCOUNT)
    elif name == "create":
        await client.vouchers.create("NEW", {**GIFT, "gift": {"amount": 1}})
    else:
        await client.exports.create(EXPORT)
        await client.exports.create(EXPORT)
    clock.move(10 * LONG)
    settled = await client.settle(error)
    assert (settled.status, settled.error) == ("unknown", None)


@pytest.mark.parametrize("status", [401, 404, 429, 500])
@pytest.mark.parametrize("name", ["balance", "create", "delete", "import"])
async def test_looking_that_fails_settles_nothing(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, name: str, status: int
) -> None:
    """A refused look, a proxy's 404 too, leaves it unknown, and is told beside it."""
    write = await prepared(client, clock, name)
    fake.faults.reset(times=1)
    error = await lost(client, write)
    clock.move(10 * LONG)
    fake.faults.status(status, body="<html>", times=None)
    settled = await client.settle(error, retry=None)
    assert settled.status == "unknown"
    assert isinstance(settled.error, v.APIError)
    assert settled.error.status_code == status


DATES = [
    "Fri, 31 Dec 999999999 23:59:59 GMT",
    "Mon, 01 Jan 0001 00:00:00 +2359",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Wed, 31 Dec 1969 23:59:59 GMT",
    "Mon, 99 Foo 2026",
    "",
    "0",
]


@pytest.mark.parametrize("date", DATES)
async def test_a_strange_date_changes_nothing(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, date: str
) -> None:
    """While it is looked for, no `Date` takes the place of the error, nor proves an absence."""
    fake.faults.reset(method="POST", times=2)
    listing = {"data_ref": "data", "data": [], "has_more": False}
    fake.faults.status(200, body=listing, headers={"Date": date}, method="GET", times=None)
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await client.vouchers.update_balance("CARD", 5, confirm=True)
    assert (await client.settle(caught.value)).status == "unknown"
    clock.move(LONG)
    assert (await client.settle(caught.value)).status == "not_done"


@pytest.mark.parametrize("skew", [-3600, 3600])
async def test_a_date_that_jumps_proves_no_absence(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, skew: int
) -> None:
    """Neither Voucherify's clock alone nor this machine's makes the time pass."""
    await client.vouchers.get("CARD")
    fake.faults.reset(method="POST")
    error = await lost(client, WRITES["balance"][0])
    fake.clock_skew = skew
    assert (await client.settle(error)).status == "unknown"


async def test_an_order_that_was_so_before_tells_nothing(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """By its date it was not written since; but a date may be wrong where all the rest fits."""
    order = {"source_id": "o-9", "amount": 500}
    await client.orders.create(order)
    clock.move(3600)
    fake.faults.reset(method="POST")
    error = await lost(client, lambda c: c.orders.create(order))
    clock.move(LONG)
    assert (await client.settle(error)).status == "unknown"


@pytest.mark.parametrize("ahead", [600, -600])
async def test_another_machines_clock_proves_no_absence(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, ahead: int
) -> None:
    """Where a machine settles whose clock is wrong, the time has to pass by Voucherify's too."""

    class Wrong(MovingClock):
        def time(self) -> float:
            return clock.time() + ahead

    fake.faults.reset(method="POST")
    error = unpickled(await lost(client, WRITES["balance"][0]))
    async with fake.client(clock=Wrong(), retry=None) as other:
        assert (await other.settle(error)).status == "unknown"
        clock.move(LONG)
        assert (await other.settle(error)).status == ("not_done" if ahead > 0 else "unknown")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("balance", {"data": [{"id": "vtx_1", "created_at": "2026-03-17T16:50:00Z"}]}),
        ("create", {"object": "voucher", "code": "NEW", **GIFT}),
    ],
)
async def test_what_does_not_tell_enough_settles_nothing(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, name: str, body: Any
) -> None:
    """A page that does not say whether it is the last, and a voucher without a date."""
    write = await prepared(client, clock, name)
    fake.faults.reset(method="POST")
    error = await lost(client, write)
    clock.move(LONG)
    fake.faults.status(200, body=body, method="GET", times=None)
    assert (await client.settle(error)).status == "unknown"


@pytest.mark.parametrize("skew", [-3600, 3600])
async def test_the_first_call_of_a_skewed_machine(
    fake: FakeVoucherify, clock: MovingClock, skew: int
) -> None:
    """Where no answer told the time before, the looks learn it, and the error is put right."""
    fake.clock_skew = skew
    async with fake, fake.client(clock=clock, retry=policy()) as client:
        fake.faults.reset(method="POST")
        with pytest.raises(AmbiguousOutcomeError) as caught:
            await client.vouchers.update_balance("CARD", 5, confirm=True)
    assert caught.value.sent_at is not None
    shift = caught.value.sent_at - datetime.fromtimestamp(clock.time() - clock.seconds, UTC)
    assert shift.total_seconds() == pytest.approx(skew, abs=2)


async def test_nothing_takes_the_place_of_the_error(
    client: AsyncVoucherify, fake: FakeVoucherify, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong with looking is noted on the error, and on no other."""

    async def broken(*_: Any) -> Settled[Any]:
        raise OverflowError("SECRET-CODE-1")

    monkeypatch.setattr(settlement, "settle", broken)
    fake.faults.lose_answer(times=2)
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await client.vouchers.update_balance("CARD", 5, confirm=True)
    assert caught.value.__notes__ == ["Looking for it failed: OverflowError"]
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await client.vouchers.create("NEW", GIFT)
    assert caught.value.__notes__ == ["Looking for it failed: OverflowError"]


async def test_what_the_error_carries(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """Route, path values, label, both times and a digest; the same after every way."""
    clock.move(0.5)
    fake.faults.timeout("read")
    error = await lost(client, lambda c: c.vouchers.update_balance("CARD", 5, source_id="mine"))
    for each in (error, unpickled(error), over_a_queue(error)):
        assert (each.method, each.path) == ("POST", "/v1/vouchers/{code}/balance")
        assert (each.path_values, each.code, each.source_id) == ({"code": "CARD"}, "CARD", "mine")
        assert each.sent_at == each.given_up_at == clock.now()
        assert each.digest == error.digest
        assert len(each.digest) == 64
        assert each.how_to_check == error.how_to_check
        assert str(each) == str(error)
        assert "CARD" not in str(each)


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize(
    "change", [{"sent": None}, {"sent": "}"}, {"path_values": {}}, {"sent_at": None}]
)
async def test_an_error_that_lost_something(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, name: str, change: Any
) -> None:
    """Where it does not hold what is looked for, nothing is raised, and nothing told as undone."""
    write = await prepared(client, clock, name)
    fake.faults.lose_answer(times=1)
    error = await lost(client, write)
    clock.move(LONG)
    settled = await client.settle(AmbiguousOutcomeError.from_dict({**error.to_dict(), **change}))
    assert settled.status != "not_done"


async def test_a_history_out_of_order_proves_no_absence(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """Where it is not newest first, what is looked for may stand on any page."""
    fake.faults.reset(method="POST")
    error = await lost(client, WRITES["balance"][0])
    clock.move(LONG)
    rows = [{"id": f"vtx_{y}", "created_at": f"{y}-01-01T00:00:00Z"} for y in (2020, 2021)]
    listing = {"data_ref": "data", "data": rows, "has_more": True}
    fake.faults.status(200, body=listing, method="GET")
    assert (await client.settle(error)).status == "unknown"
    assert (await client.settle(error)).status == "not_done"


async def test_several_attempts_are_under_way_from_the_first_to_the_last(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """What is repeated may have been done by the first attempt, and may arrive with the last."""
    fake.faults.status(502, times=None)
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await client.vouchers.update(CODE, {"category": "x"})
    assert caught.value.sent_at == START
    assert caught.value.given_up_at == START + timedelta(seconds=0.5 + 1 + 2)


@pytest.mark.parametrize("data", [{}, {"message": "m"}, None, []])
def test_data_of_something_else(data: Any) -> None:
    """What `to_dict` did not make is refused."""
    with pytest.raises(ValueError, match="AmbiguousOutcomeError"):
        AmbiguousOutcomeError.from_dict(data)


@pytest.mark.parametrize("error", [ValueError("x"), v.ReadTimeout("x"), None])
async def test_other_errors_are_refused(client: AsyncVoucherify, error: Any) -> None:
    """Only a write of unknown outcome can be settled; a misspelt option is refused too."""
    with pytest.raises(v.InvalidArgumentError, match="AmbiguousOutcomeError"):
        await client.settle(error)
    with pytest.raises(TypeError, match="timeot"):
        await client.settle(AmbiguousOutcomeError("x"), timeot=1)  # type: ignore[call-arg]


async def test_a_cancelled_update_keeps_its_label(
    fake: FakeVoucherify, clock: MovingClock, anyio_backend: str
) -> None:
    """The label that was made up for it stands in a note on the cancellation."""
    notes: list[str] = []
    async with fake, fake.client(clock=clock) as client:
        stall = fake.faults.stall(path="balance")

        async def update() -> None:
            try:
                await client.vouchers.update_balance("CARD", 5)
            except BaseException as stop:
                notes.extend(stop.__notes__)
                raise

        async with anyio.create_task_group() as group:
            group.start_soon(update)
            while not stall.waiting:
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
    assert len(notes) == 1
    assert credits_sent(fake)[0] in notes[0]


async def test_a_cancelled_search_is_cancelled(fake: FakeVoucherify, clock: MovingClock) -> None:
    """Of all that may come between, cancellation alone takes the place of the error."""
    stopping = Stopping(clock)
    async with fake, fake.client(clock=stopping) as client:
        fake.faults.lose_answer()
        with anyio.move_on_after(0.05) as scope:
            await client.vouchers.update_balance("CARD", 5, confirm=True)
    assert scope.cancelled_caught
    assert balance(fake) == 1005


@pytest.mark.parametrize(
    ("date", "offset"),
    [
        (None, None),
        ("Tue, 17 Mar 2026 15:51:00 GMT", 60),
        ("Tue, 17 Mar 2026 14:50:00 GMT", -3600),
        ("Tue, 17 Mar 2099 15:50:00 GMT", None),
        *((date, None) for date in DATES),
    ],
)
def test_the_servers_clock(clock: MovingClock, date: str | None, offset: float | None) -> None:
    """It is as far ahead as the last `Date` shows, unless that is no time at all."""
    server = ServerClock()
    server.note({} if date is None else {"date": date}, clock.time())
    assert server.offset == offset
    assert server.at(clock.time()) == clock.now() + timedelta(seconds=offset or 0)
