"""Products and their variants (SKUs), as rewards hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from ._base import Model, Number, Record


@frozen(kw_only=True, repr=False)
class _Sellable(Record):
    """What products and their variants have in common."""

    source_id: str | None = None
    """Id of it in the merchant's own system."""
    price: Number | None = None
    """Price of one unit, in minor currency units."""
    image_url: str | None = None
    """Address of an image."""
    metadata: Mapping[str, Any] | None = None
    """The merchant's own attributes."""


@frozen(kw_only=True, repr=False)
class Sku(_Sellable):
    """A variant of a product."""

    product_id: str | None = None
    """Id of the product."""
    sku: str | None = None
    """Name of the variant."""
    currency: str | None = None
    """Currency of the price, as an ISO 4217 code."""
    attributes: Mapping[str, Any] | None = None
    """What the variant differs by, such as its colour."""


@frozen(kw_only=True, repr=False)
class ProductSkus(Model):
    """The variants of a product."""

    object: str | None = None
    """Always ``list``."""
    data_ref: str | None = None
    """Name of the key that holds the items."""
    data: Sequence[Sku] | None = None
    """The variants."""
    total: int | None = None
    """How many there are."""


@frozen(kw_only=True, repr=False)
class Product(_Sellable):
    """A product."""

    name: str | None = None
    """Name of the product."""
    attributes: Sequence[str] | None = None
    """Names of what its variants differ by."""
    skus: ProductSkus | None = None
    """Its variants."""


__all__ = ["Product", "ProductSkus", "Sku"]
