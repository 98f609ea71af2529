"""What the files of exports are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._messages import JsonObject
from .._state.customers import StoredCustomer
from .._state.state import State
from ._export_files import transaction_cell, voucher_cell

Rows = list[JsonObject]
Cell = Callable[[JsonObject, str], Any]


def _vouchers(state: State) -> Rows:
    return [voucher.render() for voucher in state.vouchers]


def _transactions(state: State) -> Rows:
    return [{**entry, "code": _code(state, entry)} for entry in state.ledger.all()]


def _code(state: State, entry: JsonObject) -> str | None:
    voucher = state.vouchers.find(entry["voucher_id"])
    return voucher.code if voucher else None


def _orders(state: State) -> Rows:
    return [order.render() for order in state.orders.listed("created_at")]


def _redemptions(state: State) -> Rows:
    return [_redemption(entry) for entry in state.redemptions]


def _redemption(entry: JsonObject) -> JsonObject:
    parts = ("voucher", "promotion_tier", "customer", "order", "gift", "loyalty_card")
    voucher, tier, customer, order, gift, card = (entry.get(part) or {} for part in parts)
    return {
        **entry,
        "created_at": entry["date"],
        "voucher_code": voucher.get("code"),
        "campaign": voucher.get("campaign"),
        "promotion_tier_id": tier.get("id"),
        "customer_source_id": customer.get("source_id"),
        "customer_name": customer.get("name"),
        "order_id": order.get("id"),
        "order_amount": order.get("amount"),
        "gift_amount": gift.get("amount"),
        "loyalty_points": card.get("points"),
    }


def _customers(state: State) -> Rows:
    return [_customer(customer) for customer in state.customers]


def _customer(customer: StoredCustomer) -> JsonObject:
    address = customer.properties.get("address") or {}
    return {
        **customer.properties,
        **customer.render(),
        **{f"address_{name}": value for name, value in address.items()},
        "created_at": customer.created_at,
        "updated_at": customer.updated_at,
    }


# Publications and points that expire are not kept: their files hold the header line alone.
_ROWS: dict[str, Callable[[State], Rows]] = {
    "voucher": _vouchers,
    "voucher_transactions": _transactions,
    "order": _orders,
    "redemption": _redemptions,
    "customer": _customers,
}


def rows_of(state: State, exported: str) -> Rows:
    """Return every object of a kind, oldest first."""
    return _ROWS[exported](state) if exported in _ROWS else []


_CELLS: dict[str, Cell] = {"voucher": voucher_cell, "voucher_transactions": transaction_cell}


def cell_of(exported: str) -> Cell:
    """Return what reads the value of a field out of a row."""
    return _CELLS.get(exported, plain_cell)


def plain_cell(row: JsonObject, name: str) -> Any:
    """Return the value of a field, ``metadata.key`` included."""
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
