"""Checks of the orders and customers that a request body describes."""

from __future__ import annotations

from typing import Any

from .._messages import JsonObject
from .._refusals import invalid_payload
from .._state.orders import STATUSES
from ._voucher_fields import mapping, text, whole

_AMOUNTS = ("amount", "discount_amount", "quantity", "price")
_NAMES = ("id", "source_id", "product_id", "sku_id", "customer_id", "referrer_id")


def check_order(order: Any, name: str) -> JsonObject | None:
    """Return an order of a request, or raise the API's 400."""
    body = _checked(order, name)
    if body is None:
        return None
    items = body.get("items")
    if items is not None and not isinstance(items, list):
        raise invalid_payload(f".{name}.items: a list is expected")
    for index, item in enumerate(items or ()):
        place = f"{name}.items[{index}]"
        line = _checked(item, place)
        if line is None:
            raise invalid_payload(f".{place}: an object is expected")
        for part in ("product", "sku"):
            _checked(line.get(part), f"{place}.{part}")
    if body.get("status") not in (None, *STATUSES):
        raise invalid_payload(f".{name}.status: one of {', '.join(STATUSES)} is expected")
    return body


def check_customer(customer: Any, name: str) -> JsonObject | None:
    """Return a customer of a request, or raise the API's 400."""
    body = _checked(customer, name)
    if body is not None:
        mapping(f"{name}.address", body.get("address"))
    return body


def _checked(value: Any, name: str) -> JsonObject | None:
    body = mapping(name, value)
    if body is None:
        return None
    for key in _AMOUNTS:
        if body.get(key) is not None:
            whole(f"{name}.{key}", body[key])
    for key in _NAMES:
        text(f"{name}.{key}", body.get(key))
    mapping(f"{name}.metadata", body.get("metadata"))
    return body
