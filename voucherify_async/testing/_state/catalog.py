"""Campaigns and categories: what vouchers refer to by name or by id."""

from __future__ import annotations

from dataclasses import dataclass

from .._messages import JsonObject
from .._refusals import ApiFailure, not_found
from .ids import Ids

# The voucher type that the members of a campaign have, by the campaign's type.
MEMBER_TYPES = {
    "DISCOUNT_COUPONS": "DISCOUNT_VOUCHER",
    "REFERRAL_PROGRAM": "DISCOUNT_VOUCHER",
    "PROMOTION": "DISCOUNT_VOUCHER",
    "GIFT_VOUCHERS": "GIFT_VOUCHER",
    "LOYALTY_PROGRAM": "LOYALTY_CARD",
}


@dataclass(slots=True, eq=False)
class StoredCampaign:
    """A campaign; ``template`` is the voucher value that its members take when they name none."""

    id: str
    name: str
    campaign_type: str
    type: str
    template: JsonObject | None
    created_at: str
    members: int = 0

    @property
    def member_type(self) -> str:
        """The type of the vouchers in this campaign."""
        return MEMBER_TYPES[self.campaign_type]

    def render(self) -> JsonObject:
        """Return what the tests read of a campaign."""
        return {
            "id": self.id,
            "name": self.name,
            "campaign_type": self.campaign_type,
            "type": self.type,
            "created_at": self.created_at,
            "vouchers_count": self.members,
            "object": "campaign",
        }


@dataclass(slots=True, eq=False)
class StoredCategory:
    """A category of vouchers."""

    id: str
    name: str
    created_at: str

    def render(self) -> JsonObject:
        """Return the category as a voucher carries it."""
        return {
            "id": self.id,
            "name": self.name,
            "hierarchy": 0,
            "created_at": self.created_at,
            "object": "category",
        }


class Catalog:
    """Every campaign and category, by id and by name."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._campaigns: dict[str, StoredCampaign] = {}
        self._categories: dict[str, StoredCategory] = {}

    def add_campaign(
        self,
        name: str,
        created_at: str,
        *,
        campaign_type: str = "DISCOUNT_COUPONS",
        type: str = "STATIC",  # noqa: A002 - the API's name
        id: str | None = None,  # noqa: A002 - the API's name
        template: JsonObject | None = None,
    ) -> StoredCampaign:
        """Add a campaign; raise ValueError for an unknown campaign type."""
        if campaign_type not in MEMBER_TYPES:
            raise ValueError(f"campaign_type: one of {', '.join(MEMBER_TYPES)} is expected")
        identifier = id or self._ids.long("camp", 24)
        campaign = StoredCampaign(identifier, name, campaign_type, type, template, created_at)
        self._campaigns[campaign.id] = self._campaigns[name] = campaign
        return campaign

    def find_campaign(self, identifier: str) -> StoredCampaign | None:
        """Return the campaign with this id or name, or None."""
        return self._campaigns.get(identifier)

    def campaign(self, identifier: str) -> StoredCampaign:
        """Return the campaign with this id or name, or raise the API's 404."""
        campaign = self._campaigns.get(identifier)
        if campaign is None:
            raise not_found("campaign", identifier)
        return campaign

    def open_campaign(self, identifier: str, *, generated: bool) -> StoredCampaign:
        """Return a campaign that takes a new voucher, or raise the API's 400."""
        campaign = self.campaign(identifier)
        if generated and campaign.type == "STANDALONE":
            details = "A STANDALONE campaign takes no generated codes"
            raise ApiFailure(400, "invalid_campaign", "Invalid Campaign", details)
        return campaign

    def category(self, name_or_id: str, created_at: str) -> StoredCategory:
        """Return the category with this name or id, made on first use."""
        category = self._categories.get(name_or_id)
        if category is None:
            category = StoredCategory(self._ids.ordered("cat"), name_or_id, created_at)
            self._categories[category.id] = self._categories[name_or_id] = category
        return category
