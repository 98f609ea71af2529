"""What became of an order: it is read back by its id or source id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .._conversion.converter import structure_at
from .._protocol.routes import GET_ORDER
from ..models.orders import Order
from .evidence import Absent, Done, Evidence, Look, Lost, Unclear, agrees

_NAMES: Final = ("id", "source_id", "customer", "referrer")
"""What of an order is told in other words than it was sent in."""


async def find_order(lost: Lost, look: Look) -> Evidence:
    """Read the order back: was it written since, and is it as it was to be?"""
    named = lost.values.get("id") or lost.sent.get("source_id")
    if not isinstance(named, str):
        return Unclear("The order has no source_id by which it could be found")
    body = await look.read_or_none(GET_ORDER(id=named))
    if body is None:
        return Absent("There is no such order")
    order = structure_at(Order, body)
    sent = _comparable(lost.sent)
    is_as_sent = agrees(sent, {**body, "customer_id": _customer_of(order)})
    if not lost.was_before(order.updated_at or order.created_at):
        if sent and is_as_sent:
            return Unclear("The order is as it was to be, but by its date it was so before")
        return Absent("The order was not written since")
    if is_as_sent and (sent or lost.was_before(order.created_at)):
        return Done(order)
    return Unclear("The order was written since, but nothing tells by what")


def _comparable(sent: Mapping[str, Any]) -> dict[str, Any]:
    """What of an order that was sent can be found in it again in the same words."""
    kept = {key: value for key, value in sent.items() if key not in _NAMES}
    customer = sent.get("customer")
    if isinstance(customer, Mapping) and customer.get("id"):
        kept["customer_id"] = customer["id"]
    return kept


def _customer_of(order: Order) -> str | None:
    return order.customer_id or (order.customer.id if order.customer else None)
