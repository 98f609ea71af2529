"""What a validation, a redemption or a qualification asks for."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .._checkout.eligibility import Offer
from .._checkout.orders import Cart, cart_of
from .._checkout.sessions import DEFAULT_TTL, TTL_UNITS
from .._checkout.stacking import LIMIT, Missing
from .._messages import JsonObject
from .._refusals import ApiFailure, invalid_payload, not_found
from .._state.customers import StoredCustomer
from .._state.orders import StoredOrder
from .._state.promotions import StoredTier
from .._state.server_time import parse_instant
from .._state.state import State
from .._state.stored_voucher import StoredVoucher
from ._events import upsert_customer
from ._order_fields import check_customer, check_order
from ._voucher_fields import mapping, text, whole

_KINDS = ("voucher", "promotion_tier", "promotion_stack")
_LONGEST_TTL = 10 * 365 * 86_400.0


@dataclass(frozen=True, slots=True)
class Session:
    """A session that a request opens or continues."""

    key: str
    ttl: float
    ttl_unit: str

    def render(self) -> JsonObject:
        """Return the session as an answer tells it."""
        return {"key": self.key, "type": "LOCK", "ttl": self.ttl, "ttl_unit": self.ttl_unit}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutRequest:
    """A checked request; ``cart`` is None without an amount, ``stored`` the order it names."""

    redeemables: tuple[Offer | Missing, ...]
    stack_id: str | None
    requested: int
    order: JsonObject | None
    stored: StoredOrder | None
    cart: Cart | None
    customer: StoredCustomer | None
    customer_given: bool
    session: Session | None
    tracking_id: str | None
    metadata: JsonObject

    def fresh_cart(self) -> Cart | None:
        """Return the cart as it was before any redeemable of this request."""
        if self.stored is not None:
            return self.stored.cart()
        return None if self.cart is None else cart_of(self.order or {})


def read_checkout(state: State, body: JsonObject, *, upsert: bool) -> CheckoutRequest:
    """Return what a body asks for, or raise the API's 400 or 404.

    ``upsert``: make or change the customer that it describes.
    """
    items = _redeemables(state, body.get("redeemables"))
    order = check_order(body.get("order"), "order")
    session = _session(state, body.get("session"))
    metadata = mapping("metadata", body.get("metadata")) or {}
    given = customer_body(body)
    customer = find_customer(state, given, upsert=upsert)
    stored = None if order is None else state.orders.named_by(order)
    stack_id = items[0]["id"] if items[0]["object"] == "promotion_stack" else None
    offers = offers_of(state, items, customer, session.key if session else None)
    return CheckoutRequest(
        redeemables=tuple(offers),
        stack_id=stack_id,
        requested=len(offers),
        order=order,
        stored=stored,
        cart=stored.cart() if stored else cart_from(order),
        customer=customer,
        customer_given=given is not None,
        session=session,
        tracking_id=tracking_id(body, given),
        metadata=metadata,
    )


def cart_from(order: JsonObject | None) -> Cart | None:
    """Return the cart of an order as sent; None if it says nothing of its amount."""
    if order is None or (order.get("amount") is None and not order.get("items")):
        return None
    return cart_of(order)


def customer_body(body: JsonObject) -> JsonObject | None:
    """Return the customer that a request describes, None if it names none."""
    order = body.get("order")
    nested = order.get("customer") if isinstance(order, dict) else None
    given = check_customer(body.get("customer") or nested, "customer")
    return given if given and (given.get("id") or given.get("source_id")) else None


def find_customer(state: State, given: JsonObject | None, *, upsert: bool) -> StoredCustomer | None:
    """Return the customer that a request names; one named by an unknown id is a 404."""
    if given is None:
        return None
    identifier = given.get("id")
    if identifier is not None and state.customers.find(identifier) is None:
        raise not_found("customer", identifier)
    if upsert:
        return upsert_customer(state, given)
    return state.customers.find(identifier or given["source_id"])


def tracking_id(body: JsonObject, given: JsonObject | None) -> str | None:
    """Return the hash that the API makes of a customer's source id."""
    source = body.get("tracking_id") or (given or {}).get("source_id")
    if not source or str(source).startswith("track_"):
        return text("tracking_id", source)
    digest = hashlib.sha256(str(source).encode()).digest()[:18]
    return f"track_{base64.b64encode(digest).decode()}"


def _redeemables(state: State, given: Any) -> list[JsonObject]:
    limit = min(LIMIT, state.stacking_rules["redeemables_limit"])
    if not isinstance(given, list) or not 0 < len(given) <= limit:
        raise invalid_payload(f".redeemables: a list of 1 to {limit} is expected")
    for index, item in enumerate(given):
        place = f"redeemables[{index}]"
        if not isinstance(item, dict) or item.get("object") not in _KINDS:
            kinds = ", ".join(_KINDS)
            raise invalid_payload(f".{place}.object: one of {kinds} is expected")
        if not isinstance(item.get("id"), str) or not item["id"]:
            raise invalid_payload(f".{place}.id: a string is expected")
    if len({(item["object"], item["id"]) for item in given}) < len(given):
        details = "Each redeemable can stand in a request once"
        raise ApiFailure(400, "duplicated_redeemables", "Duplicated redeemables detected", details)
    if len(given) > 1 and any(item["object"] == "promotion_stack" for item in given):
        details = "A promotion stack cannot be used with other redeemables"
        raise ApiFailure(400, "invalid_redeemables", "Invalid redeemables", details)
    return given


def _session(state: State, given: Any) -> Session | None:
    body = mapping("session", given)
    if not body:
        return None
    if body.get("type", "LOCK") != "LOCK":
        raise invalid_payload(".session.type: LOCK is expected")
    ttl, unit = body.get("ttl"), body.get("ttl_unit")
    if ttl is None:
        ttl, unit = DEFAULT_TTL
    unit = unit or "DAYS"
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not 0 < ttl <= _LONGEST_TTL:
        raise invalid_payload(".session.ttl: a number over 0 is expected")
    if unit not in TTL_UNITS:
        raise invalid_payload(f".session.ttl_unit: one of {', '.join(TTL_UNITS)} is expected")
    key = text("session.key", body.get("key")) or state.ids.long("ssn", 32)
    return Session(key, ttl, unit)


def offers_of(
    state: State, items: list[JsonObject], customer: StoredCustomer | None, key: str | None
) -> list[Offer | Missing]:
    """Return the redeemables of a request; ``key`` is that of its session."""
    offers: list[Offer | Missing] = []
    for item in items:
        try:
            if item["object"] == "promotion_stack":
                tiers = state.promotions.stack(item["id"]).tiers
                offers += [
                    offer_of_tier(state, state.promotions.tier(tier), customer, key)
                    for tier in tiers
                ]
            elif item["object"] == "promotion_tier":
                promotion = state.promotions.tier(item["id"])
                offers.append(offer_of_tier(state, promotion, customer, key))
            else:
                voucher = state.vouchers.get(item["id"])
                offers.append(offer_of_voucher(state, voucher, item, customer, key))
        except ApiFailure as failure:
            if failure.status != 404:
                raise
            offers.append(Missing(item["object"], item["id"], failure))
    return offers


def offer_of_voucher(
    state: State,
    voucher: StoredVoucher,
    item: JsonObject,
    customer: StoredCustomer | None,
    key: str | None,
) -> Offer:
    """Return a voucher as a checkout sees it."""
    value = voucher.value or {}
    is_card = voucher.type != "DISCOUNT_VOUCHER"
    return Offer(
        object="voucher",
        id=item["id"],
        resource=voucher.id,
        discount=None if is_card else value,
        card=voucher.type if is_card else None,
        card_effect=value.get("effect") or "APPLY_TO_ORDER",
        balance=value.get("balance", 0),
        wanted=_wanted(voucher, item),
        has_reward=item.get("reward") is not None,
        active=voucher.active is not False,
        starts=_instant(voucher.start_date),
        ends=_instant(voucher.expiration_date),
        weekdays=_days(voucher.validity_day_of_week),
        quantity=voucher.quantity,
        used=voucher.redeemed_quantity,
        per_customer=voucher.per_customer,
        used_by_customer=_uses(state, customer, voucher.id),
        held=state.locks.held(voucher.id, state.clock.now(), besides=key),
        targets=voucher.targets,
        about=_about(voucher),
    )


def _wanted(voucher: StoredVoucher, item: JsonObject) -> int | None:
    """Return the credits or the points that a request asks for."""
    gift = mapping("redeemables.gift", item.get("gift")) or {}
    reward = mapping("redeemables.reward", item.get("reward")) or {}
    key, asked = "gift.credits", gift.get("credits")
    if voucher.type == "LOYALTY_CARD":
        key, asked = "reward.points", reward.get("points")
    return None if asked is None else whole(f"redeemables.{key}", asked)


def _about(voucher: StoredVoucher) -> JsonObject:
    categories = [voucher.category.render()] if voucher.category else []
    about: JsonObject = {"metadata": voucher.metadata, "categories": categories}
    if voucher.campaign:
        about |= {"campaign_name": voucher.campaign.name, "campaign_id": voucher.campaign.id}
    return about


def offer_of_tier(
    state: State, tier: StoredTier, customer: StoredCustomer | None, key: str | None
) -> Offer:
    """Return a promotion tier as a checkout sees it."""
    return Offer(
        object="promotion_tier",
        id=tier.id,
        resource=tier.id,
        discount=tier.discount,
        active=tier.active,
        starts=_instant(tier.start_date),
        ends=_instant(tier.expiration_date),
        weekdays=_days(tier.validity_day_of_week),
        quantity=tier.quantity,
        used=tier.redeemed_quantity,
        per_customer=tier.per_customer,
        used_by_customer=_uses(state, customer, tier.id),
        held=state.locks.held(tier.id, state.clock.now(), besides=key),
        targets=tier.targets,
        about={
            "metadata": tier.metadata,
            "categories": [],
            "campaign_name": tier.campaign.name,
            "campaign_id": tier.campaign.id,
            "name": tier.name,
        },
    )


def _uses(state: State, customer: StoredCustomer | None, resource: str) -> int:
    return 0 if customer is None else state.redemptions.uses_by(customer.id, resource)


def _instant(stamp: str | None) -> datetime | None:
    return None if stamp is None else parse_instant(stamp)


def _days(days: list[int] | None) -> tuple[int, ...] | None:
    return None if days is None else tuple(days)
