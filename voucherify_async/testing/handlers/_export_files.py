"""The CSV files of exports."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import orjson

from .._messages import JsonObject


def table(
    fields: Iterable[str], rows: Iterable[JsonObject], read: Callable[[JsonObject, str], Any]
) -> bytes:
    """Return a CSV file with one line a row, under titled headers."""
    fields = tuple(fields)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(map(title, fields))
    writer.writerows([_cell(read(row, name)) for name in fields] for row in rows)
    return out.getvalue().encode()


def title(name: str) -> str:
    """Return the header of a field: ``voucher_id`` is ``Voucher ID``."""
    return " ".join("ID" if word == "id" else word.capitalize() for word in name.split("_"))


def transaction_cell(entry: JsonObject, name: str) -> Any:
    """Return the value of a transaction's field."""
    balance = entry["details"]["balance"]
    if name == "balance":
        return balance["balance"]
    if name == "amount":
        return balance.get("amount", balance.get("points"))
    return entry.get(name)


def voucher_cell(served: JsonObject, name: str) -> Any:
    """Return the value of a voucher's field."""
    special = _VOUCHER_CELLS.get(name)
    return special(served) if special else _within(*name.split("."))(served)


def _cell(value: Any) -> str:
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _major(minor: Any) -> str:
    return f"{Decimal(minor) / 100:.2f}"


def _value(served: JsonObject) -> Any:
    if served["gift"]:
        return _major(served["gift"]["amount"])
    if served["loyalty_card"]:
        return served["loyalty_card"]["points"]
    discount = served["discount"] or {}
    for name in ("amount_off", "fixed_amount"):
        if discount.get(name) is not None:
            return _major(discount[name])
    return discount.get("percent_off", discount.get("unit_off"))


def _within(*path: str) -> Callable[[JsonObject], Any]:
    def read(served: JsonObject) -> Any:
        value: Any = served
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        return value

    return read


def _gift_balance(served: JsonObject) -> Any:
    return _major(served["gift"]["balance"]) if served["gift"] else None


_VOUCHER_CELLS: dict[str, Callable[[JsonObject], Any]] = {
    "voucher_type": _within("type"),
    "value": _value,
    "discount_type": _within("discount", "type"),
    "discount_effect": _within("discount", "effect"),
    "discount_amount_limit": _within("discount", "amount_limit"),
    "discount_unit_type": _within("discount", "unit_type"),
    "gift_balance": _gift_balance,
    "loyalty_balance": _within("loyalty_card", "balance"),
    "redemption_quantity": _within("redemption", "quantity"),
    "redemption_count": _within("redemption", "redeemed_quantity"),
    "qr_code": _within("assets", "qr", "url"),
    "bar_code": _within("assets", "barcode", "url"),
    "customer_id": _within("holder_id"),
    "validity_timeframe_interval": _within("validity_timeframe", "interval"),
    "validity_timeframe_duration": _within("validity_timeframe", "duration"),
}
