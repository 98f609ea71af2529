"""Any schedule of validations, redemptions and rollbacks: the books of the server add up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import anyio
import httpx
from hypothesis import given
from hypothesis import strategies as st

from voucherify_async.testing import FakeVoucherify

from ..conftest import KEYS, Now

CODES = ("GIFT", "CARD", "TWICE", "promo_1")
STEP = st.one_of(
    st.tuples(
        st.sampled_from(["validate", "redeem"]),
        st.lists(st.sampled_from(CODES), min_size=1, max_size=3, unique=True),
        st.sampled_from([None, "a", "b"]),  # the session
        st.sampled_from(["o-1", "o-2", None]),
        st.integers(0, 400),
    ),
    st.tuples(st.just("rollback"), st.integers(0, 30)),
    st.tuples(st.just("wait"), st.integers(1, 120)),
    st.tuples(st.just("release"), st.sampled_from(["a", "b"])),
)
FAULTS = st.lists(st.sampled_from(["ok", "reset", "lose_answer", "land_late"]), max_size=8)


def body_of(codes: list[str], session: str | None, order: str | None, wish: int) -> dict[str, Any]:
    """The body of a validation or a redemption."""
    items: list[dict[str, Any]] = []
    for code in codes:
        kind = "promotion_tier" if code == "promo_1" else "voucher"
        item: dict[str, Any] = {"object": kind, "id": code}
        if code == "GIFT" and wish:
            item["gift"] = {"credits": wish}
        if code == "CARD":
            item["reward"] = {"id": "rew_1", "points": wish}
        items.append(item)
    body: dict[str, Any] = {"redeemables": items, "order": {"amount": 500, "source_id": order}}
    if session is not None:
        body["session"] = {"type": "LOCK", "key": session, "ttl": 1, "ttl_unit": "MINUTES"}
    return body


async def play(fake: FakeVoucherify, now: Now, steps: list[Any]) -> None:
    """Make the calls; a lost answer is as good as any."""
    async with fake:
        api = fake.http_client(headers=KEYS)
        for step in steps:
            try:
                await take(api, fake, now, step)
            except httpx.TransportError:
                continue
            check(fake)
        fake.faults.land()
        check(fake)


async def take(api: httpx.AsyncClient, fake: FakeVoucherify, now: Now, step: Any) -> None:
    """Make one call."""
    if step[0] == "wait":
        now.instant += timedelta(seconds=step[1])
    elif step[0] == "release":
        await api.delete(f"/v1/vouchers/TWICE/sessions/{step[1]}")
    elif step[0] == "rollback":
        entries = fake.redemptions
        if entries:
            identifier = entries[step[1] % len(entries)]["id"]
            response = await api.post(f"/v1/redemptions/{identifier}/rollbacks", json={})
            assert response.status_code in {200, 400}
    else:
        path = "validations" if step[0] == "validate" else "redemptions"
        response = await api.post(f"/v1/{path}", json=body_of(*step[1:]))
        assert response.status_code in {200, 400}


def check(fake: FakeVoucherify) -> None:
    """Hold uses, balances, histories and orders against the redemptions on record."""
    entries = fake.redemptions
    standing = [
        entry
        for entry in entries
        if entry["object"] == "redemption" and entry["status"] == "SUCCEEDED"
    ]
    for code, voucher in fake.vouchers.items():
        uses = [entry for entry in standing if entry["related_object_id"] == voucher["id"]]
        redemption = voucher["redemption"]
        assert redemption["redeemed_quantity"] == len(uses)
        assert redemption["quantity"] is None or len(uses) <= redemption["quantity"]
        value = voucher["gift"] or voucher["loyalty_card"]
        if value:
            spent = sum(entry["amount"] for entry in uses)
            total = value.get("amount", value.get("points"))
            assert value["balance"] == total - spent >= 0
            moved = [
                entry["details"]["balance"].get("amount", entry["details"]["balance"].get("points"))
                for entry in fake.transactions(code)
            ]
            assert sum(moved) == -spent
    rolled_back = [entry for entry in entries if entry["id"].startswith("rr_")]
    assert len({entry["redemption"] for entry in rolled_back}) == len(rolled_back)
    for order in fake.orders:
        assert order["total_amount"] == order["amount"] - order.get("total_discount_amount", 0) >= 0
        told = {
            child
            for identifier, entry in order.get("redemptions", {}).items()
            for child in entry.get("stacked", [identifier])
            if "rollback_id" not in entry
        }
        assert told == {
            entry["id"]
            for entry in standing
            if (entry["order"] or {}).get("id") == order["id"]
            and entry["related_object_type"] != "redemption"
        }


@given(steps=st.lists(STEP, max_size=25), faults=FAULTS)
def test_the_books_add_up(steps: list[Any], faults: list[str]) -> None:
    """Uses stay within the quantity, balances above zero, and histories and orders agree."""
    now = Now()
    fake = FakeVoucherify(now=now)
    fake.add_voucher(code="GIFT", gift={"amount": 600})
    fake.add_voucher(code="CARD", loyalty_card={"points": 300}, campaign="Loyal")
    discount = {"type": "PERCENT", "percent_off": 10}
    fake.add_voucher(code="TWICE", discount=discount, redemption={"quantity": 2})
    fake.add_promotion_tier({"type": "AMOUNT", "amount_off": 50}, id="promo_1")
    for name in faults:
        getattr(fake.faults, name)(path="redemptions")
    anyio.run(play, fake, now, steps)
