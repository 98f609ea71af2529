"""A stored voucher: compact, because there may be hundreds of thousands; rendered when served."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import quote

from .._messages import JsonObject
from .catalog import StoredCampaign, StoredCategory

View: TypeAlias = Literal["full", "listed", "created"]

TYPES = ("DISCOUNT_VOUCHER", "GIFT_VOUCHER", "LOYALTY_CARD")
# The property that holds the value of a voucher, by type.
VALUE_KEYS = {
    "DISCOUNT_VOUCHER": "discount",
    "GIFT_VOUCHER": "gift",
    "LOYALTY_CARD": "loyalty_card",
}
_REDEEMED_KEYS = {"GIFT_VOUCHER": "redeemed_amount", "LOYALTY_CARD": "redeemed_points"}


@dataclass(slots=True, eq=False, kw_only=True)
class StoredVoucher:
    """One voucher. ``created`` and ``updated`` are microseconds since the epoch, to sort by."""

    id: str
    code: str
    type: str
    value: JsonObject | None
    created: int
    created_at: str
    updated: int = -1
    updated_at: str | None = None
    sequence: int = 0
    campaign: StoredCampaign | None = None
    category: StoredCategory | None = None
    start_date: str | None = None
    expiration_date: str | None = None
    validity_timeframe: JsonObject | None = None
    validity_day_of_week: list[int] | None = None
    validity_hours: JsonObject | None = None
    active: bool | None = True
    additional_info: str | None = None
    metadata: JsonObject = field(default_factory=dict)
    is_referral_code: bool | None = False
    holder_id: str | None = None
    quantity: int | None = None
    redeemed_quantity: int = 0
    redeemed: int = 0
    published: int = 0
    rules: tuple[str, ...] = ()
    per_customer: int | None = None
    targets: tuple[str, ...] = ()
    extra: JsonObject | None = None

    def render(self, view: View = "full") -> JsonObject:
        """Return the JSON object that the API serves: alone, in a list or after its creation."""
        served: JsonObject = {
            "id": self.id,
            "code": self.code,
            "campaign": self.campaign.name if self.campaign else None,
            "campaign_id": self.campaign.id if self.campaign else None,
            "category": self.category.name if self.category else None,
            "category_id": self.category.id if self.category else None,
        }
        if self.category:
            served["categories"] = [self.category.render()]
        served["type"] = self.type
        served |= {"discount": None, "gift": None, "loyalty_card": None}
        served[VALUE_KEYS[self.type]] = self.value
        served |= {
            "start_date": self.start_date,
            "expiration_date": self.expiration_date,
            "validity_timeframe": self.validity_timeframe,
            "validity_day_of_week": self.validity_day_of_week,
        }
        if self.validity_hours is not None:
            served["validity_hours"] = self.validity_hours
        self._render_tail(served, view)
        return served

    def _render_tail(self, served: JsonObject, view: View) -> None:
        served |= {
            "active": self.active,
            "additional_info": self.additional_info,
            "metadata": self.metadata,
            "assets": {"qr": self._asset("qr"), "barcode": self._asset("barcode")},
            "is_referral_code": self.is_referral_code,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }
        if self.holder_id is not None:
            served["holder_id"] = self.holder_id
        if view == "full" or (view == "created" and self.rules):
            served["validation_rules_assignments"] = self._assignments()
        address = f"/v1/vouchers/{quote(self.code, safe='')}"
        redemption = {"quantity": self.quantity, "redeemed_quantity": self.redeemed_quantity}
        if self.type in _REDEEMED_KEYS:
            redemption[_REDEEMED_KEYS[self.type]] = self.redeemed
        served["redemption"] = {
            **redemption,
            "object": "list",
            "url": f"{address}/redemptions?page=1&limit=10",
        }
        served["publish"] = {
            "object": "list",
            "count": self.published,
            "url": f"{address}/publications?page=1&limit=10",
        }
        served["object"] = "voucher"
        if self.extra:
            served |= self.extra

    def _asset(self, kind: str) -> JsonObject:
        identifier = b64encode(f"{kind}:{self.id}".encode()).decode()
        url = f"https://assets.voucherify.test/v1/assets/{kind}/{quote(identifier, safe='')}"
        return {"id": identifier, "url": url}

    def _assignments(self) -> JsonObject:
        data = [
            {
                "id": f"asgm_{self.id[2:16]}{index:02d}",
                "rule_id": rule,
                "related_object_id": self.id,
                "related_object_type": "voucher",
                "created_at": self.created_at,
                "object": "validation_rules_assignment",
            }
            for index, rule in enumerate(self.rules)
        ]
        return {"object": "list", "data_ref": "data", "data": data, "total": len(data)}
