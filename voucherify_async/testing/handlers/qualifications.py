"""Qualifications: which redeemables a customer and an order could use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .._checkout.eligibility import Offer
from .._checkout.orders import cart_of
from .._checkout.sessions import Held
from .._checkout.stacking import stack
from .._messages import Incoming, JsonObject, Reply, json_reply
from .._refusals import invalid_payload
from .._state.customers import StoredCustomer
from .._state.server_time import micros, parse_instant
from .._state.state import State
from ._checkout_answers import redeemable, stacking_rules
from ._checkout_requests import (
    cart_from,
    customer_body,
    find_customer,
    offer_of_tier,
    offer_of_voucher,
    tracking_id,
)
from ._filters import Test, compile_filters, read_object
from ._order_fields import check_order
from ._voucher_fields import mapping, text, whole

_SCENARIOS = (
    "ALL",
    "CUSTOMER_WALLET",
    "AUDIENCE_ONLY",
    "PRODUCTS",
    "PRODUCTS_DISCOUNT",
    "PROMOTION_STACKS",
    "PRODUCTS_BY_CUSTOMER",
    "PRODUCTS_DISCOUNT_BY_CUSTOMER",
)
_DEFAULT_LIMIT, _LARGEST_LIMIT = 5, 50


def qualify(state: State, call: Incoming) -> Reply:
    """Serve one page of the redeemables that apply, newest first."""
    body = call.json_object()
    scenario = body.get("scenario") or "ALL"
    if scenario not in _SCENARIOS:
        raise invalid_payload(f".scenario: one of {', '.join(_SCENARIOS)} is expected")
    options = mapping("options", body.get("options")) or {}
    limit = whole("options.limit", options.get("limit") or _DEFAULT_LIMIT)
    if not 1 <= limit <= _LARGEST_LIMIT:
        raise invalid_payload(f".options.limit: 1 to {_LARGEST_LIMIT} is expected")
    given = customer_body(body)
    customer = find_customer(state, given, upsert=given is not None and "id" not in given)
    order = check_order(body.get("order"), "order")
    filters = mapping("options.filters", options.get("filters")) or {}
    test = compile_filters(filters, invalid_payload)
    before = _cursor(options.get("starting_after"))
    found = []
    for item in _candidates(state, scenario, customer):
        if (before is None or item["created"] < before) and _passes(test, item):
            served = _served(state, call, item, order, customer)
            if served is not None:
                found.append(served)
    shown = _page(found, limit)
    answer: JsonObject = {
        "redeemables": _list(shown, more=len(found) > len(shown)),
        "stacking_rules": stacking_rules(state),
    }
    hashed = tracking_id(body, given)
    if hashed is not None:
        answer["tracking_id"] = hashed
    return json_reply(answer)


def _page(found: list[JsonObject], limit: int) -> list[JsonObject]:
    # The cursor is an instant: what shares it with the last one would be lost to the next page.
    end = min(limit, len(found))
    while 0 < end < len(found) and found[end]["created_at"] == found[end - 1]["created_at"]:
        end += 1
    return found[:end]


def _list(shown: list[JsonObject], *, more: bool) -> JsonObject:
    listed: JsonObject = {"object": "list", "data_ref": "data", "data": shown}
    listed |= {"total": len(shown), "has_more": more}
    if more:
        listed["more_starting_after"] = shown[-1]["created_at"]
    return listed


def _cursor(given: Any) -> int | None:
    stamp = text("options.starting_after", given)
    try:
        return None if stamp is None else micros(parse_instant(stamp))
    except ValueError:
        raise invalid_payload(".options.starting_after: an ISO 8601 date is expected") from None


def _candidates(state: State, scenario: str, customer: StoredCustomer | None) -> list[JsonObject]:
    """Return what could be told, newest first: the offer, and what filters read of it."""
    found: list[JsonObject] = []
    for voucher in state.vouchers:
        in_wallet = customer is not None and voucher.holder_id == customer.id
        # Codes of a campaign that belong to nobody are not shown around.
        if in_wallet or (scenario != "CUSTOMER_WALLET" and voucher.campaign is None):
            offer = offer_of_voucher(
                state, voucher, {"id": voucher.code, "reward": {}}, customer, None
            )
            found.append(_candidate(offer, voucher.created, voucher.render()))
    if scenario != "CUSTOMER_WALLET":
        for tier in state.promotions.tiers.values():
            offer = offer_of_tier(state, tier, customer, None)
            created = micros(parse_instant(tier.created_at))
            found.append(_candidate(offer, created, tier.render()))
    if scenario == "PROMOTION_STACKS":
        found = []
    found.sort(key=lambda item: item["created"], reverse=True)
    return found


def _candidate(offer: Offer, created: int, served: JsonObject) -> JsonObject:
    # Limits of uses are not looked at here.
    free = replace(offer, quantity=None, per_customer=None, held=Held(0, offer.held.amount))
    return {"offer": free, "created": created, "served": served}


def _passes(test: Test | None, item: JsonObject) -> bool:
    names = {"resource_id": "id", "resource_type": "object", "voucher_type": "type"}

    def read(name: str) -> Any:
        return read_object(item["served"], names.get(name, name))

    return test is None or test(read)


def _served(
    state: State,
    call: Incoming,
    item: JsonObject,
    order: JsonObject | None,
    customer: StoredCustomer | None,
) -> JsonObject | None:
    offer: Offer = item["offer"]
    cart = cart_from(order)
    if cart is None and offer.card is not None:
        cart = cart_of({"amount": 0})
    result = stack(
        [offer],
        cart,
        state.stacking_rules,
        state.clock.now(),
        has_customer=customer is not None,
        prices=state.promotions.prices,
    )
    if not result.valid:
        return None
    told = redeemable(result.outcomes[0], call.request_id)
    del told["status"]
    return {**told, "created_at": item["served"]["created_at"]}
