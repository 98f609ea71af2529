"""An order and what was taken off it.

An order is kept as it was sent, beside one ``Effect`` for each redemption. What it comes to is
calculated from both, so that a rollback only has to forget an effect.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]

_PARTS = ("product_id", "sku_id", "source_id")


@dataclass(frozen=True, slots=True)
class LineChange:
    """What an effect does to one line; ``key`` is its place in the order or the unit it adds."""

    key: str
    discount: int = 0
    discounted: int = 0
    added: int = 0
    item: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What one redeemable does to an order: an amount off the whole, and changes of lines."""

    discount: int = 0
    lines: tuple[LineChange, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        return not self.discount and not self.lines


NO_EFFECT = Effect()


@dataclass(slots=True)
class Line:
    """One line of a cart: amounts in minor units."""

    key: str
    item: JsonObject
    price: int
    quantity: int
    amount: int
    initial_quantity: int = 0
    initial_amount: int = 0
    discount: int = 0
    discounted: int = 0
    applied: int = 0
    applied_discounted: int = 0
    applied_added: int = 0

    @property
    def left(self) -> int:
        """What is still to be paid for it."""
        return self.amount - self.discount

    def is_of(self, identifiers: Iterable[str]) -> bool:
        """Tell whether its product or SKU is one of these, by id or source id."""
        names = {self.item.get(part) for part in _PARTS}
        for part in ("product", "sku"):
            nested = self.item.get(part) or {}
            names |= {nested.get("id"), nested.get("source_id")}
        return not names.isdisjoint(identifiers)

    def render(self) -> JsonObject:
        """Return the line as the API serves it; what is zero is left out."""
        changed = {
            "discount_amount": self.discount,
            "discount_quantity": self.discounted,
            "applied_discount_amount": self.applied,
            "applied_discount_quantity": self.applied_discounted,
            "applied_quantity": self.applied_added,
            "applied_quantity_amount": self.applied_added * self.price,
        }
        return {
            **self.item,
            "object": "order_item",
            "quantity": self.quantity,
            "initial_quantity": self.initial_quantity,
            "amount": self.amount,
            "initial_amount": self.initial_amount,
            "price": self.price,
            "subtotal_amount": self.amount - self.discount,
            **{name: value for name, value in changed.items() if value},
        }


def line_of(key: str, item: JsonObject) -> Line:
    """Return the line that an item of a request describes."""
    product = item.get("sku") or item.get("product") or {}
    quantity = item.get("quantity")
    quantity = 1 if quantity is None else quantity
    price, amount = item.get("price"), item.get("amount")
    if price is None:
        price = product.get("price")
    if price is None:
        price = amount // quantity if amount and quantity else 0
    if amount is None:
        amount = price * quantity
    discount = min(item.get("discount_amount") or 0, amount)
    return Line(key, item, price, quantity, amount, quantity, amount, discount)


@dataclass(slots=True)
class Cart:
    """An order on its way through redeemables; amounts in minor units."""

    base_amount: int
    lines: list[Line] = field(default_factory=list)
    discount: int = 0
    applied: int = 0

    @property
    def amount(self) -> int:
        """What the order costs before discounts, items that were added included."""
        return self.base_amount + sum(line.amount - line.initial_amount for line in self.lines)

    @property
    def items_discount(self) -> int:
        """What is taken off the lines."""
        return sum(line.discount for line in self.lines)

    @property
    def left(self) -> int:
        """What is still to be paid."""
        return max(self.amount - self.discount - self.items_discount, 0)

    def apply(self, effect: Effect) -> None:
        """Let an effect change the cart; it counts as applied by this request."""
        self.discount += effect.discount
        self.applied += effect.discount
        for change in effect.lines:
            line = self._line(change)
            line.quantity += change.added
            line.amount += change.added * line.price
            line.discount += change.discount
            line.discounted += change.discounted
            line.applied += change.discount
            line.applied_discounted += change.discounted
            line.applied_added += change.added

    def _line(self, change: LineChange) -> Line:
        found = next((line for line in self.lines if line.key == change.key), None)
        if found is None:
            found = line_of(change.key, {**(change.item or {}), "quantity": 0})
            self.lines.append(found)
        return found

    def settle(self) -> None:
        """Let what was applied so far count as taken off before."""
        self.applied = 0
        for line in self.lines:
            line.applied = line.applied_discounted = line.applied_added = 0

    def totals(self) -> JsonObject:
        """Return the calculated properties of the order; discounts of zero are left out."""
        items_applied = sum(line.applied for line in self.lines)
        discounts = {
            "discount_amount": self.discount,
            "items_discount_amount": self.items_discount,
            "total_discount_amount": self.discount + self.items_discount,
            "applied_discount_amount": self.applied,
            "items_applied_discount_amount": items_applied,
            "total_applied_discount_amount": self.applied + items_applied,
        }
        totals: JsonObject = {"amount": self.amount, "initial_amount": self.base_amount}
        totals |= {name: value for name, value in discounts.items() if value}
        totals["total_amount"] = self.left
        if self.lines:
            totals["items"] = [line.render() for line in self.lines]
        return totals


def cart_of(order: JsonObject, effects: Iterable[Effect] = ()) -> Cart:
    """Return the cart of an order as sent, after the effects of earlier redemptions."""
    lines = [line_of(str(index), item) for index, item in enumerate(order.get("items") or ())]
    amount = order.get("amount")
    if amount is None:
        amount = sum(line.amount for line in lines)
    cart = Cart(amount, lines, min(order.get("discount_amount") or 0, amount))
    for effect in effects:
        cart.apply(effect)
    cart.settle()
    return cart
