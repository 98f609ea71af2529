"""Voucher bodies out of an uploaded CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from .._messages import JsonObject
from .._refusals import ApiFailure, invalid_payload

_AMOUNT_KEYS = {
    "AMOUNT": "amount_off",
    "PERCENT": "percent_off",
    "UNIT": "unit_off",
    "FIXED": "fixed_amount",
}
# The headers that are properties; every other one becomes a metadata key.
STANDALONE = frozenset(
    (
        "code",
        "voucher type",
        "value",
        "discount type",
        "discount effect",
        "formula",
        "validation rule id",
        "category",
        "start date",
        "expiration date",
        "redemption limit",
        "redeemed quantity",
        "redeemed amount",
        "active",
        "additional info",
    )
)
MEMBERS = frozenset(
    (
        "code",
        "category",
        "active",
        "gift amount",
        "loyalty points",
        "redeemed quantity",
        "redeemed amount",
    )
)


class RowError(Exception):
    """A row that makes no voucher."""


def rows(
    content: bytes, properties: frozenset[str]
) -> Iterator[tuple[int, str, JsonObject | RowError]]:
    """Yield (row number from 1, code, body or what is wrong with the row).

    ``properties``: the headers that are not metadata, in lower case.

    Raises:
        ApiFailure: the file is not UTF-8 CSV with a header line.
    """
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise invalid_payload("The file is not UTF-8") from None
    reader = csv.reader(io.StringIO(decoded, newline=""), strict=True)
    headers = [header.strip() for header in _next(reader) or []]
    if not any(headers):
        raise invalid_payload("The file has no header line")
    number = 0
    while (cells := _next(reader)) is not None:
        if not cells:
            continue
        number += 1
        row = dict(zip(headers, cells, strict=False))
        code = next((row[key] for key in row if key.lower() == "code"), "").strip()
        yield number, code, _parse(headers, cells, row, properties)


def _parse(
    headers: list[str], cells: list[str], row: dict[str, str], properties: frozenset[str]
) -> JsonObject | RowError:
    if len(cells) != len(headers):
        return RowError(f"{len(cells)} cells under {len(headers)} headers")
    try:
        return _body(row, properties)
    except RowError as error:
        return error


def _next(reader: Iterator[list[str]]) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        raise invalid_payload(f"The file is not CSV: {error}") from None


def failure_of(number: int, code: str, error: ApiFailure | RowError) -> JsonObject:
    """Return the entry of a failed row in the result of an action."""
    return {"code": code, "row": number, "reason": str(error)}


def _body(row: dict[str, str], properties: frozenset[str]) -> JsonObject:
    cells = {key.lower(): value.strip() for key, value in row.items() if key.lower() in properties}
    metadata = {key: value for key, value in row.items() if key.lower() not in properties and key}
    body: JsonObject = {
        "type": cells.get("voucher type", "").upper() or None,
        "category": cells.get("category") or None,
        "start_date": cells.get("start date") or None,
        "expiration_date": cells.get("expiration date") or None,
        "additional_info": cells.get("additional info") or None,
        "metadata": {key: value for key, value in metadata.items() if value != ""},
    }
    if cells.get("validation rule id"):
        body["validation_rules"] = [cells["validation rule id"]]
    if cells.get("active"):
        body["active"] = _boolean(cells["active"])
    redemption = {
        "quantity": _whole(cells, "redemption limit"),
        "redeemed_quantity": _whole(cells, "redeemed quantity"),
        "redeemed_amount": _whole(cells, "redeemed amount"),
    }
    body["redemption"] = {key: value for key, value in redemption.items() if value is not None}
    _set_value(body, cells)
    return body


def _set_value(body: JsonObject, cells: dict[str, str]) -> None:
    discount_type = cells.get("discount type", "").upper()
    name = next((key for key in ("gift amount", "loyalty points", "value") if cells.get(key)), None)
    if name is None:
        return
    if name == "gift amount" or body["type"] == "GIFT_VOUCHER":
        amount = _whole(cells, name) or 0
        redeemed = body["redemption"].get("redeemed_amount", 0)
        if redeemed > amount:
            raise RowError("Redeemed Amount is over the amount of the card")
        body["gift"] = {"amount": amount, "balance": amount - redeemed}
    elif name == "loyalty points" or body["type"] == "LOYALTY_CARD":
        body["loyalty_card"] = {"points": _whole(cells, name)}
    elif discount_type in _AMOUNT_KEYS:
        read = _whole if discount_type in ("AMOUNT", "FIXED") else _number
        key = _AMOUNT_KEYS[discount_type]
        discount = {
            "type": discount_type,
            key: read(cells, name),
            "effect": cells.get("discount effect", "").upper() or None,
            f"{key}_formula": cells.get("formula"),
        }
        body["discount"] = {key: value for key, value in discount.items() if value}
    elif discount_type or body["type"]:
        raise RowError(f"Discount Type: one of {', '.join(_AMOUNT_KEYS)} is expected")


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise RowError("Active: true or false is expected")
    return text.lower() == "true"


def _decimal(cells: dict[str, str], name: str) -> Decimal | None:
    if not cells.get(name):
        return None
    try:
        number = Decimal(cells[name])
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise RowError(f"{name.title()}: a number is expected")
    return number


def _whole(cells: dict[str, str], name: str) -> int | None:
    return _integer(_decimal(cells, name), name)


def _number(cells: dict[str, str], name: str) -> int | float | None:
    number = _decimal(cells, name)
    if number is None:
        return None
    return int(number) if number == number.to_integral_value() else float(number)


def _integer(number: Decimal | None, name: str) -> int | None:
    if number is None:
        return None
    if number != number.to_integral_value():
        raise RowError(f"{name.title()}: {number} is too fine")
    return int(number)
