"""Redemptions: redeem, get, list, those of a voucher."""

from __future__ import annotations

from typing import Any

from .._checkout.eligibility import Offer
from .._checkout.stacking import Outcome, Stack, stack
from .._messages import Incoming, JsonObject, Reply, json_reply
from .._refusals import ApiFailure
from .._state.orders import StoredOrder
from .._state.server_time import iso
from .._state.state import State
from ._checkout_answers import applied_cart, rest
from ._checkout_requests import CheckoutRequest, read_checkout
from ._events import tell_card, tell_order, tell_redemption
from ._voucher_building import touch


def redeem(state: State, call: Incoming) -> Reply:
    """Redeem what applies, or put the failure on record."""
    request = read_checkout(state, call.json_object(), upsert=True)
    result = stack(
        request.redeemables,
        request.cart,
        state.stacking_rules,
        state.clock.now(),
        has_customer=request.customer_given,
        prices=state.promotions.prices,
    )
    if not result.valid:
        return _fail(state, call, request, result)
    return json_reply(_succeed(state, call, request, result))


def _succeed(state: State, call: Incoming, request: CheckoutRequest, result: Stack) -> JsonObject:
    cart = applied_cart(request, result)
    former = request.stored.status if request.stored else None
    order = _save_order(state, request)
    parent = state.ids.ordered("r") if request.requested > 1 or request.stack_id else None
    entries = [
        _redeem_one(state, call, request, outcome, order, parent) for outcome in result.applied
    ]
    if request.session is not None:
        state.locks.release(request.session.key)
    answer: JsonObject = {"redemptions": entries}
    totals = None if cart is None else cart.totals()
    if parent is not None:
        answer["parent_redemption"] = _parent(state, call, request, order, parent, entries, totals)
    if order is not None:
        answer["order"] = order.render(totals)
        tell_order(state, order, former)
    for entry in _told(answer):
        tell_redemption(state, entry)
    return answer | rest(result, call.request_id)


def _told(answer: JsonObject) -> list[JsonObject]:
    whole = answer.get("parent_redemption")
    return answer["redemptions"] if whole is None else [*answer["redemptions"], whole]


def _save_order(state: State, request: CheckoutRequest) -> StoredOrder | None:
    order = request.stored
    if request.order is None:
        return None
    if order is None:
        order = state.orders.create(request.order)
    else:
        order.updated_at = iso(state.clock.now())
    order.status = "PAID"
    if request.customer is not None:
        order.customer_id = order.customer_id or request.customer.id
    return order


def _redeem_one(
    state: State,
    call: Incoming,
    request: CheckoutRequest,
    outcome: Outcome,
    order: StoredOrder | None,
    parent: str | None,
) -> JsonObject:
    identifier = state.ids.ordered("r")
    if order is not None:
        order.effects[identifier] = outcome.effect
    entry = _entry(state, call, request, outcome, identifier)
    entry |= {"result": "SUCCESS", "status": "SUCCEEDED"}
    if order is not None:
        if parent is None:
            order.redemptions[identifier] = _in_order(entry, outcome)
        entry["order"] = order.render(outcome.order)
    entry |= _use(state, outcome, entry)
    if parent is not None:
        entry["redemption"] = parent
    state.redemptions.add(entry)
    return entry


def _use(state: State, outcome: Outcome, entry: JsonObject) -> JsonObject:
    """Count a use, take what it spends, and return what the redemption tells of the redeemable."""
    offer = outcome.of
    if offer.object == "promotion_tier":
        tier = state.promotions.tier(offer.id)
        tier.redeemed_quantity += 1
        return {"promotion_tier": tier.render()}
    voucher = state.vouchers.get(entry["related_object_id"])
    voucher.redeemed_quantity += 1
    told: JsonObject = {}
    if isinstance(offer, Offer) and offer.card is not None:
        order = entry["order"] or {}
        state.ledger.redeem(
            voucher,
            outcome.spent,
            order={"id": order.get("id"), "source_id": order.get("source_id")},
            redemption={"id": entry["id"]},
        )
        told["amount"] = outcome.spent
        if offer.card == "GIFT_VOUCHER":
            told["gift"] = {"amount": outcome.spent}
        else:
            told["loyalty_card"] = {"points": outcome.spent}
    touch(state, voucher)
    if told:
        tell_card(state, voucher)
    return {**told, "voucher": voucher.render()}


def _entry(
    state: State, call: Incoming, request: CheckoutRequest, outcome: Outcome, identifier: str
) -> JsonObject:
    offer = outcome.of
    related = offer.resource if isinstance(offer, Offer) else None
    entry = _bare(state, call, request, identifier)
    entry |= {"related_object_type": offer.object, "related_object_id": related}
    return entry


def _bare(state: State, call: Incoming, request: CheckoutRequest, identifier: str) -> JsonObject:
    customer = request.customer
    entry: JsonObject = {
        "id": identifier,
        "object": "redemption",
        "date": iso(state.clock.now()),
        "customer_id": customer.id if customer else None,
        "tracking_id": request.tracking_id,
        "metadata": request.metadata,
        "redemption": None,
        "order": None,
        "channel": channel(call),
        "customer": customer.render() if customer else None,
    }
    if request.session is not None:
        entry["session"] = {"key": request.session.key}
    return entry


def channel(call: Incoming) -> JsonObject:
    """Return through what a request came."""
    return {"channel_id": call.headers.get("x-app-id", "oauth"), "channel_type": "API"}


def _in_order(entry: JsonObject, outcome: Outcome | None = None) -> JsonObject:
    told = {name: entry[name] for name in ("date", "related_object_type", "related_object_id")}
    if outcome is not None and isinstance(outcome.of, Offer) and "campaign_id" in outcome.of.about:
        told["related_object_parent_id"] = outcome.of.about["campaign_id"]
    return told


def _parent(
    state: State,
    call: Incoming,
    request: CheckoutRequest,
    order: StoredOrder | None,
    identifier: str,
    children: list[JsonObject],
    totals: JsonObject | None,
) -> JsonObject:
    entry = _bare(state, call, request, identifier)
    entry |= {
        "result": "SUCCESS",
        "status": "SUCCEEDED",
        "related_object_type": "redemption",
        "related_object_id": identifier,
        "related_redemptions": {
            "redemptions": [{"id": child["id"], "date": child["date"]} for child in children]
        },
    }
    if order is not None:
        stacked = [child["id"] for child in children]
        order.redemptions[identifier] = {**_in_order(entry), "stacked": stacked}
        entry["order"] = order.render(totals)
    state.redemptions.add(entry)
    return entry


def _fail(state: State, call: Incoming, request: CheckoutRequest, result: Stack) -> Reply:
    parent = state.ids.ordered("rf") if request.requested > 1 or not result.failed else None
    entries = [_failed(state, call, request, outcome, parent) for outcome in result.failed]
    reason = (result.failed[0].failure if result.failed else None) or _nothing_applies()
    answer: JsonObject = {"redemptions": entries}
    if parent is not None:
        whole = _bare(state, call, request, parent) | _why(reason)
        whole |= {"related_object_type": "redemption", "related_object_id": parent}
        state.redemptions.add(whole)
        answer["parent_redemption"] = whole
    for entry in _told(answer):
        tell_redemption(state, entry)
    if state.failed_redemption_status == 200:
        return json_reply(answer | rest(result, call.request_id))
    if reason.status == 404:
        raise reason
    resource = (answer.get("parent_redemption", entries[0])["id"], "redemption")
    raise ApiFailure(reason.status, reason.key, reason.message, reason.details, resource=resource)


def _nothing_applies() -> ApiFailure:
    details = "Every redeemable was skipped"
    return ApiFailure(400, "no_applicable_redeemables", "No applicable redeemables", details)


def _failed(
    state: State, call: Incoming, request: CheckoutRequest, outcome: Outcome, parent: str | None
) -> JsonObject:
    entry = _entry(state, call, request, outcome, state.ids.ordered("rf"))
    entry |= _why(outcome.failure or _nothing_applies())
    entry["redemption"] = parent
    offer = outcome.of
    if isinstance(offer, Offer):
        if offer.object == "voucher":
            entry["voucher"] = state.vouchers.get(offer.resource).render()
        else:
            entry["promotion_tier"] = state.promotions.tier(offer.id).render()
    state.redemptions.add(entry)
    return entry


def _why(failure: ApiFailure) -> JsonObject:
    code: Any = "resource_not_found" if failure.status == 404 else failure.key
    return {
        "result": "FAILURE",
        "status": "FAILED",
        "failure_code": code,
        "failure_message": failure.message,
    }


def get_redemption(state: State, call: Incoming) -> Reply:
    """Serve a redemption or a rollback."""
    return json_reply(state.redemptions.get(call.path_params["redemption"]))


def redemptions_of_voucher(state: State, call: Incoming) -> Reply:
    """Serve how often a voucher was redeemed, and each redemption and rollback of it."""
    voucher = state.vouchers.get(call.path_params["code"])
    entries = [entry for entry in state.redemptions if entry["related_object_id"] == voucher.id]
    return json_reply(
        {
            "quantity": voucher.quantity,
            "redeemed_quantity": voucher.redeemed_quantity,
            "object": "list",
            "url": f"/v1/vouchers/{voucher.code}/redemptions?page=1&limit=10",
            "data_ref": "redemption_entries",
            "total": len(entries),
            "redemption_entries": entries[::-1],
        }
    )
