"""Promotion tiers, promotion stacks and the prices of products: what a test seeds of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._messages import JsonObject
from .._refusals import not_found
from .catalog import StoredCampaign


@dataclass(slots=True, eq=False, kw_only=True)
class StoredTier:
    """One promotion tier."""

    id: str
    name: str
    banner: str | None
    discount: JsonObject
    campaign: StoredCampaign
    created_at: str
    hierarchy: int = 1
    active: bool = True
    start_date: str | None = None
    expiration_date: str | None = None
    validity_day_of_week: list[int] | None = None
    metadata: JsonObject = field(default_factory=dict)
    quantity: int | None = None
    redeemed_quantity: int = 0
    per_customer: int | None = None
    targets: tuple[str, ...] = ()

    def render(self) -> JsonObject:
        """Return the tier as redemptions carry it."""
        return {
            "id": self.id,
            "created_at": self.created_at,
            "updated_at": None,
            "name": self.name,
            "banner": self.banner,
            "action": {"discount": self.discount},
            "metadata": self.metadata,
            "hierarchy": self.hierarchy,
            "campaign": {"id": self.campaign.id, "active": True, "object": "campaign"},
            "campaign_id": self.campaign.id,
            "active": self.active,
            "start_date": self.start_date,
            "expiration_date": self.expiration_date,
            "validity_day_of_week": self.validity_day_of_week,
            "summary": {"redemptions": {"total_redeemed": self.redeemed_quantity}},
            "category_id": None,
            "categories": [],
            "object": "promotion_tier",
        }


@dataclass(slots=True, eq=False)
class StoredStack:
    """Tiers that are redeemed together, in their order."""

    id: str
    name: str
    tiers: tuple[str, ...]
    created_at: str

    def render(self) -> JsonObject:
        """Return the stack as the API serves it."""
        return {
            "id": self.id,
            "name": self.name,
            "created_at": self.created_at,
            "updated_at": None,
            "tiers": {"ids": list(self.tiers), "hierarchy_mode": "MANUAL"},
            "category_id": None,
            "categories": [],
            "object": "promotion_stack",
        }


class PromotionStore:
    """Every tier and stack, by id, and prices by product or SKU."""

    def __init__(self) -> None:
        self.tiers: dict[str, StoredTier] = {}
        self.stacks: dict[str, StoredStack] = {}
        self.prices: dict[str, int] = {}

    def tier(self, identifier: str) -> StoredTier:
        """Return the tier with this id, or raise the API's 404."""
        if identifier not in self.tiers:
            raise not_found("promotion_tier", identifier)
        return self.tiers[identifier]

    def stack(self, identifier: str) -> StoredStack:
        """Return the stack with this id, or raise the API's 404."""
        if identifier not in self.stacks:
            raise not_found("promotion_stack", identifier)
        return self.stacks[identifier]
