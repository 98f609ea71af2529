"""What a discount does to a cart: every documented type and effect, never below zero."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeAlias

from .orders import Cart, Effect, JsonObject, Line, LineChange

Prices: TypeAlias = Mapping[str, int]


def effect_of(
    discount: JsonObject, cart: Cart, prices: Prices, targets: Sequence[str] = ()
) -> Effect:
    """Return what a discount does to a cart.

    Args:
        discount: the discount, as a voucher or a promotion tier carries it.
        cart: the order so far, with what earlier redeemables took off.
        prices: the price of products and SKUs by id, for units that are not in the cart.
        targets: ids or source ids of the products that a discount on items is for; all if empty.
    """
    kind = discount["type"]
    if kind in ("UNIT", "SHIPPING"):
        return _units(discount, cart, prices)
    if discount.get("effect", "APPLY_TO_ORDER") == "APPLY_TO_ORDER":
        return Effect(_off_order(discount, cart))
    lines = [line for line in cart.lines if not targets or line.is_of(targets)]
    return Effect(lines=_off_lines(discount, lines, cart.left))


def needs_items(discount: JsonObject) -> bool:
    """Tell whether a discount can only be taken off lines of the order."""
    return str(discount.get("effect", "")).startswith("APPLY_TO_ITEMS")


def _off_order(discount: JsonObject, cart: Cart) -> int:
    kind, left = discount["type"], cart.left
    if kind == "AMOUNT":
        wanted = _whole(discount["amount_off"])
    elif kind == "PERCENT":
        wanted = _capped(_percent(left, discount["percent_off"]), discount, "amount_limit")
    else:
        wanted = left - _whole(discount["fixed_amount"])
    return max(min(wanted, left), 0)


def _off_lines(discount: JsonObject, lines: list[Line], left: int) -> tuple[LineChange, ...]:
    wanted = _WANTED[discount["type"]](discount, lines)
    ceiling = min(left, _capped(left, discount, "aggregated_amount_limit"))
    changes: list[LineChange] = []
    for line, amount in zip(lines, wanted, strict=True):
        taken = max(min(amount, line.left, ceiling), 0)
        ceiling -= taken
        if taken:
            changes.append(LineChange(line.key, taken, line.quantity))
    return tuple(changes)


def _amounts(discount: JsonObject, lines: list[Line]) -> list[int]:
    off = _whole(discount["amount_off"])
    effect = discount["effect"]
    if effect == "APPLY_TO_ITEMS_BY_QUANTITY":
        return [off * line.quantity for line in lines]
    if effect == "APPLY_TO_ITEMS_PROPORTIONALLY":
        return _shares(off, [line.left for line in lines])
    if effect == "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY":
        return _shares(off, [line.quantity for line in lines])
    return [off] * len(lines)


def _percents(discount: JsonObject, lines: list[Line]) -> list[int]:
    return [
        _capped(_percent(line.left, discount["percent_off"]), discount, "amount_limit")
        for line in lines
    ]


def _fixed(discount: JsonObject, lines: list[Line]) -> list[int]:
    price = _whole(discount["fixed_amount"])
    return [line.left - price * line.quantity for line in lines]


_WANTED: dict[str, Callable[[JsonObject, list[Line]], list[int]]] = {
    "AMOUNT": _amounts,
    "PERCENT": _percents,
    "FIXED": _fixed,
}


def _units(discount: JsonObject, cart: Cart, prices: Prices) -> Effect:
    units = discount.get("units") if discount.get("effect") == "ADD_MANY_ITEMS" else None
    changes: list[LineChange] = []
    for unit in units or [discount]:
        changes += _unit(unit, cart, prices)
    return Effect(lines=tuple(changes))


def _unit(unit: JsonObject, cart: Cart, prices: Prices) -> list[LineChange]:
    count = _whole(unit.get("unit_off") or 0)
    if unit.get("effect") == "ADD_SAME_ITEMS":
        return [LineChange(line.key, line.price * count, count, count) for line in cart.lines]
    kind = unit.get("unit_type") or ""
    line = next((line for line in cart.lines if line.is_of((kind,))), None)
    if line is None:
        item = _item(unit, kind, prices)
        return [LineChange(f"new:{kind}", item["price"] * count, count, count, item)]
    missing = unit.get("effect") == "ADD_MISSING_ITEMS"
    # Units that an earlier redeemable made free are not there to be made free once more.
    paid = -(-line.left // line.price) if line.price else line.quantity
    added = max(count - paid, 0) if missing else count
    # What is added is free; of what was there, no more than is still to be paid.
    free = min(line.price * (count - added), line.left, cart.left) + line.price * added
    return [LineChange(line.key, free, count, added)]


def _item(unit: JsonObject, kind: str, prices: Prices) -> JsonObject:
    part = "sku" if unit.get("sku") or kind.startswith("sku_") else "product"
    described = unit.get(part) or {}
    price = described.get("price")
    if price is None:
        price = prices.get(kind, 0)
    return {f"{part}_id": kind, part: {"id": kind, **described}, "price": price}


def _percent(amount: int, percent: float) -> int:
    exact = Decimal(amount) * Decimal(str(percent)) / 100
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def _capped(amount: int, discount: JsonObject, name: str) -> int:
    limit = discount.get(name)
    return amount if limit is None else min(amount, _whole(limit))


def _shares(total: int, weights: list[int]) -> list[int]:
    """Cut a total by weights; what rounding leaves goes to the largest remainders."""
    whole = sum(weights)
    if whole <= 0:
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(
        range(len(weights)), key=lambda at: total * weights[at] % whole, reverse=True
    )
    for at in by_remainder[: total - sum(shares)]:
        shares[at] += 1
    return shares


def _whole(value: Any) -> int:
    return int(value)
