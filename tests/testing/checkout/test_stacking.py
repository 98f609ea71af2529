from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from voucherify_async.testing._checkout.eligibility import Offer
from voucherify_async.testing._checkout.orders import Cart, cart_of
from voucherify_async.testing._checkout.sessions import Held, Lock, Locks, lifetime
from voucherify_async.testing._checkout.stacking import Missing, Stack, default_rules, stack
from voucherify_async.testing._refusals import not_found

NOW = datetime(2026, 3, 17, 12, tzinfo=UTC)  # a Tuesday
HOUR = timedelta(hours=1)
OFF = Offer(
    object="voucher", id="OFF", resource="v_off", discount={"type": "AMOUNT", "amount_off": 100}
)
TIER = replace(OFF, object="promotion_tier", id="promo_1", resource="promo_1")
GIFT = Offer(object="voucher", id="GIFT", resource="v_gift", card="GIFT_VOUCHER", balance=500)
CARD = replace(GIFT, id="CARD", resource="v_card", card="LOYALTY_CARD")
GONE = Missing("voucher", "GONE", not_found("voucher", "GONE"))
ITEMS_OFF = replace(OFF, discount={"type": "AMOUNT", "amount_off": 100, "effect": "APPLY_TO_ITEMS"})


def run(
    *offers: Offer | Missing,
    order: dict[str, Any] | None = None,
    has_customer: bool = False,
    **rules: Any,
) -> tuple[Stack, Cart | None]:
    """Stack redeemables on an order of 1,000."""
    cart = None if order == {} else cart_of(order or {"amount": 1000})
    result = stack(
        offers, cart, {**default_rules(), **rules}, NOW, has_customer=has_customer, prices={}
    )
    return result, cart


@pytest.mark.parametrize(
    ("offer", "key"),
    [
        (replace(OFF, active=False), "voucher_disabled"),
        (replace(OFF, starts=NOW + HOUR), "voucher_not_active"),
        (replace(OFF, ends=NOW - HOUR), "voucher_expired"),
        (replace(OFF, weekdays=(0, 1, 3)), "voucher_not_active_now"),
        (replace(OFF, quantity=2, used=2), "quantity_exceeded"),
        (replace(OFF, quantity=2, used=1, held=Held(1)), "quantity_exceeded"),
        (replace(OFF, per_customer=1), "missing_customer"),
        (replace(TIER, active=False), "promotion_inactive"),
        (replace(TIER, starts=NOW + HOUR), "promotion_not_active"),
        (replace(GIFT, wanted=501), "gift_amount_exceeded"),
        (replace(GIFT, wanted=400, held=Held(0, 101)), "gift_amount_exceeded"),
        (replace(GIFT, balance=0), "gift_amount_exceeded"),
        (replace(CARD, wanted=501), "loyalty_card_points_exceeded"),
        (replace(CARD, has_reward=False), "missing_reward"),
        (ITEMS_OFF, "missing_order_items"),
        (GONE, "not_found"),
    ],
)
def test_what_does_not_apply(offer: Offer | Missing, key: str) -> None:
    """Dates, days, switches, uses and balances refuse with the API's keys."""
    result, _ = run(offer)
    assert not result.valid
    assert result.outcomes[0].status == "INAPPLICABLE"
    assert result.outcomes[0].result("v-1")["error"]["key"] == key


@pytest.mark.parametrize(
    "offer",
    [
        replace(OFF, starts=NOW, ends=NOW, weekdays=(2,)),
        replace(OFF, quantity=2, used=1),
        replace(OFF, per_customer=2, used_by_customer=1),
        replace(GIFT, wanted=500),
        replace(GIFT, wanted=400, held=Held(1, 100)),
        CARD,
    ],
)
def test_what_just_applies(offer: Offer) -> None:
    """The bounds themselves are within."""
    assert run(offer, has_customer=True)[0].valid


def test_a_customer_has_a_limit() -> None:
    """A customer who used a redeemable up is refused for a violated rule."""
    used_up = replace(OFF, per_customer=2, used_by_customer=2)
    (outcome,) = run(used_up, has_customer=True)[0].failed
    assert outcome.result("v")["error"]["key"] == "redemption_rules_violated"


@pytest.mark.parametrize(("offer", "valid"), [(GIFT, False), (CARD, False), (OFF, True)])
def test_cards_need_an_amount(offer: Offer, valid: bool) -> None:
    """Without an order a discount applies, and a card has nothing to pay."""
    result, _ = run(offer, order={})
    assert result.valid is valid
    assert valid or result.failed[0].result("v")["error"]["key"] == "missing_amount"


@pytest.mark.parametrize(
    ("offers", "spent", "left"),
    [
        ([GIFT], [500], 500),
        ([replace(GIFT, wanted=30)], [30], 970),
        ([OFF, GIFT, CARD], [0, 500, 400], 0),
        ([GIFT, CARD, OFF], [500, 500, 0], 0),
        ([replace(GIFT, card_effect="APPLY_TO_ITEMS")], [500], 500),
    ],
)
def test_one_after_another(offers: list[Offer], spent: list[int], left: int) -> None:
    """Each redeemable meets what those before it left; a card spends no more than that."""
    items = [{"quantity": 1, "price": 400}, {"quantity": 1, "price": 600}]
    result, cart = run(*offers, order={"items": items})
    assert [outcome.spent for outcome in result.applied] == spent
    assert cart is not None
    assert cart.left == left
    applied = [(o.order or {}).get("total_applied_discount_amount", 0) for o in result.applied]
    assert sum(applied) == 1000 - left


@pytest.mark.parametrize(
    ("mode", "statuses", "valid"),
    [
        ("ALL", ["SKIPPED", "INAPPLICABLE", "SKIPPED"], False),
        ("PARTIAL", ["APPLICABLE", "INAPPLICABLE", "APPLICABLE"], True),
    ],
)
def test_modes(mode: str, statuses: list[str], valid: bool) -> None:
    """All or nothing, or what applies."""
    result, _ = run(OFF, GONE, GIFT, redeemables_application_mode=mode)
    assert [outcome.status for outcome in result.outcomes] == statuses
    assert result.valid is valid
    reasons = [outcome.result("v")["details"]["key"] for outcome in result.skipped]
    assert reasons == ["preceding_validation_failed"] * statuses.count("SKIPPED")


def test_nothing_that_applies_is_not_valid() -> None:
    """In the mode PARTIAL at least one has to apply."""
    assert not run(GONE, redeemables_application_mode="PARTIAL")[0].valid


def test_limits_and_effects_of_nothing() -> None:
    """Those over the limit are skipped, and those without effect where the rules say so."""
    result, _ = run(OFF, GIFT, CARD, applicable_redeemables_limit=1)
    assert [outcome.status for outcome in result.outcomes] == ["APPLICABLE", "SKIPPED", "SKIPPED"]
    assert result.skipped[0].skipped == "applicable_redeemables_limit_exceeded"
    free = {"amount": 0}
    assert run(OFF, order=free)[0].valid
    skipped, _ = run(OFF, order=free, redeemables_no_effect_rule="SKIP")
    assert (skipped.valid, skipped.outcomes[0].skipped) == (False, "no_effect")


def test_locks_end() -> None:
    """A lock counts until its moment, under its key once, and for others alone."""
    locks = Locks()
    locks.hold(Lock("a", "v_1", 100, NOW + HOUR))
    locks.hold(Lock("a", "v_1", 30, NOW + HOUR))
    locks.hold(Lock("b", "v_1", 5, NOW + 2 * HOUR))
    locks.hold(Lock("a", "v_2", 7, NOW + HOUR))
    assert locks.held("v_1", NOW) == Held(2, 35)
    assert locks.held("v_1", NOW, besides="a") == Held(1, 5)
    assert locks.is_open("a", "v_1", NOW)
    assert not locks.is_open("a", "v_1", NOW + HOUR)
    assert locks.held("v_1", NOW + HOUR) == Held(1, 5)
    locks.release("b")
    assert locks.held("v_1", NOW + HOUR) == Held()


@pytest.mark.parametrize(
    ("ttl", "unit", "expected"),
    [
        (7, "DAYS", timedelta(days=7)),
        (1.5, "HOURS", timedelta(minutes=90)),
        (2, "MINUTES", timedelta(minutes=2)),
        (3, "SECONDS", timedelta(seconds=3)),
        (4, "MILLISECONDS", timedelta(milliseconds=4)),
        (5, "MICROSECONDS", timedelta(microseconds=5)),
        (6000, "NANOSECONDS", timedelta(microseconds=6)),
    ],
)
def test_lifetimes(ttl: float, unit: str, expected: timedelta) -> None:
    """Every documented unit of time."""
    assert lifetime(ttl, unit) == expected
