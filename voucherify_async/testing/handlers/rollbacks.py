"""Rollbacks: what a redemption took is given back, once."""

from __future__ import annotations

from datetime import timedelta

from .._messages import Incoming, JsonObject, Reply, json_reply
from .._refusals import ApiFailure, not_found
from .._state.orders import StoredOrder
from .._state.server_time import iso, parse_instant
from .._state.state import State
from ._checkout_requests import customer_body, find_customer, tracking_id
from ._events import tell_card, tell_order, tell_redemption
from ._voucher_building import touch
from ._voucher_fields import mapping, text
from .redemptions import channel

_OLDEST = timedelta(days=92)


def rollback(state: State, call: Incoming) -> Reply:
    """Roll back one redemption that is not part of a stack."""
    entry = _redemption(state, call)
    if state.redemptions.children(entry["id"]):
        raise _invalid("A stack of redemptions is rolled back at /rollbacks")
    body = _checked(state, call, entry)
    return json_reply(_roll_back(state, call, [entry], body)[0])


def rollback_stack(state: State, call: Incoming) -> Reply:
    """Roll back a stack of redemptions as a whole, or a single one."""
    entry = _redemption(state, call)
    children = state.redemptions.children(entry["id"])
    body = _checked(state, call, entry)
    if not children:
        single = _roll_back(state, call, [entry], body)
        return json_reply(_answer(single, None))
    parent_rollback = _bare(state, call, entry, body)
    rollbacks = _roll_back(state, call, children, body, parent=(entry, parent_rollback))
    state.redemptions.add(parent_rollback)
    return json_reply(_answer(rollbacks, parent_rollback))


def _answer(rollbacks: list[JsonObject], parent: JsonObject | None) -> JsonObject:
    answer: JsonObject = {"rollbacks": rollbacks}
    if parent is not None:
        answer["parent_rollback"] = parent
    order = (parent or rollbacks[-1])["order"]
    return answer if order is None else {**answer, "order": order}


def _redemption(state: State, call: Incoming) -> JsonObject:
    entry = state.redemptions.get(call.path_params["redemption"])
    if entry["object"] != "redemption" or entry["result"] == "FAILURE":
        raise _invalid("Only a redemption that succeeded can be rolled back")
    if entry["redemption"] is not None:
        details = "A redemption of a stack is rolled back with its parent"
        raise ApiFailure(400, "invalid_redemption_parent", "Invalid redemption parent", details)
    return entry


def _checked(state: State, call: Incoming, entry: JsonObject) -> JsonObject:
    """Return the body of a rollback that may happen, or put its failure on record."""
    body = call.json_object()
    given = customer_body(body)
    customer = find_customer(state, given, upsert=False)
    if given is not None and entry["customer_id"] != (customer and customer.id):
        details = "The redemption is of another customer"
        raise ApiFailure(400, "invalid_customer", "Invalid customer", details)
    named = mapping("order", body.get("order")) or {}
    order = state.orders.named_by(named) if named.get("id") or named.get("source_id") else None
    if named.get("id") and order is None:
        raise not_found("order", named["id"])
    if order is not None and order.id != (entry["order"] or {}).get("id"):
        details = "The redemption is of another order"
        raise ApiFailure(400, "invalid_order", "Invalid order", details)
    mapping("metadata", body.get("metadata"))
    if entry["status"] == "ROLLED_BACK":
        raise _already(state, call, entry, body)
    if state.clock.now() - parse_instant(entry["date"]) > _OLDEST:
        raise _invalid("A redemption can be rolled back for 3 months")
    if given is not None:
        find_customer(state, given, upsert=True)
    return body


def _already(state: State, call: Incoming, entry: JsonObject, body: JsonObject) -> ApiFailure:
    failed = _bare(state, call, entry, body, prefix="rrf")
    failed |= {
        "result": "FAILURE",
        "status": "FAILED",
        "failure_code": "already_rolled_back",
        "failure_message": "Already rolled back",
        "order": entry["order"],
    }
    state.redemptions.add(failed)
    tell_redemption(state, entry, failed)
    details = "The redemption was rolled back before"
    resource = (failed["id"], "redemption_rollback")
    return ApiFailure(400, "already_rolled_back", "Already rolled back", details, resource=resource)


def _roll_back(
    state: State,
    call: Incoming,
    entries: list[JsonObject],
    body: JsonObject,
    *,
    parent: tuple[JsonObject, JsonObject] | None = None,
) -> list[JsonObject]:
    """Give back what redemptions took; ``parent``: the redemption and the rollback of a stack."""
    order = state.orders.find((entries[0]["order"] or {}).get("id"))
    rollbacks = [_bare(state, call, entry, body) for entry in entries]
    for entry, made in zip(entries, rollbacks, strict=True):
        if order is not None:
            order.effects.pop(entry["id"], None)
        made.update(_give_back(state, entry, made, order))
    pairs = list(zip(entries, rollbacks, strict=True))
    if parent is not None:
        pairs.append(parent)
    if order is not None:
        _note_in_order(state, order, pairs[-1], rollbacks if parent else [])
    for entry, made in pairs:
        entry["status"] = "ROLLED_BACK"
        mode = state.stacking_rules["redeemables_rollback_order_mode"]
        told = {"id": made["id"], "date": made["date"], "rollback_order_mode": mode}
        entry["related_redemptions"] = {**entry.get("related_redemptions", {}), "rollbacks": [told]}
        made["order"] = None if order is None else order.render()
    for made in rollbacks:
        state.redemptions.add(made)
    for entry, made in pairs:
        tell_redemption(state, entry, made)
    return rollbacks


def _note_in_order(
    state: State,
    order: StoredOrder,
    whole: tuple[JsonObject, JsonObject],
    stacked: list[JsonObject],
) -> None:
    entry, made = whole
    former, order.status = order.status, "CANCELED"
    order.updated_at = iso(state.clock.now())
    told = order.redemptions[entry["id"]]
    told |= {"rollback_id": made["id"], "rollback_date": made["date"]}
    if stacked:
        told["rollback_stacked"] = [child["id"] for child in stacked]
    tell_order(state, order, former)


def _give_back(
    state: State, entry: JsonObject, made: JsonObject, order: StoredOrder | None
) -> JsonObject:
    if entry["related_object_type"] == "promotion_tier":
        tier = state.promotions.tier(entry["related_object_id"])
        tier.redeemed_quantity -= 1
        return {"voucher": None, "promotion_tier": tier.render()}
    voucher = state.vouchers.find(entry["related_object_id"])
    if voucher is None:
        return {"voucher": entry.get("voucher")}
    voucher.redeemed_quantity -= 1
    told: JsonObject = {}
    if "amount" in entry:
        amount = entry["amount"]
        state.ledger.redeem(
            voucher,
            -amount,
            order={"id": order and order.id, "source_id": order and order.source_id},
            redemption={"id": entry["id"]},
            rollback={"id": made["id"]},
        )
        told["amount"] = -amount
        card = "gift" if "gift" in entry else "loyalty_card"
        told[card] = dict.fromkeys(entry[card], -amount)
    touch(state, voucher)
    if told:
        tell_card(state, voucher)
    return {**told, "voucher": voucher.render()}


def _bare(
    state: State, call: Incoming, entry: JsonObject, body: JsonObject, *, prefix: str = "rr"
) -> JsonObject:
    query = call.query
    reason = query.text("reason") or text("reason", body.get("reason"))
    customer = state.customers.find(entry["customer_id"])
    named = {"tracking_id": query.text("tracking_id") or body.get("tracking_id")}
    made: JsonObject = {
        "id": state.ids.ordered(prefix),
        "object": "redemption_rollback",
        "date": iso(state.clock.now()),
        "customer_id": entry["customer_id"],
        "tracking_id": tracking_id(named, None) or entry["tracking_id"],
        "metadata": body.get("metadata"),
        "redemption": entry["id"],
        "reason": reason,
        "result": "SUCCESS",
        "status": "SUCCEEDED",
        "order": None,
        "channel": channel(call),
        "customer": customer.render() if customer else None,
    }
    related = ("related_object_type", "related_object_id")
    return made | {name: entry[name] for name in related}


def _invalid(details: str) -> ApiFailure:
    return ApiFailure(400, "invalid_redemption", "Invalid redemption", details)
