"""Orders: one class in answers and requests, of orders, validations, redemptions, qualifications.

All amounts are in minor currency units.
"""

# A literal beside `str` names the values that are known today.
# ruff: noqa: PYI051

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

from attrs import frozen

from ._base import Model, Number, Record
from .customers import Customer

OrderStatus: TypeAlias = Literal["CREATED", "PAID", "CANCELED", "FULFILLED"] | str
"""How far an order is; the API may add values."""

OrderItemKind: TypeAlias = Literal["product", "sku"] | str
"""What an item of an order is; the API may add values."""

OrderListOrder: TypeAlias = Literal["created_at", "-created_at", "updated_at", "-updated_at"]
"""Order of ``orders.list``; a dash means descending."""


@frozen(kw_only=True, repr=False)
class _OrderedGood(Model):
    """What an item says of its product or variant."""

    id: str | None = None
    """Id of it, given by Voucherify."""
    source_id: str | None = None
    """Id of it in the merchant's own system."""
    override: bool | None = None
    """Whether what the order says of it also changes or creates it in the catalogue."""
    price: Number | None = None
    """Price of one unit."""
    metadata: Mapping[str, Any] | None = None
    """The merchant's own attributes."""


@frozen(kw_only=True, repr=False)
class OrderedProduct(_OrderedGood):
    """The product of an order's item."""

    name: str | None = None
    """Name of the product."""


@frozen(kw_only=True, repr=False)
class OrderedSku(_OrderedGood):
    """The variant of an order's item."""

    sku: str | None = None
    """Name of the variant."""


@frozen(kw_only=True, repr=False)
class OrderItemApplication(Model):
    """Which other item a discount on this one comes from."""

    source_index: int | None = None
    """Place of the item that made the discount apply."""
    source_applied_quantity: int | None = None
    """How many units of that item made it apply."""
    source_applied_quantity_amount: int | None = None
    """What those units cost."""
    target_index: int | None = None
    """Place of the item that got the discount."""
    target_applied_quantity: int | None = None
    """How many units of it got the discount."""
    target_applied_quantity_amount: int | None = None
    """What those units cost."""
    target_applied_discount_amount: int | None = None
    """The discount on them."""


@frozen(kw_only=True, repr=False)
class OrderItem(Model):
    """A line of an order, in answers and requests."""

    id: str | None = None
    """Id of the line, given by Voucherify."""
    sku_id: str | None = None
    """Id of the variant."""
    product_id: str | None = None
    """Id of the product."""
    related_object: OrderItemKind | None = None
    """Whether `source_id` is a product's or a variant's."""
    source_id: str | None = None
    """Id of the product or variant in the merchant's own system."""
    quantity: int | None = None
    """How many units, free ones included."""
    discount_quantity: int | None = None
    """How many units are free."""
    initial_quantity: int | None = None
    """How many units before any discount."""
    amount: int | None = None
    """Price of all units."""
    discount_amount: int | None = None
    """All discounts on the line."""
    initial_amount: int | None = None
    """Price of all units before any discount."""
    price: int | None = None
    """Price of one unit."""
    subtotal_amount: int | None = None
    """What is left to pay for the line."""
    applied_discount_amount: int | None = None
    """Discount on the line by this redemption or validation."""
    applied_discount_quantity: int | None = None
    """How many free units this redemption or validation gives."""
    applied_quantity: int | None = None
    """How many units this redemption or validation discounts."""
    applied_quantity_amount: int | None = None
    """What those units cost."""
    application_details: Sequence[OrderItemApplication] | None = None
    """Which other items the discount comes from."""
    product: OrderedProduct | None = None
    """The product."""
    sku: OrderedSku | None = None
    """The variant."""
    object: str | None = None
    """Always ``order_item``."""
    metadata: Mapping[str, Any] | None = None
    """The merchant's own attributes."""


@frozen(kw_only=True, repr=False)
class OrderRedemption(Model):
    """A redemption that was made with an order."""

    date: datetime | None = None
    """Instant of the redemption."""
    rollback_id: str | None = None
    """Id of the rollback, if it was rolled back."""
    rollback_date: datetime | None = None
    """Instant of the rollback."""
    related_object_type: str | None = None
    """Kind of what was redeemed, such as ``voucher``."""
    related_object_id: str | None = None
    """Id of what was redeemed."""
    related_object_parent_id: str | None = None
    """Id of its campaign."""
    stacked: Sequence[str] | None = None
    """Ids of the redemptions that were made together, at their parent."""
    rollback_stacked: Sequence[str] | None = None
    """Ids of the rollbacks that were made together, at their parent."""


@frozen(kw_only=True, repr=False)
class Order(Record):
    """An order, in answers and requests; a request leaves out what Voucherify calculates."""

    source_id: str | None = None
    """Id of the order in the merchant's own system; the same one again changes the order."""
    status: OrderStatus | None = None
    """How far it is; PAID starts what is earned by it."""
    amount: int | None = None
    """Price of all items; calculated where the items have prices."""
    initial_amount: int | None = None
    """Price of all items before any discount."""
    discount_amount: int | None = None
    """Discounts on the order as a whole."""
    items_discount_amount: int | None = None
    """Discounts on its items."""
    total_discount_amount: int | None = None
    """All discounts."""
    total_amount: int | None = None
    """What is left to pay."""
    applied_discount_amount: int | None = None
    """Discount on the order as a whole by this redemption or validation."""
    items_applied_discount_amount: int | None = None
    """Discounts on its items by this redemption or validation."""
    total_applied_discount_amount: int | None = None
    """All discounts by this redemption or validation."""
    items: Sequence[OrderItem] | None = None
    """The lines."""
    customer_id: str | None = None
    """Id of the customer who placed it."""
    customer: Customer | None = None
    """The customer who placed it."""
    referrer_id: str | None = None
    """Id of the customer who referred that one."""
    referrer: Customer | None = None
    """The customer who referred that one."""
    redemptions: Mapping[str, OrderRedemption] | None = None
    """The redemptions made with it, by their ids."""
    metadata: Mapping[str, Any] | None = None
    """The merchant's own attributes."""


__all__ = [
    "Order",
    "OrderItem",
    "OrderItemApplication",
    "OrderItemKind",
    "OrderListOrder",
    "OrderRedemption",
    "OrderStatus",
    "OrderedProduct",
    "OrderedSku",
]
