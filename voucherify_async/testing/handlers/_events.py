"""Which events a change of the state brings, and what each tells.

Bulk work records no voucher events: what an import or a bulk update would send is not documented.
"""

from __future__ import annotations

from .._messages import JsonObject
from .._state.customers import StoredCustomer
from .._state.orders import StoredOrder
from .._state.state import State
from .._state.stored_voucher import StoredVoucher

# By voucher type: the noun in the names of a card's events, and the event of a manual addition.
_CARDS = {
    "GIFT_VOUCHER": ("gift", "gift.balance_added"),
    "LOYALTY_CARD": ("loyalty_card", "loyalty_card.points_added"),
}
_ORDER_ENDS = {"PAID": "customer.order.paid", "CANCELED": "customer.order.canceled"}
# Other keys of an event about points, which are always null here.
_POINTS = (
    "holder_loyalty_tier",
    "event",
    "earning_rule",
    "segment",
    "loyalty_tier",
    "reward",
    "custom_event",
    "source_voucher",
    "destination_voucher",
)


def tell_voucher(state: State, change: str, voucher: StoredVoucher) -> None:
    """Record that a voucher was ``created``, ``updated``, ``enabled`` and the like."""
    data = {"voucher": voucher.render(), "campaign": _campaign(voucher)}
    state.events.record(f"voucher.{change}", voucher.id, data)


def tell_card(state: State, voucher: StoredVoucher, *, added: bool = False) -> None:
    """Record the latest transaction of a card; ``added``: credits or points by hand."""
    noun, addition = _CARDS[voucher.type]
    transaction = state.ledger.of(voucher.id)[-1]
    holder = _customer(state, voucher.holder_id)
    about = {
        "transaction": transaction,
        "voucher": voucher.render(),
        "campaign": _campaign(voucher),
        "balance": transaction["details"]["balance"],
    }
    details = transaction["details"]
    related = {name: details.get(name) for name in ("order", "redemption", "rollback")}
    if noun == "loyalty_card":
        related |= dict.fromkeys(_POINTS)
    created = f"voucher.{noun}.transaction.created"
    state.events.record(created, voucher.id, {**about, "holder": holder, **related})
    if added:
        state.events.record(f"voucher.{addition}", voucher.id, {**about, "customer": holder})
        if holder is not None:
            told = {"customer": holder, **about}
            state.events.record(f"customer.voucher.{addition}", holder["id"], told)


def tell_redemption(state: State, entry: JsonObject, rollback: JsonObject | None = None) -> None:
    """Record that a redemption, or the rollback of one, succeeded or failed."""
    happened = entry if rollback is None else rollback
    voucher = state.vouchers.find(entry["related_object_id"] or "")
    data = {
        "customer": happened["customer"],
        "order": happened["order"],
        "campaign": _campaign(voucher),
        "voucher": happened.get("voucher"),
        "holder": _customer(state, voucher.holder_id if voucher else None),
        "promotion_tier": happened.get("promotion_tier"),
        "redemption": entry,
    }
    name = "redemption"
    if rollback is not None:
        name = "redemption.rollback"
        data["redemption_rollback"] = rollback
    ended = "succeeded" if happened["result"] == "SUCCESS" else "failed"
    told = {**data, "created_at": happened["date"]}
    state.events.record(f"{name}.{ended}", happened["id"], told)
    if ended == "succeeded" and data["customer"] is not None:
        told = {**data, "promotion_stack": None}
        state.events.record(f"customer.{name}.succeeded", data["customer"]["id"], told)


def tell_order(state: State, order: StoredOrder, former_status: str | None) -> None:
    """Record that an order was made (``former_status`` None) or changed, if it has a customer."""
    customer = _customer(state, order.customer_id)
    if customer is None:
        return
    referrer = _customer(state, order.referrer_id)
    nouns = {"customer": customer, "referrer": referrer, "redemption": None}
    data = {**nouns, "order": order.render()}
    changed = "created" if former_status is None else "updated"
    state.events.record(f"customer.order.{changed}", customer["id"], data)
    if order.status != former_status and order.status in _ORDER_ENDS:
        state.events.record(_ORDER_ENDS[order.status], customer["id"], data)


def upsert_customer(state: State, body: JsonObject) -> StoredCustomer:
    """Make or change the customer that a body describes, and record it if anything changed."""
    known = state.customers.find(body.get("id") or body.get("source_id"))
    former = (known.properties, known.metadata) if known else None
    customer = state.customers.upsert(body)
    if former is None or former != (customer.properties, customer.metadata):
        change = "created" if former is None else "updated"
        data = {"customer": {**customer.properties, **customer.render()}}
        state.events.record(f"customer.{change}", customer.id, data)
    return customer


def _campaign(voucher: StoredVoucher | None) -> JsonObject | None:
    return voucher.campaign.render() if voucher and voucher.campaign else None


def _customer(state: State, identifier: str | None) -> JsonObject | None:
    found = state.customers.find(identifier)
    return None if found is None else found.render()
