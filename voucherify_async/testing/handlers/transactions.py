"""Balances and transactions of vouchers and campaigns."""

from __future__ import annotations

from functools import partial

from .._messages import Incoming, JsonObject, Reply, json_reply
from .._refusals import ApiFailure, invalid_payload, invalid_query
from .._state.card_history import page_after
from .._state.catalog import StoredCampaign
from .._state.state import State
from ._events import tell_card
from ._filters import compile_filters, read_object
from ._voucher_building import touch
from ._voucher_fields import mapping, text
from .exports import order_export


def update_balance(state: State, call: Incoming) -> Reply:
    """Credit or debit a gift card or a loyalty card."""
    voucher = state.vouchers.get(call.path_params["code"])
    body = call.json_object()
    amount = body.get("amount")
    if isinstance(amount, bool) or not isinstance(amount, int) or amount == 0:
        raise invalid_payload(".amount: a whole number other than 0 is expected")
    source_id = text("source_id", body.get("source_id"))
    reason = text("reason", body.get("reason"))
    balance = state.ledger.move(voucher, amount, source_id, reason)
    touch(state, voucher)
    tell_card(state, voucher, added=amount > 0)
    return json_reply(balance)


def list_transactions(state: State, call: Incoming) -> Reply:
    """Serve one page of a card's transactions."""
    voucher = state.vouchers.get(call.path_params["code"])
    return _page(state, call, state.ledger.of(voucher.id))


def list_campaign_transactions(state: State, call: Incoming) -> Reply:
    """Serve one page of the transactions of a campaign's cards."""
    campaign = state.catalog.campaign(call.path_params["campaign"])
    if not _has_transactions(campaign):
        return json_reply({"object": "list", "data_ref": "data", "data": [], "total": 0})
    entries = state.ledger.of_campaign(campaign.id)
    test = compile_filters(call.query.deep("filters"), invalid_query)
    if test is not None:
        entries = [entry for entry in entries if test(partial(read_object, entry))]
    return _page(state, call, entries)


def _page(state: State, call: Incoming, entries: list[JsonObject]) -> Reply:
    query = call.query
    limit = query.integer("limit", state.page_size, 1, 100)
    order = query.choice("order", ("id", "-id"), "-id")
    found, more = page_after(entries, order, query.text("starting_after_id"), limit)
    body: JsonObject = {"object": "list", "data_ref": "data", "data": found, "has_more": more}
    if more:
        body["more_starting_after"] = found[-1]["id"]
    return json_reply(body)


def export_transactions(state: State, call: Incoming) -> Reply:
    """Order an export of a card's transactions."""
    voucher = state.vouchers.get(call.path_params["code"])
    return _export(state, call, "voucher_id", voucher.code)


def export_campaign_transactions(state: State, call: Incoming) -> Reply:
    """Order an export of the transactions of a campaign's cards."""
    campaign = state.catalog.campaign(call.path_params["campaign"])
    if not _has_transactions(campaign):
        details = "Only gift and loyalty campaigns have transactions"
        raise ApiFailure(403, "forbidden", "Forbidden", details)
    return _export(state, call, "campaign_id", campaign.id)


def _export(state: State, call: Incoming, field: str, identifier: str) -> Reply:
    parameters = mapping("parameters", call.json_object().get("parameters")) or {}
    given = mapping("parameters.filters", parameters.get("filters")) or {}
    filters = {**given, field: {"conditions": {"$in": [identifier]}}}
    parameters = {**parameters, "filters": filters}
    return order_export(state, call, "voucher_transactions", parameters)


def _has_transactions(campaign: StoredCampaign) -> bool:
    return campaign.member_type != "DISCOUNT_VOUCHER"
