"""Vouchers as rows of Voucherify's CSV import, and such rows as items of its JSON import.

A cell holds money in major units (10.50), where JSON has minor ones (1050).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import orjson

from .._conversion.converter import to_json_types
from ..errors import InvalidArgumentError

COLUMNS: Final = (
    "Code",
    "Voucher Type",
    "Value",
    "Discount Type",
    "Category",
    "Start Date",
    "Expiration Date",
    "Redemption Limit",
    "Redeemed Quantity",
    "Redeemed Amount",
    "Active",
    "Additional Info",
)
_LOWER: Final = {name.lower(): name for name in COLUMNS}
# Of each kind of discount: the key of its value, and whether that is money.
_VALUES: Final = {
    "AMOUNT": ("amount_off", True),
    "PERCENT": ("percent_off", False),
    "FIXED": ("fixed_amount", True),
    "UNIT": ("unit_off", False),
}


def row_of(voucher: Any, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """The cells of a voucher, by column, and those of its metadata, by key.

    Raises:
        InvalidArgumentError: It is no voucher, or a row cannot say what it is worth.
    """
    data = to_json_types(voucher, name)
    if not isinstance(data, dict):
        raise InvalidArgumentError(f"{name}: expected a voucher, got {voucher!r}")
    if not data.get("code"):
        raise InvalidArgumentError(f"{name}: has no code")
    redemption = data.get("redemption") or {}
    value, discount_type = _worth(data, name)
    active = data.get("active")
    cells = {
        "Code": data["code"],
        "Voucher Type": data.get("type"),
        "Value": value,
        "Discount Type": discount_type,
        "Category": data.get("category"),
        "Start Date": data.get("start_date"),
        "Expiration Date": data.get("expiration_date"),
        "Redemption Limit": redemption.get("quantity"),
        "Redeemed Quantity": redemption.get("redeemed_quantity"),
        "Redeemed Amount": _redeemed(data),
        "Active": active,
        "Additional Info": data.get("additional_info"),
    }
    metadata = data.get("metadata") or {}
    for key in metadata:
        if not key.strip() or key.strip() != key or key.lower() in _LOWER:
            raise InvalidArgumentError(
                f"{name}.metadata: {key!r} cannot be a column of its own beside {COLUMNS[0]}, "
                f"{COLUMNS[1]} and the others"
            )
    return _texts(cells), _texts(metadata)


def _texts(cells: Mapping[str, Any]) -> dict[str, str]:
    return {name: text for name, value in cells.items() if (text := _text(value))}


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    # As JSON writes it: true, 10, 0.5, ["a"].
    return orjson.dumps(value).decode()


def _worth(data: Mapping[str, Any], name: str) -> tuple[Any, str | None]:
    gift, card, discount = (data.get(key) for key in ("gift", "loyalty_card", "discount"))
    if gift:
        return _major(gift.get("amount")), None
    if card:
        return card.get("points"), None
    if not discount:
        return None, None
    kind = discount.get("type")
    key, is_money = _VALUES.get(kind, ("", False))
    if not key or discount.get("units"):
        raise InvalidArgumentError(
            f"{name}.discount: a row of a CSV import cannot express it; use imports.vouchers()"
        )
    value = discount.get(key)
    return (_major(value) if is_money else value), kind


def _redeemed(data: Mapping[str, Any]) -> str | None:
    gift = data.get("gift") or {}
    amount, balance = gift.get("amount"), gift.get("balance")
    if amount is not None and balance is not None:
        # What is left on the card is what matters, however the rest was taken off.
        return _major(amount - balance) if amount > balance else None
    redeemed = (data.get("redemption") or {}).get("redeemed_amount")
    return _major(redeemed) if redeemed else None


def _major(minor: Any) -> str | None:
    return None if minor is None else f"{Decimal(minor) / 100:.2f}"


def item_of_row(item: Any) -> Any:
    """The item of a JSON import that a CSV row says, such as `csv.DictReader` gives.

    Returns:
        The item; what is no such row is returned as it is.

    Raises:
        InvalidArgumentError: A cell is not what its column takes.
    """
    if not isinstance(item, Mapping) or "code" in item:
        return item
    if None in item:
        raise InvalidArgumentError("row: has more cells than the header")
    lower = {str(key).strip().lower(): value for key, value in item.items()}
    if "code" not in lower:
        return item
    cells = {name: str(lower[key]).strip() for key, name in _LOWER.items() if lower.get(key)}
    made: dict[str, Any] = {
        "code": cells.get("Code"),
        "type": cells.get("Voucher Type", "").upper() or None,
        "category": cells.get("Category"),
        "start_date": cells.get("Start Date"),
        "expiration_date": cells.get("Expiration Date"),
        "additional_info": cells.get("Additional Info"),
        "active": _flag(cells.get("Active")),
        "redemption": _given(
            {
                "quantity": _whole(cells, "Redemption Limit"),
                "redeemed_quantity": _whole(cells, "Redeemed Quantity"),
            }
        ),
        "metadata": {
            str(key).strip(): value
            for key, value in item.items()
            if value and str(key).strip().lower() not in _LOWER
        },
        **_worth_of_row(cells),
    }
    return _given(made)


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None and value != {}}


def _worth_of_row(cells: Mapping[str, str]) -> dict[str, Any]:
    kind, discount = cells.get("Voucher Type", "").upper(), cells.get("Discount Type", "").upper()
    if "Value" not in cells:
        return {}
    if kind == "GIFT_VOUCHER":
        amount = _minor(cells, "Value")
        redeemed = _minor(cells, "Redeemed Amount") if "Redeemed Amount" in cells else 0
        return {"gift": {"amount": amount, **({"balance": amount - redeemed} if redeemed else {})}}
    if kind == "LOYALTY_CARD":
        return {"loyalty_card": {"points": _whole(cells, "Value")}}
    if discount not in _VALUES:
        raise InvalidArgumentError(f"row: Discount Type is none of {', '.join(_VALUES)}")
    key, is_money = _VALUES[discount]
    number = _decimal(cells, "Value")
    plain = int(number) if number == number.to_integral_value() else float(number)
    return {"discount": {"type": discount, key: _minor(cells, "Value") if is_money else plain}}


def _flag(text: str | None) -> bool | None:
    if text is None:
        return None
    if text.lower() not in {"true", "false"}:
        raise InvalidArgumentError(f"row: Active: expected true or false, got {text!r}")
    return text.lower() == "true"


def _decimal(cells: Mapping[str, str], column: str) -> Decimal:
    try:
        number = Decimal(cells[column])
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise InvalidArgumentError(f"row: {column}: expected a number, got {cells[column]!r}")
    return number


def _whole(cells: Mapping[str, str], column: str) -> int | None:
    return _integer(_decimal(cells, column), column) if column in cells else None


def _minor(cells: Mapping[str, str], column: str) -> int:
    return _integer(_decimal(cells, column) * 100, column)


def _integer(number: Decimal, column: str) -> int:
    if number != number.to_integral_value():
        raise InvalidArgumentError(f"row: {column}: has too many decimal places")
    return int(number)
