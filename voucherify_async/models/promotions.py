"""Promotion tiers, as redemptions hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from ._base import Model, Record
from .discounts import Discount
from .validity import ValidityHours, ValidityTimeframe
from .vouchers import Category, ValidationRuleAssignments


@frozen(kw_only=True, repr=False)
class PromotionAction(Model):
    """What a promotion gives."""

    discount: Discount | None = None
    """The discount."""


@frozen(kw_only=True, repr=False)
class PromotionCampaign(Model):
    """The campaign of a promotion tier."""

    id: str | None = None
    """Id of the campaign."""
    start_date: datetime | None = None
    """Instant from which it is valid."""
    expiration_date: datetime | None = None
    """Instant after which it is no longer valid."""
    validity_timeframe: ValidityTimeframe | None = None
    """Recurring period in which it is valid."""
    validity_day_of_week: Sequence[int] | None = None
    """Days of the week on which it is valid: 0 is Sunday, 6 is Saturday."""
    validity_hours: ValidityHours | None = None
    """Hours at which it is valid."""
    active: bool | None = None
    """Whether it is switched on."""
    category_id: str | None = None
    """Id of its category."""
    object: str | None = None
    """Always ``campaign``."""


@frozen(kw_only=True, repr=False)
class PromotionRedemptions(Model):
    """How often a promotion tier was redeemed."""

    total_redeemed: int | None = None
    """How often."""


@frozen(kw_only=True, repr=False)
class PromotionOrders(Model):
    """What the orders of a promotion tier come to, in minor currency units."""

    total_amount: int | None = None
    """All that the orders cost."""
    total_discount_amount: int | None = None
    """All discounts on them."""


@frozen(kw_only=True, repr=False)
class PromotionSummary(Model):
    """What a promotion tier has done so far."""

    redemptions: PromotionRedemptions | None = None
    """How often it was redeemed."""
    orders: PromotionOrders | None = None
    """What the orders come to."""


@frozen(kw_only=True, repr=False)
class PromotionTier(Record):
    """A tier of a promotion, which applies without a code."""

    name: str | None = None
    """Name of the tier."""
    banner: str | None = None
    """Text that customers are shown."""
    action: PromotionAction | None = None
    """What it gives."""
    metadata: Mapping[str, Any] | None = None
    """The merchant's own attributes."""
    hierarchy: int | None = None
    """Rank of the tier; a lower one is processed first."""
    promotion_id: str | None = None
    """Id of the promotion."""
    campaign: PromotionCampaign | None = None
    """The campaign that it belongs to."""
    campaign_id: str | None = None
    """Id of that campaign."""
    active: bool | None = None
    """Whether it is switched on."""
    start_date: datetime | None = None
    """Instant from which it is valid."""
    expiration_date: datetime | None = None
    """Instant after which it is no longer valid."""
    validity_timeframe: ValidityTimeframe | None = None
    """Recurring period in which it is valid."""
    validity_day_of_week: Sequence[int] | None = None
    """Days of the week on which it is valid: 0 is Sunday, 6 is Saturday."""
    validity_hours: ValidityHours | None = None
    """Hours at which it is valid."""
    summary: PromotionSummary | None = None
    """What it has done so far."""
    validation_rule_assignments: ValidationRuleAssignments | None = None
    """The validation rules that apply to it."""
    category_id: str | None = None
    """Id of its category."""
    categories: Sequence[Category] | None = None
    """Its categories in full."""


__all__ = [
    "PromotionAction",
    "PromotionCampaign",
    "PromotionOrders",
    "PromotionRedemptions",
    "PromotionSummary",
    "PromotionTier",
]
