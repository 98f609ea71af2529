"""What an import takes of what it is given; it skips the rest without a word, as the API does."""

from __future__ import annotations

from typing import Any

from .._messages import JsonObject

_IMPORTED = (
    "code",
    "category",
    "active",
    "type",
    "start_date",
    "expiration_date",
    "validity_timeframe",
    "validity_day_of_week",
    "additional_info",
    "metadata",
    "discount",
)
# Of an object: the keys that are imported.
_PARTS = {"redemption": ("quantity",), "gift": ("amount",), "loyalty_card": ("points",)}
_MEMBER_CHANGES = ("category", "active")


def importable(item: JsonObject) -> JsonObject:
    """Return what the JSON import takes of an item: no balance, and nothing redeemed."""
    taken = {name: item[name] for name in _IMPORTED if name in item}
    for name, keys in _PARTS.items():
        if name in item:
            taken[name] = _part(item[name], keys)
    return taken


def _part(value: Any, keys: tuple[str, ...]) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: value[key] for key in keys if key in value}


def changes(row: JsonObject, *, spent: int) -> JsonObject:
    """Return what a CSV row changes of a standalone voucher: every cell that is not empty.

    ``spent``: what was redeemed of the card, which its balance is without.
    """
    changed = {
        name: value for name, value in row.items() if name != "type" and value not in (None, {})
    }
    if "gift" in changed:
        amount = changed["gift"]["amount"]
        changed["gift"] = {"amount": amount, "balance": max(amount - spent, 0)}
    return changed


def member_changes(row: JsonObject) -> JsonObject:
    """Return what a CSV row changes of a campaign's voucher."""
    return {name: row[name] for name in _MEMBER_CHANGES if row.get(name) is not None}
