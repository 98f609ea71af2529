"""The listing of redemptions: its filters, orders and pages."""

from __future__ import annotations

from functools import partial
from typing import Any

from .._messages import Incoming, JsonObject, Query, Reply, json_reply
from .._refusals import invalid_query
from .._state.server_time import micros, parse_instant
from .._state.state import State
from ._filters import compile_filters, read_object
from ._paging import instant_bounds, page_of

_ORDERS = ("created_at", "id", "voucher_code", "tracking_id", "customer_id")


def list_redemptions(state: State, call: Incoming) -> Reply:
    """Serve one page of the redemptions and rollbacks that match."""
    query = call.query
    order = query.choice(
        "order", tuple(sign + name for name in _ORDERS for sign in ("", "-")), "-created_at"
    )
    found = [entry for entry in state.redemptions if _matches(state, query, entry)]
    name = order.removeprefix("-")
    found.sort(key=lambda entry: str(read(entry, name) or ""))
    if order.startswith("-"):
        found.reverse()
    shown = page_of(query, found, state.page_size)
    body = {"object": "list", "data_ref": "redemptions", "redemptions": shown}
    return json_reply({**body, "total": len(found)})


def _matches(state: State, query: Query, entry: JsonObject) -> bool:
    results = query.all("result")
    customer, campaign = query.text("customer"), query.text("campaign")
    after, before = instant_bounds(query, "created_at", inclusive=state.inclusive_dates)
    made = micros(parse_instant(entry["date"]))
    test = compile_filters(query.deep("filters"), invalid_query)
    return (
        (not results or entry["result"] in results)
        and (customer is None or state.customers.matches(customer, entry["customer_id"]))
        and (campaign is None or read(entry, "campaign_name") == campaign)
        and (after is None or made > after)
        and (before is None or made < before)
        and (test is None or test(partial(read, entry)))
    )


def read(entry: JsonObject, name: str) -> Any:
    """Return the value that a filter or an order reads of an entry."""
    if name == "created_at":
        return entry["date"]
    if name == "parent_redemption_id":
        return entry["redemption"]
    voucher = entry.get("voucher") or {}
    if name == "related_object_parent_id":
        return (voucher or entry.get("promotion_tier") or {}).get("campaign_id")
    if name == "voucher_code":
        return voucher.get("code")
    if name == "campaign_name":
        return voucher.get("campaign")
    return read_object(entry, name)
