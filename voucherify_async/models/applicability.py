"""Which items of an order a redeemable applies to, and how far."""

# A literal beside `str` names the values that are known today.
# ruff: noqa: PYI051

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from attrs import frozen

from ._base import Model, Number
from .references import Reference

ApplicableEffect: TypeAlias = (
    Literal[
        "APPLY_TO_EVERY",
        "APPLY_TO_CHEAPEST",
        "APPLY_FROM_CHEAPEST",
        "APPLY_TO_MOST_EXPENSIVE",
        "APPLY_FROM_MOST_EXPENSIVE",
    ]
    | str
)
"""Which units a discount applies to; the API may add values."""

ApplicableTarget: TypeAlias = Literal["ITEM", "UNIT"] | str
"""Whether a discount applies to lines or to units; the API may add values."""


@frozen(kw_only=True, repr=False)
class ApplicableUnits(Model):
    """The units of one line that a redeemable applies to."""

    index: int | None = None
    """Place of the line in the order."""
    units: Sequence[int] | None = None
    """Places of the units in the line."""
    units_limit_exceeded: bool | None = None
    """Whether there are more units than the redeemable may apply to."""


@frozen(kw_only=True, repr=False)
class ApplicableTo(Reference):
    """A product, variant or collection that a redeemable applies to, or does not."""

    object: str | None = None
    """Kind of it: ``product``, ``sku`` or ``products_collection``."""
    source_id: str | None = None
    """Id of it in the merchant's own system."""
    product_id: str | None = None
    """Id of a variant's product."""
    product_source_id: str | None = None
    """Id of that product in the merchant's own system."""
    price: Number | None = None
    """Fixed price of a unit, in minor currency units."""
    price_formula: Number | str | None = None
    """Formula that computes the price; the schema calls it a number."""
    effect: ApplicableEffect | None = None
    """Which units it applies to."""
    target: ApplicableTarget | None = None
    """Whether it applies to lines or to units."""
    repeat: int | None = None
    """Every how many units it applies: 3 is every third."""
    skip_initially: int | None = None
    """How many units are passed over first."""
    order_item_indices: Sequence[int] | None = None
    """Places of the lines that it applies to."""
    order_item_units: Sequence[ApplicableUnits] | None = None
    """The units that it applies to, line by line."""
    quantity_limit: int | None = None
    """Most units in a line."""
    aggregated_quantity_limit: int | None = None
    """Most units in all lines together."""
    amount_limit: int | None = None
    """Most that a line's discount may come to, in minor currency units."""
    aggregated_amount_limit: int | None = None
    """Most that all discounts may come to, in minor currency units."""
    product_campaign_quantity_limit: int | None = None
    """Most units of the product in the whole campaign."""
    product_campaign_quantity_limit_formula: str | None = None
    """Formula that computes that limit."""
    product_customer_campaign_quantity_limit: int | None = None
    """Most units of the product in the campaign for one customer."""
    product_customer_campaign_quantity_limit_formula: str | None = None
    """Formula that computes that limit."""
    product_in_collection_campaign_quantity_limit: int | None = None
    """Most units of each product of the collection in the whole campaign."""
    product_in_collection_campaign_quantity_limit_formula: str | None = None
    """Formula that computes that limit."""
    product_in_collection_customer_campaign_quantity_limit: int | None = None
    """Most units of each product of the collection in the campaign for one customer."""
    product_in_collection_customer_campaign_quantity_limit_formula: str | None = None
    """Formula that computes that limit."""
    product_promotion_tier_quantity_limit: int | None = None
    """Most units of the product in the promotion tier."""
    product_promotion_tier_quantity_limit_formula: str | None = None
    """Formula that computes that limit."""
    product_customer_promotion_tier_quantity_limit: int | None = None
    """Most units of the product in the promotion tier for one customer."""
    product_customer_promotion_tier_quantity_limit_formula: str | None = None
    """Formula that computes that limit."""
    product_in_collection_promotion_tier_quantity_limit: int | None = None
    """Most units of each product of the collection in the promotion tier."""
    product_in_collection_promotion_tier_quantity_limit_formula: str | None = None
    """Formula that computes that limit."""
    product_in_collection_customer_promotion_tier_quantity_limit: int | None = None
    """Most units of each product of the collection in the promotion tier for one customer."""
    product_in_collection_customer_promotion_tier_quantity_limit_formula: str | None = None
    """Formula that computes that limit."""


@frozen(kw_only=True, repr=False)
class ApplicableToList(Model):
    """All that a redeemable applies to, or does not."""

    object: str | None = None
    """Always ``list``."""
    data_ref: str | None = None
    """Name of the key that holds the items."""
    data: Sequence[ApplicableTo] | None = None
    """The products, variants and collections."""
    total: int | None = None
    """How many there are."""


__all__ = [
    "ApplicableEffect",
    "ApplicableTarget",
    "ApplicableTo",
    "ApplicableToList",
    "ApplicableUnits",
]
