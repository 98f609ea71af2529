"""Checks of the properties that a request body may set on a voucher."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from .._messages import JsonObject
from .._refusals import invalid_payload
from .._state.server_time import iso, parse_instant
from .._state.stored_voucher import TYPES, VALUE_KEYS

Check: TypeAlias = Callable[[str, Any], Any]

# What a discount needs: any one of the names of each group.
_DISCOUNTS = {
    "AMOUNT": (("amount_off", "amount_off_formula"),),
    "PERCENT": (("percent_off", "percent_off_formula"),),
    "FIXED": (("fixed_amount", "fixed_amount_formula"),),
    "UNIT": (("unit_off", "unit_off_formula", "units"),),
    "SHIPPING": (),
}
_NUMBERS = (
    "amount_off",
    "percent_off",
    "fixed_amount",
    "unit_off",
    "amount_limit",
    "aggregated_amount_limit",
)


def whole(name: str, value: Any) -> int:
    """Return a whole number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise invalid_payload(f".{name}: a whole number, 0 or more, is expected")
    return value


def text(name: str, value: Any) -> str | None:
    """Return a text or None."""
    if value is not None and not isinstance(value, str):
        raise invalid_payload(f".{name}: a string or null is expected")
    return value


def flag(name: str, value: Any) -> bool | None:
    """Return a boolean or None."""
    if value is not None and not isinstance(value, bool):
        raise invalid_payload(f".{name}: a boolean is expected")
    return value


def instant(name: str, value: Any) -> str | None:
    """Return an instant in the API's form, or None."""
    if value is None:
        return None
    try:
        return iso(parse_instant(value))
    except (TypeError, ValueError):
        raise invalid_payload(f".{name}: an ISO 8601 date is expected") from None


def mapping(name: str, value: Any) -> JsonObject | None:
    """Return a JSON object or None."""
    if value is not None and not isinstance(value, dict):
        raise invalid_payload(f".{name}: an object is expected")
    return value


def weekdays(name: str, value: Any) -> list[int] | None:
    """Return a list of weekdays, 0 (Sunday) to 6, or None."""
    if value is None:
        return None
    if not isinstance(value, list) or not all(day in range(7) for day in value):
        raise invalid_payload(f".{name}: a list of numbers from 0 to 6 is expected")
    return value


def names(name: str, value: Any) -> tuple[str, ...]:
    """Return a list of strings, as a tuple."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid_payload(f".{name}: a list of strings is expected")
    return tuple(value)


COMMON: dict[str, Check] = {
    "start_date": instant,
    "expiration_date": instant,
    "validity_timeframe": mapping,
    "validity_day_of_week": weekdays,
    "validity_hours": mapping,
    "active": flag,
    "additional_info": text,
}


def implied_type(body: JsonObject) -> str | None:
    """Return the voucher type that follows from the value in a body, None without a value."""
    return next((kind for kind in TYPES if body.get(VALUE_KEYS[kind]) is not None), None)


def voucher_type(body: JsonObject, default: str | None) -> str:
    """Return the voucher type that a body names or implies."""
    kind = body.get("type") or default or implied_type(body)
    if kind not in TYPES:
        raise invalid_payload(f".type: one of {', '.join(TYPES)} is expected")
    return str(kind)


def voucher_value(kind: str, body: JsonObject, default: JsonObject | None) -> JsonObject:
    """Return the discount, gift or loyalty card that a body gives, with its balance."""
    key = VALUE_KEYS[kind]
    value = body.get(key)
    if value is None:
        value = default
    if not isinstance(value, dict):
        raise invalid_payload(f".{key}: an object is expected for a {kind}")
    # A typed client writes null for whatever it was not given.
    value = {name: item for name, item in value.items() if item is not None}
    if kind == "GIFT_VOUCHER":
        amount = whole("gift.amount", value.get("amount"))
        balance = whole("gift.balance", value.get("balance", amount))
        effect = value.get("effect", "APPLY_TO_ORDER")
        return {**value, "amount": amount, "balance": balance, "effect": effect}
    if kind == "LOYALTY_CARD":
        points = whole("loyalty_card.points", value.get("points"))
        balance = whole("loyalty_card.balance", value.get("balance", points))
        return {**value, "points": points, "balance": balance}
    return discount(value)


def discount(value: JsonObject) -> JsonObject:
    """Return a discount that has what its type needs."""
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in _DISCOUNTS:
        raise invalid_payload(f".discount.type: one of {', '.join(_DISCOUNTS)} is expected")
    for group in _DISCOUNTS[kind]:
        if all(value.get(name) is None for name in group):
            raise invalid_payload(f".discount.{group[0]}: a value is expected for type {kind}")
    _check_parts(value, "discount")
    units = value.get("units")
    if units is not None and not isinstance(units, list):
        raise invalid_payload(".discount.units: a list is expected")
    for index, unit in enumerate(units or ()):
        _check_parts(mapping(f"discount.units[{index}]", unit) or {}, f"discount.units[{index}]")
    return value


def _check_parts(value: JsonObject, name: str) -> None:
    for key in _NUMBERS:
        number = value.get(key)
        if number is not None and (isinstance(number, bool) or not isinstance(number, int | float)):
            raise invalid_payload(f".{name}.{key}: a number is expected")
    for key in ("effect", "unit_type"):
        text(f"{name}.{key}", value.get(key))
    for key in ("product", "sku"):
        mapping(f"{name}.{key}", value.get(key))
