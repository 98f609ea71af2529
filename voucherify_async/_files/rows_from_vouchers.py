"""Vouchers as rows of a CSV import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from .._conversion.converter import to_json_types
from ..errors import InvalidArgumentError
from .csv_columns import BY_LOWER, VALUE_KEYS


def row_of(voucher: Any, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """The cells of a voucher, by column, and those of its metadata, by key.

    Args:
        voucher: A model or a mapping.
        name: What errors call it.

    Raises:
        InvalidArgumentError: It is not a voucher, or a row cannot say what it is worth.
    """
    data = to_json_types(voucher, name)
    if not isinstance(data, dict):
        raise InvalidArgumentError(f"{name}: expected a voucher, got {voucher!r}")
    if not data.get("code"):
        raise InvalidArgumentError(f"{name}: has no code")
    redemption = data.get("redemption") or {}
    value, discount_type = _worth(data, name)
    cells = {
        "Code": data["code"],
        "Voucher Type": data.get("type"),
        "Value": _whole_number(value, name),
        "Discount Type": discount_type,
        "Category": data.get("category"),
        "Start Date": data.get("start_date"),
        "Expiration Date": data.get("expiration_date"),
        "Redemption Limit": redemption.get("quantity"),
        "Redeemed Quantity": redemption.get("redeemed_quantity"),
        "Redeemed Amount": _whole_number(_redeemed(data), name),
        "Active": data.get("active"),
        "Additional Info": data.get("additional_info"),
    }
    metadata = data.get("metadata") or {}
    for key in metadata:
        if not key.strip() or key.strip() != key or key.lower() in BY_LOWER:
            raise InvalidArgumentError(
                f"{name}.metadata: the key {key!r} cannot be a column; it is blank, has blanks "
                "around it, or is the name of a standard column"
            )
    return _texts(cells, name), _texts(metadata, f"{name}.metadata")


def _texts(cells: Mapping[str, Any], name: str) -> dict[str, str]:
    texts = {key: text for key, value in cells.items() if (text := cell_text(value))}
    for key, text in texts.items():
        if not (key + text).isascii() and not _is_encodable(key + text):
            raise InvalidArgumentError(
                f"{name}: {key!a} has a lone surrogate, which no file can hold"
            )
    return texts


def cell_text(value: Any) -> str:
    """A value as the text of a cell."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    # As JSON writes it: true, 10, 0.5, ["a"].
    return orjson.dumps(value).decode()


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _worth(data: Mapping[str, Any], name: str) -> tuple[Any, str | None]:
    """The value of a voucher, and of a discount its kind."""
    gift, card, discount = (data.get(key) for key in ("gift", "loyalty_card", "discount"))
    if gift:
        return gift.get("amount"), None
    if card:
        return card.get("points"), None
    if not discount:
        return None, None
    kind = discount.get("type")
    if kind not in VALUE_KEYS or discount.get("units"):
        raise InvalidArgumentError(
            f"{name}.discount: a row of a CSV import cannot express it; use imports.vouchers()"
        )
    return discount.get(VALUE_KEYS[kind]), kind


def _redeemed(data: Mapping[str, Any]) -> Any:
    gift = data.get("gift") or {}
    amount, balance = gift.get("amount"), gift.get("balance")
    if amount is not None and balance is not None:
        # What is left on the card is what matters, however the rest was taken off.
        return amount - balance if amount > balance else None
    return (data.get("redemption") or {}).get("redeemed_amount") or None


def _whole_number(value: Any, name: str) -> Any:
    if isinstance(value, float) and not value.is_integer():
        raise InvalidArgumentError(
            f"{name}: a row of a CSV import takes whole numbers, not {value!r}; use "
            "imports.vouchers()"
        )
    return value
