"""Rewards, as redemptions of loyalty points hold them."""

# A literal beside `str` names the values that are known today.
# ruff: noqa: PYI051

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from attrs import frozen

from ._base import Model, Record
from .customers import Customer
from .products import Product, Sku
from .references import Reference
from .vouchers import Voucher

RewardType: TypeAlias = Literal["CAMPAIGN", "COIN", "MATERIAL"] | str
"""What a reward is: a voucher of a campaign, a discount, a product; the API may add values."""


@frozen(kw_only=True, repr=False)
class RewardCampaign(Reference):
    """The campaign that a reward gives a voucher of."""

    balance: int | None = None
    """Credits (minor currency units) or points of the card that it gives."""
    type: str | None = None
    """Kind of the campaign."""


@frozen(kw_only=True, repr=False)
class RewardProduct(Reference):
    """The product that a reward gives."""

    sku_id: str | None = None
    """Id of the variant."""


@frozen(kw_only=True, repr=False)
class RewardCoin(Model):
    """What points are worth as a discount."""

    exchange_ratio: int | None = None
    """What `points_ratio` points are worth, in minor currency units."""
    points_ratio: int | None = None
    """How many points that takes."""


@frozen(kw_only=True, repr=False)
class RewardParameters(Model):
    """What a reward gives; its type decides which field is set."""

    campaign: RewardCampaign | None = None
    """The campaign that it gives a voucher of."""
    product: RewardProduct | None = None
    """The product that it gives."""
    coin: RewardCoin | None = None
    """What points are worth as a discount."""


@frozen(kw_only=True, repr=False)
class RedeemedReward(Record):
    """The reward that points were redeemed for."""

    name: str | None = None
    """Name of the reward."""
    type: RewardType | None = None
    """What it is."""
    parameters: RewardParameters | None = None
    """What it gives."""
    metadata: Mapping[str, Any] | None = None
    """The merchant's own attributes."""
    assignment_id: str | None = None
    """Id of the reward's assignment to the loyalty programme."""
    loyalty_tier_id: str | None = None
    """Id of the customer's loyalty tier."""
    customer: Customer | None = None
    """The customer who got it."""
    voucher: Voucher | None = None
    """The voucher that was given."""
    product: Product | None = None
    """The product that was given."""
    sku: Sku | None = None
    """The variant that was given."""


__all__ = [
    "RedeemedReward",
    "RewardCampaign",
    "RewardCoin",
    "RewardParameters",
    "RewardProduct",
    "RewardType",
]
