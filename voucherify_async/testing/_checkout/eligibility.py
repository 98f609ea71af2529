"""Whether a redeemable may be used now: dates, days, switches, uses and balances."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from .._refusals import ApiFailure
from .sessions import NOTHING_HELD, Held

JsonObject: TypeAlias = dict[str, Any]

_CARD_KEYS = {
    "GIFT_VOUCHER": ("gift_amount_exceeded", "gift amount exceeded"),
    "LOYALTY_CARD": ("loyalty_card_points_exceeded", "loyalty card points exceeded"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A redeemable as a checkout sees it.

    Attributes:
        object: ``voucher`` or ``promotion_tier``.
        id: how the request names it.
        resource: its own id.
        discount: what it takes off; None for a card.
        card: ``GIFT_VOUCHER`` or ``LOYALTY_CARD``; None for a discount.
        wanted: the credits or points that the request asks for.
        held: what the sessions of others hold of it.
        about: properties that an answer tells of it beside the outcome.
    """

    object: str
    id: str
    resource: str
    discount: JsonObject | None = None
    card: str | None = None
    card_effect: str = "APPLY_TO_ORDER"
    balance: int = 0
    wanted: int | None = None
    has_reward: bool = True
    active: bool = True
    starts: datetime | None = None
    ends: datetime | None = None
    weekdays: tuple[int, ...] | None = None
    quantity: int | None = None
    used: int = 0
    per_customer: int | None = None
    used_by_customer: int = 0
    held: Held = NOTHING_HELD
    targets: tuple[str, ...] = ()
    about: JsonObject = field(default_factory=dict)

    @property
    def available(self) -> int:
        """What of a card's balance is free."""
        return max(self.balance - self.held.amount, 0)


def refusal(
    offer: Offer,
    now: datetime,
    *,
    has_customer: bool,
    amount: int | None,
    lines: int,
    needs_lines: bool,
) -> ApiFailure | None:
    """Return why an offer cannot be used for an order, None if it can.

    ``amount`` is what the order costs, None if the request has no order; ``lines`` how many items
    it has.
    """
    reason = _time(offer, now) or _uses(offer, has_customer=has_customer)
    if reason is not None:
        return reason
    if offer.card is not None:
        return _card(offer, amount)
    if needs_lines and not lines:
        return _refuse(offer, "missing_order_items", "order items are missing")
    return None


def _time(offer: Offer, now: datetime) -> ApiFailure | None:
    is_voucher = offer.object == "voucher"
    if not offer.active:
        if is_voucher:
            return _refuse(offer, "voucher_disabled", "voucher is disabled")
        return _refuse(offer, "promotion_inactive", "promotion is not active")
    noun = "voucher" if is_voucher else "promotion"
    if offer.starts is not None and now < offer.starts:
        return _refuse(offer, f"{noun}_not_active", f"{noun} is not active yet")
    if offer.ends is not None and now > offer.ends:
        return _refuse(offer, f"{noun}_expired", f"{noun} expired")
    if offer.weekdays is not None and now.isoweekday() % 7 not in offer.weekdays:
        return _refuse(offer, f"{noun}_not_active_now", f"{noun} is not active now")
    return None


def _uses(offer: Offer, *, has_customer: bool) -> ApiFailure | None:
    if offer.quantity is not None and offer.used + offer.held.uses >= offer.quantity:
        return _refuse(offer, "quantity_exceeded", "quantity exceeded")
    if offer.per_customer is not None:
        if not has_customer:
            return _refuse(offer, "missing_customer", "customer is missing")
        if offer.used_by_customer >= offer.per_customer:
            message = "redemption does not match validation rules"
            return _refuse(offer, "redemption_rules_violated", message)
    return None


def _card(offer: Offer, amount: int | None) -> ApiFailure | None:
    if offer.card == "LOYALTY_CARD" and not offer.has_reward:
        return _refuse(offer, "missing_reward", "reward is missing")
    if amount is None:
        return _refuse(offer, "missing_amount", "order amount is missing")
    if offer.available < (1 if offer.wanted is None else offer.wanted):
        return _refuse(offer, *_CARD_KEYS[offer.card or ""])
    return None


def _refuse(offer: Offer, key: str, message: str) -> ApiFailure:
    return ApiFailure(400, key, message, offer.id)
