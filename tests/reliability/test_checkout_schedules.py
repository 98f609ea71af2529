"""Random checkouts of many callers behind a gateway that delays, drops and lies.

By default a few schedules; `HYPOTHESIS_PROFILE=thorough` runs hundreds.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import anyio
import pytest
from attrs import field, mutable
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from voucherify_async import AmbiguousOutcomeError, AsyncVoucherify, Settled, VoucherifyError
from voucherify_async.testing import FakeVoucherify

from ..backends import STACKS
from ..testing.checkout.test_books import check
from .conftest import MovingClock, policy
from .proxy import Fate, Kind, Parcel, Proxy, proxied

IS_THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
SCHEDULES = 300 if IS_THOROUGH else 4
CALLERS = 20
LONG = 186
HANG_SECONDS = 120
CODES = ("GIFT", "TWICE", "MANY", "promo_1")
KINDS: tuple[Kind, ...] = (
    "pass",
    "late",
    "drop",
    "lose",
    "head",
    "body",
    "503",
    "refused",
    "other",
    "html",
    "429",
    "400",
)
FATES = st.lists(st.tuples(st.sampled_from(KINDS), st.floats(0, 60)), min_size=1, max_size=4)
CALLER = st.tuples(
    st.lists(st.sampled_from(CODES), min_size=1, max_size=3, unique=True),
    st.sampled_from(["order", "made-up order", "session", "nothing"]),
    st.booleans(),  # confirm
    st.booleans(),  # lock first
    st.booleans(),  # roll back
    FATES,
)


@mutable
class Write:
    """A write, and what was told of it, at once and later."""

    error: VoucherifyError | None = None
    result: Any = None
    statuses: list[str] = field(factory=list)

    async def run(self, send: Callable[[], Any], client: AsyncVoucherify) -> None:
        """Send it, and settle it at once where its outcome is unknown."""
        try:
            self.result = await send()
        except VoucherifyError as error:
            self.error = error
            await self.settle(client)

    async def settle(self, client: AsyncVoucherify) -> None:
        """Ask what became of it, with the error as it comes out of a queue."""
        if not isinstance(self.error, AmbiguousOutcomeError):
            return
        error = AmbiguousOutcomeError.from_dict(json.loads(json.dumps(self.error.to_dict())))
        settled: Settled[Any] = await client.settle(error)
        self.statuses.append(settled.status)
        if settled.status == "done":
            self.result = settled.result

    def check(self, times: int, *, can_be_told: bool) -> None:
        """Hold what was told against how often it was done."""
        assert times <= 1, "done twice"
        if not isinstance(self.error, AmbiguousOutcomeError):
            told = self.error is None and not getattr(self.result, "failed", ())
            assert times == told, "told wrong"
            return
        truth = "done" if times else "not_done"
        assert set(self.statuses) <= {"unknown", truth}, "settled wrong"
        assert self.statuses[-1] == truth or not can_be_told


@mutable
class Caller:
    """One checkout of a schedule."""

    number: int
    codes: list[str]
    by: str
    confirm: bool
    locks: bool
    rolls_back: bool
    fates: Iterator[Fate]
    redeemed: Write = field(factory=Write)
    rolled_back: Write | None = None

    @property
    def metadata(self) -> dict[str, Any]:
        """By what the books and the gateway know the caller; the client does not look at it."""
        return {"caller": self.number}

    @property
    def can_be_told(self) -> bool:
        """Whether there is anything to find the redemption by."""
        return {
            "order": True,
            "made-up order": self.confirm,
            "session": "promo_1" not in self.codes,
            "nothing": False,
        }[self.by]

    def body(self) -> dict[str, Any]:
        """What is sent."""
        items: list[Any] = [
            {"object": "promotion_tier", "id": code} if code == "promo_1" else code
            for code in self.codes
        ]
        order: dict[str, Any] = {"amount": 500 + self.number}
        body: dict[str, Any] = {"redeemables": items, "metadata": self.metadata}
        if self.by == "order":
            order["source_id"] = f"o-{self.number}"
        if self.by == "session":
            body["session"] = {"type": "LOCK", "key": f"s-{self.number}", "ttl": 1}
            return body
        return {**body, "order": order} if self.by != "nothing" else body

    async def run(self, client: AsyncVoucherify) -> None:
        """Lock, redeem and roll back, as far as it goes."""
        body = self.body()
        if self.locks:
            locked: dict[str, Any] = {"type": "LOCK", "key": f"s-{self.number}", "ttl": 1}
            asked: dict[str, Any] = {**body, "session": locked}
            with suppress(VoucherifyError):
                await client.validations.validate(**asked)
        redeem = client.redemptions.redeem
        await self.redeemed.run(lambda: redeem(**body, confirm=self.confirm), client)
        made = self.redeemed.result
        if not self.rolls_back or made is None or made.failed:
            return
        whole = made.parent_redemption or made.redemptions[0]
        self.rolled_back = Write()
        take_back = client.redemptions.rollback_stack
        await self.rolled_back.run(
            lambda: take_back(whole.id, metadata=self.metadata, confirm=self.confirm), client
        )

    def check(self, entries: list[dict[str, Any]]) -> None:
        """Hold what was told against the redemptions and rollbacks on record."""
        mine = [
            entry
            for entry in entries
            if (entry["metadata"] or {}).get("caller") == self.number
            and entry["result"] == "SUCCESS"
        ]
        uses = [entry for entry in mine if entry["object"] == "redemption"]
        wholes = [entry for entry in uses if entry["redemption"] is None]
        self.redeemed.check(len(wholes), can_be_told=self.can_be_told)
        if self.redeemed.result is not None and wholes:
            told = {one.id for one in self.redeemed.result.redemptions}
            parts = [entry for entry in uses if entry["redemption"] is not None]
            assert told == {entry["id"] for entry in parts or wholes}
            assert self.redeemed.result.is_complete == (len(told) == len(self.codes))
        if self.rolled_back is not None:
            ids = {entry["id"] for entry in wholes}
            backs = [one for one in mine if one["object"] == "redemption_rollback"]
            times = sum(one["redemption"] in ids for one in backs)
            self.rolled_back.check(times, can_be_told=True)


def gateway(callers: list[Caller], seed: int) -> Callable[[Parcel], Fate]:
    """Each caller's writes meet its own fates in turn, and then pass; reads fail too."""
    chance = random.Random(seed)

    def fate(parcel: Parcel) -> Fate:
        if parcel.method == "GET":
            return Fate(chance.choice(("pass",) * 12 + ("drop", "503", "lose", "other", "429")))
        return next(callers[json.loads(parcel.body)["metadata"]["caller"]].fates, Fate())

    return fate


def server(clock: MovingClock, *, partial: bool, status: int) -> FakeVoucherify:
    """A server with too little of everything for all callers."""
    fake = FakeVoucherify(now=clock.now)
    fake.failed_redemption_status = status
    fake.stacking_rules["redeemables_application_mode"] = "PARTIAL" if partial else "ALL"
    fake.add_voucher(code="GIFT", gift={"amount": 2_000})
    few = {"type": "AMOUNT", "amount_off": 100}
    fake.add_voucher(code="TWICE", discount=few, redemption={"quantity": 2})
    fake.add_voucher(code="MANY", discount=few, redemption={"quantity": 15})
    fake.add_promotion_tier({"type": "AMOUNT", "amount_off": 50}, id="promo_1", quantity=5)
    return fake


async def run(stack: str, callers: list[Caller], seed: int) -> None:
    """Carry out a schedule, and hold the books against what was told."""
    clock = MovingClock()
    fake = server(clock, partial=seed % 2 == 0, status=200 if seed % 3 == 0 else 400)
    with anyio.fail_after(HANG_SECONDS):
        async with fake, proxied(fake, clock) as proxy:
            proxy.fate = gateway(callers, seed)
            client = AsyncVoucherify(
                fake.app_id,
                fake.app_token,
                base_url=proxy.url,
                clock=clock,
                retry=policy(),
                max_concurrency=CALLERS,
                http_backend=stack,  # type: ignore[arg-type]
            )
            async with client:
                async with anyio.create_task_group() as group:
                    for caller in callers:
                        group.start_soon(caller.run, client)
                check(fake)
                await settle_all(client, proxy, clock, callers)
    check(fake)
    for caller in callers:
        caller.check(fake.redemptions)


async def settle_all(
    client: AsyncVoucherify, proxy: Proxy, clock: MovingClock, callers: list[Caller]
) -> None:
    """When all has been delivered and enough time has passed, what can be told is told."""
    proxy.fate = lambda _: Fate()
    while proxy.under_way:
        await clock.sleep(1)
    clock.move(LONG)
    for caller in callers:
        await caller.redeemed.settle(client)
        if caller.rolled_back is not None:
            await caller.rolled_back.settle(client)


@pytest.mark.sampled(ways=1)
@pytest.mark.parametrize(("loop", "stack"), STACKS)
@settings(
    max_examples=SCHEDULES,
    deadline=None,
    print_blob=True,
    # Schedules are too long to be made shorter in a useful time.
    phases=[Phase.reuse, Phase.generate],
)
@given(
    schedule=st.lists(CALLER, min_size=CALLERS, max_size=CALLERS),
    seed=st.integers(0, 2**32),
)
def test_the_books_are_what_the_callers_were_told(
    loop: str, stack: str, schedule: list[Any], seed: int
) -> None:
    """No use too many, no balance below zero, nothing booked twice or told wrong, no hang."""
    callers = [
        Caller(number, codes, by, confirm, locks, back, iter([Fate(*fate) for fate in fates]))
        for number, (codes, by, confirm, locks, back, fates) in enumerate(schedule)
    ]
    anyio.run(run, stack, callers, seed, backend=loop)
